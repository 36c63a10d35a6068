"""Right answers to each exercise of chapter 10, as unlike one another as students write them."""

RIGHT = {
    1: (
        'answer_1 = [["G weights", "G .grad"], ["G .grad", "G weights", "D .grad", "D buffers", "D weights"]]',
        'answer_1 = (frozenset({"g weights ", "G.grad"}), {f"D {t}" for t in ("weights", "buffers", ".grad")} '
        '| {"G weights", "G .grad"})',
        'a = {"G weights", "G .grad", "G memory"}\n'  # as `moved` finds them, with the memory
        'answer_1 = a, a | {"D weights", "D buffers", "D .grad", "D memory"}',
        'answer_1 = np.array(["G weights", "G .grad"]), tuple(\n'
        '    f"{who} {trace}"\n'
        '    for who in "GD"\n'
        '    for trace in ("weights", "buffers", ".grad")\n'
        '    if (who, trace) != ("G", "buffers")\n'
        ")",
    ),
    2: (
        "def touched(network, action):\n"
        "    before = copy.deepcopy(network.state_dict())\n"
        "    action()\n"
        "    return [k for k, v in network.state_dict().items() if (v != before[k]).any()]",  # a list
        "def touched(network, action):\n"
        "    def prints():\n"
        "        return {(k, hashlib.sha256(v.numpy().tobytes()).digest()) for k, v in network.state_dict().items()}\n"
        "    before = prints()\n"
        "    action()\n"
        "    return {name for name, _ in prints() - before}",
        "def touched(network, action):\n"
        "    def things():\n"
        "        return dict([*network.named_parameters(), *network.named_buffers()])\n"
        "    before = {name: t.detach().numpy().copy() for name, t in things().items()}\n"
        "    action()\n"
        "    for name, t in things().items():\n"
        "        if not np.array_equal(t.detach().numpy(), before[name]):\n"
        "            yield name",  # one by one
        "def touched(network, action):\n"
        "    twin = copy.deepcopy(network)\n"
        "    action()\n"
        "    pairs = zip(twin.state_dict().values(), network.state_dict().items())\n"
        "    return frozenset(name for old, (name, new) in pairs if old.tolist() != new.tolist())",
    ),
    3: (
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    with torch.no_grad():\n"
        "        shown = G(z)\n"
        "    d_optimizer.zero_grad()\n"
        "    F.softplus(-D(real)).mean().backward()\n"  # one half after the other
        "    F.softplus(D(shown)).mean().backward()\n"
        "    d_optimizer.step()\n"
        "    for w in D.parameters():\n"
        "        w.requires_grad = False\n"
        "    g_optimizer.zero_grad()\n"
        "    F.softplus(-D(G(z))).mean().backward()\n"  # drawn again
        "    g_optimizer.step()\n"
        "    for w in D.parameters():\n"
        "        w.requires_grad = True",
        "from gan_lessons import discriminator_step, generator_step\n"
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    discriminator_step(D, d_optimizer, losses.non_saturating, real, fake.detach())\n"
        "    generator_step(G, D, g_optimizer, losses.non_saturating, fake)",  # the package's
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    fake = G(z)\n"
        "    real_logits, fake_logits = D(real), D(fake.detach())\n"
        "    bce = F.binary_cross_entropy_with_logits\n"
        "    loss = bce(real_logits, torch.ones_like(real_logits)) + bce(fake_logits, torch.zeros_like(fake_logits))\n"
        "    D.zero_grad()\n"
        "    loss.backward()\n"
        "    d_optimizer.step()\n"
        "    logits = D(fake)\n"
        "    G.zero_grad()\n"
        "    bce(logits, torch.ones_like(logits)).backward(inputs=list(G.parameters()))\n"
        "    g_optimizer.step()",
        "def mended(G, D, g_optimizer, d_optimizer, real, z):\n"
        "    for player, optimizer in ((D, d_optimizer), (G, g_optimizer)):\n"
        "        fake = G(z)\n"
        "        loss = F.softplus(-D(real)).mean() + F.softplus(D(fake)).mean() if player is D else None\n"
        "        loss = F.softplus(-D(fake)).mean() if loss is None else loss\n"
        "        weights = list(player.parameters())\n"
        "        for w, gradient in zip(weights, torch.autograd.grad(loss, weights)):\n"
        "            w.grad = gradient\n"
        "        optimizer.step()",
    ),
    4: (
        "def quiet(G, D, optimizer, z):\n"
        "    optimizer.zero_grad()\n"
        "    F.softplus(-copy.deepcopy(D)(G(z))).mean().backward()\n"
        "    optimizer.step()",
        "def quiet(G, D, optimizer, z):\n"
        "    state = {k: v.detach().clone() for k, v in D.state_dict().items()}\n"
        "    optimizer.zero_grad()\n"
        "    a = torch.func.functional_call(D, state, G(z))\n"
        "    F.softplus(-a).mean().backward()\n"
        "    optimizer.step()",
        "def quiet(G, D, optimizer, z):\n"
        "    kept = copy.deepcopy(D.state_dict())\n"
        "    flags = [w.requires_grad for w in D.parameters()]\n"
        "    D.requires_grad_(False)\n"
        "    optimizer.zero_grad()\n"
        "    F.softplus(-D(G(z))).mean().backward()\n"
        "    optimizer.step()\n"
        "    D.load_state_dict(kept)\n"
        "    for w, flag in zip(D.parameters(), flags):\n"
        "        w.requires_grad_(flag)",
        "from gan_lessons import generator_step\n"
        "def quiet(G, D, optimizer, z):\n"
        "    kept = [b.clone() for b in D.buffers()]\n"
        "    generator_step(G, D, optimizer, losses.non_saturating, G(z))\n"  # the package's, and the buffers put back
        "    for b, old in zip(D.buffers(), kept):\n"
        "        b.data = old",
    ),
    5: (
        "def push(a, mu):\n    return 1 / (1 + np.exp(a.double().numpy())) - mu / (1 + np.exp(-a.double().numpy()))\n\n"
        "def rest(mu):\n    return np.log(1 / mu)",
        "def push(a, mu):\n"
        "    a = a.detach().clone().requires_grad_()\n"
        "    (slope,) = torch.autograd.grad((F.softplus(-a) + mu * F.softplus(a)).sum(), a)\n"
        "    return -slope\n\n"
        "def rest(mu):\n"
        "    low, high = -50.0, 50.0\n"
        "    for _ in range(60):\n"
        "        a = (low + high) / 2\n"
        "        low, high = (a, high) if push(torch.tensor(a, dtype=torch.float64), mu) > 0 else (low, a)\n"
        "    return torch.tensor(low)",
        "import math\n\ndef push(a, mu):\n    return 1 / (1 + math.exp(a)) - mu / (1 + math.exp(-a))\n\n"
        "def rest(mu):\n    return -torch.log(mu)",  # of tensors only
        "def push(a, mu):\n    return 1 - (1 + mu) * torch.sigmoid(a)\n\n"
        "def rest(mu):\n    return torch.logit(torch.tensor(1 / (1 + mu), dtype=torch.float64, requires_grad=True))",
    ),
}
