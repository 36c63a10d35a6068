"""Two typical wrong answers to each exercise of chapter 10."""

WRONG = {
    1: (
        'answer_1 = ({"G weights", "G .grad", "D buffers"}, {"G weights", "G .grad", "D weights", "D .grad"})',
        'answer_1 = ({"G weights", "G .grad"}, {"G weights", "G .grad", "D weights", "D .grad"})',
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
    ),
    5: (
        "def push(a, mu):\n    return torch.sigmoid(-a) + mu * torch.sigmoid(a)\n\n"
        "def rest(mu):\n    return -np.log(mu)",
        "def push(a, mu):\n    return torch.sigmoid(-a) - mu * torch.sigmoid(a)\n\n"
        "def rest(mu):\n    return np.log(mu)",
    ),
}
