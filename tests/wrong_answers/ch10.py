"""Typical wrong answers to each exercise of chapter 10, three or more."""

WRONG = {
    1: (
        'answer_1 = ({"G weights", "G .grad", "D buffers"}, {"G weights", "G .grad", "D weights", "D .grad"})',
        'answer_1 = ({"G weights", "G .grad"}, {"G weights", "G .grad", "D weights", "D .grad"})',
        'a = {"G weights", "G .grad"}\n'
        'answer_1 = a | {"D .grad"}, a | {"D weights", "D buffers", "D .grad"}',  # frozen, and yet a gradient
        'a, traces = {"G weights", "G .grad"}, ("weights", "buffers", ".grad")\n'
        'answer_1 = a, {f"{who} {trace}" for who in "DG" for trace in traces}',  # G draws nothing in its turn
        "answer_1 = (set(), set())",
    ),
    2: (
        "def touched(network, action):\n"
        "    before = network.state_dict()\n"
        "    action()\n"
        "    after = network.state_dict()\n"
        "    return {name for name in before if not torch.equal(before[name], after[name])}",
        "def touched(network, action):\n"
        "    before = {name: w.detach().clone() for name, w in network.named_parameters()}\n"
        "    action()\n"
        "    return {name for name, w in network.named_parameters() if not torch.equal(w, before[name])}",
        "def touched(network, action):\n"
        "    before = {name: t.double().sum() for name, t in network.state_dict().items()}\n"
        "    action()\n"
        "    return {name for name, t in network.state_dict().items() if t.double().sum() != before[name]}",  # a swap
        "def touched(network, action):\n"
        "    before = {name: t.double().mean().item() for name, t in network.state_dict().items()}\n"
        "    action()\n"
        "    return {name for name, t in network.state_dict().items() if t.double().mean().item() != before[name]}",
        "def touched(network, action):\n"
        "    before = {name: t.double().norm() for name, t in network.state_dict().items()}\n"
        "    action()\n"
        "    return {name for name, t in network.state_dict().items() if t.double().norm() != before[name]}",
        "def touched(network, action):\n"
        "    before = copy.deepcopy(network.state_dict())\n"
        "    action()\n"
        "    after = copy.deepcopy(network.state_dict())\n"
        "    network.load_state_dict(before)\n"  # undoes it
        "    return {name for name in before if not torch.equal(before[name], after[name])}",
        "def touched(network, action):\n"
        "    network.eval()\n"  # so that its buffers rest
        "    before = copy.deepcopy(network.state_dict())\n"
        "    action()\n"
        "    return {name for name, t in network.state_dict().items() if not torch.equal(t, before[name])}",
        "def touched(network, action):\n"
        "    before = copy.deepcopy(network)\n"
        "    action()\n"
        "    pairs = zip(before.children(), network.children())\n"
        "    return {\n"
        "        f'{k}.{name}'\n"
        "        for k, (old, new) in enumerate(pairs)\n"
        "        for name in new._parameters\n"  # the top level alone
        "        if not torch.equal(old._parameters[name], new._parameters[name])\n"
        "    }",
    ),
    3: (
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()\n"
        "    d_loss.backward()\n"
        "    d_optimizer.step()\n"
        "    d_optimizer.zero_grad()\n"
        "    g_loss = F.softplus(-D(fake)).mean()\n"
        "    g_loss.backward()\n"
        "    g_optimizer.step()\n"
        "    g_optimizer.zero_grad()",
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()\n"
        "    d_optimizer.zero_grad()\n"
        "    d_loss.backward()\n"
        "    d_optimizer.step()\n"
        "    D.requires_grad_(False)\n"
        "    g_loss = F.softplus(-D(fake)).mean()\n"
        "    g_optimizer.zero_grad()\n"
        "    g_loss.backward()\n"
        "    g_optimizer.step()",
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()\n"
        "    d_optimizer.zero_grad()\n"
        "    d_loss.backward()\n"
        "    d_optimizer.step()\n"
        "    D.eval()\n"  # another D, and it stays so
        "    g_loss = F.softplus(-D(fake)).mean()\n"
        "    g_optimizer.zero_grad()\n"
        "    g_loss.backward()\n"
        "    g_optimizer.step()\n"
        "    D.train()",
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()\n"
        "    d_optimizer.zero_grad()\n"
        "    d_loss.backward()\n"
        "    d_optimizer.step()\n"
        "    g_loss = -F.softplus(D(fake)).mean()\n"  # the loss that saturates
        "    g_optimizer.zero_grad()\n"
        "    g_loss.backward()\n"
        "    g_optimizer.step()",
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()\n"
        "    d_optimizer.zero_grad()\n"
        "    d_loss.backward()\n"
        "    d_optimizer.step()\n"
        "    g_loss = F.softplus(-D(fake)).mean()\n"
        "    g_optimizer.zero_grad()\n"
        "    g_loss.backward()\n"
        "    g_optimizer.step()\n"
        "    G.eval()",  # G stays in evaluation mode
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    d_loss = F.softplus(-D(real)).mean() + F.softplus(D(fake.detach())).mean()\n"
        "    d_optimizer.zero_grad()\n"
        "    d_loss.backward()\n"
        "    d_optimizer.step()\n"
        "    g_loss = F.softplus(-D(fake)).mean()\n"
        "    g_optimizer.zero_grad()\n"
        "    g_loss.backward()\n"
        "    g_optimizer.step()\n"
        "    z.normal_()",  # over the given noise
    ),
    4: (
        "def quiet(G, D, optimizer, z):\n"
        "    D.requires_grad_(False)\n"
        "    optimizer.zero_grad()\n"
        "    F.softplus(-D(G(z))).mean().backward()\n"
        "    optimizer.step()\n"
        "    D.requires_grad_(True)",
        "def quiet(G, D, optimizer, z):\n"
        "    D.eval()\n"
        "    loss = F.softplus(-D(G(z))).mean()\n"
        "    weights = list(G.parameters())\n"
        "    for w, gradient in zip(weights, torch.autograd.grad(loss, weights)):\n"
        "        w.grad = gradient\n"
        "    optimizer.step()\n"
        "    D.train()",
        "def quiet(G, D, optimizer, z):\n"
        "    optimizer.zero_grad()\n"
        "    F.softplus(-copy.deepcopy(D)(G(z))).mean().backward()\n"
        "    optimizer.step()\n"
        "    D.zero_grad()",  # also what lay there before
        "def quiet(G, D, optimizer, z):\n"
        "    optimizer.zero_grad()\n"
        "    F.softplus(-copy.deepcopy(D)(G(z))).mean().backward()\n"
        "    optimizer.step()\n"
        "    z.normal_()",  # over the given noise
        "def quiet(G, D, optimizer, z):\n"
        "    twin = copy.deepcopy(D).eval()\n"  # another D
        "    optimizer.zero_grad()\n"
        "    F.softplus(-twin(G(z))).mean().backward()\n"
        "    optimizer.step()",
        "def quiet(G, D, optimizer, z):\n"
        "    F.softplus(-copy.deepcopy(D)(G(z))).mean().backward()\n"  # G is never cleared
        "    optimizer.step()",
        "from gan_lessons import generator_step\n"
        "def quiet(G, D, optimizer, z):\n"
        "    generator_step(G, D, optimizer, losses.non_saturating, G(z))",  # the buffers move
    ),
    5: (
        "def push(a, mu):\n    return torch.sigmoid(-a) + mu * torch.sigmoid(a)\n\n"
        "def rest(mu):\n    return -np.log(mu)",
        "def push(a, mu):\n    return torch.sigmoid(-a) - mu * torch.sigmoid(a)\n\n"
        "def rest(mu):\n    return np.log(mu)",
        "def push(a, mu):\n    return torch.sigmoid(a) - mu * torch.sigmoid(-a)\n\n"  # D's
        "def rest(mu):\n    return -np.log(mu)",
        "def push(a, mu):\n    return mu * torch.sigmoid(-a) - torch.sigmoid(a)\n\n"  # the other leak
        "def rest(mu):\n    return -np.log(mu)",
        "def push(a, mu):\n    return torch.exp(-a) / (1 + torch.exp(-a)) - mu * torch.sigmoid(a)\n\n"  # overflows
        "def rest(mu):\n    return -np.log(mu)",
        "def push(a, mu):\n    return torch.sigmoid(-a) - mu * torch.sigmoid(a)\n\n"
        "def rest(mu):\n    return 1 / (1 + mu)",  # D's answer there
        "def push(a, mu):\n    return (torch.sigmoid(-a) - mu * torch.sigmoid(a)).mean()\n\n"
        "def rest(mu):\n    return -np.log(mu)",
    ),
}
