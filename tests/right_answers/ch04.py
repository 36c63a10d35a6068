"""Right answers to each exercise of chapter 04, as unlike one another as students write them."""

ROUND = "def one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k):\n"

RIGHT = {
    1: (
        "answer_1 = 1.7",  # two digits
        "from fractions import Fraction\nanswer_1 = Fraction(5, 3)",
        "z = torch.tensor([0.3, -0.3], requires_grad=True)\n"
        "(slope,) = torch.autograd.grad((3 + z**2).sum(), z)\n"
        "answer_1 = (0.5 / slope.abs()).sum()",
        "import sympy\nx = sympy.Symbol('x')\nanswer_1 = sympy.diff(sympy.sqrt(x - 3), x).subs(x, 3.09)",
        "z = np.linspace(-1, 1, 2_000_001)\nanswer_1 = np.mean(np.abs(3 + z**2 - 3.09) < 0.001) / 0.002",  # counted
    ),
    2: (
        ROUND + "    bce = F.binary_cross_entropy_with_logits\n"
        "    for _ in range(k):\n"
        "        fake = G(draw_z()).detach()\n"
        "        a, b = D(draw_x()), D(fake)\n"
        "        d_optimizer.zero_grad()\n"
        "        (bce(a, torch.ones_like(a)) + bce(b, torch.zeros_like(b))).backward()\n"
        "        d_optimizer.step()\n"
        "    b = D(G(draw_z()))\n"  # new forgeries
        "    g_optimizer.zero_grad()\n"
        "    (-bce(b, torch.zeros_like(b))).backward()\n"
        "    g_optimizer.step()",
        ROUND + "    for _ in range(k):\n"
        "        with torch.no_grad():\n"
        "            z = draw_z()\n"
        "            fake = G(z)\n"
        "        loss = F.softplus(-D(draw_x())).mean() + F.softplus(D(fake)).mean()\n"
        "        for p, g in zip(D.parameters(), torch.autograd.grad(loss, D.parameters())):\n"
        "            p.grad = g\n"
        "        d_optimizer.step()\n"
        "    loss = -F.softplus(D(G(z))).mean()\n"
        "    for p, g in zip(G.parameters(), torch.autograd.grad(loss, G.parameters())):\n"
        "        p.grad = g\n"
        "    g_optimizer.step()",
        ROUND + "    for _ in range(k):\n"
        "        real, forged = draw_x(), G(draw_z())\n"
        "        logits = D(torch.cat([real, forged.detach()]))\n"
        "        a, b = logits.split([len(real), len(forged)])\n"
        "        D.zero_grad()\n"
        "        (torch.log1p(torch.exp(-a.abs())) + (-a).clamp(min=0) + F.softplus(b)).mean().backward()\n"
        "        d_optimizer.step()\n"
        "    D.requires_grad_(False)\n"
        "    G.zero_grad()\n"
        "    F.logsigmoid(-D(forged)).mean().backward()\n"
        "    D.requires_grad_(True)\n"
        "    g_optimizer.step()",
        "def one_round(G, D, draw_x, draw_z, d_optimizer, g_optimizer, k):\n"
        "    def V(forged, real):\n"
        "        return F.logsigmoid(D(real)).mean() + F.logsigmoid(-D(forged)).mean()\n"
        "    while k:\n"
        "        k -= 1\n"
        "        forged, real = G(draw_z()), draw_x()\n"
        "        d_optimizer.zero_grad(), g_optimizer.zero_grad()\n"
        "        (-V(forged.detach(), real)).backward()\n"
        "        d_optimizer.step()\n"
        "    g_optimizer.zero_grad()\n"
        "    V(forged, real).backward()\n"  # all of V, on the notes that D saw
        "    g_optimizer.step()",
    ),
    3: (
        "answer_3 = [0.33, -1, 1]",  # two digits
        "answer_3 = np.array([1 / 3, -1, 1])",
        "from fractions import Fraction\nanswer_3 = (Fraction(1, 3), 'left', 'Right ')",
        "x = torch.tensor([3.0, 3.6], requires_grad=True)\n"
        "p, q = (torch.distributions.Normal(m, s).log_prob(x) for m, s in ((4.0, 0.5), (3.5, 0.25)))\n"
        "(slope,) = torch.autograd.grad((p - q).sum(), x)\n"
        "answer_3 = torch.cat([torch.sigmoid(p - q)[:1], slope.sign()])",  # with a gradient
    ),
    4: (
        'answer_4 = {"a": "K5 slow", "b": "k1 slow ", "c": "K5 Fast"}',
        'answer_4 = {"C": "k5  fast", "A": "k5_slow", "B": "k=1, slow"}',
        'answer_4 = dict(zip("ABC", np.array(["k5 slow", "k1 slow", "k5 fast"])))',
        'names = list(games)\nanswer_4 = {"A": names[1], "B": names[0], "C": names[3]}',
    ),
    5: (
        "answer_5 = 420",  # two digits
        "import sympy\nanswer_5 = 4 * sympy.pi / sympy.sqrt(sympy.Rational(9, 100) / 100)",
        "rates = torch.tensor([0.09, 0.01], requires_grad=True)\nanswer_5 = 4 * math.pi / rates.prod().sqrt()",
        "theta, w, ups = 0.01, 0.0, []\n"  # counted in the game
        "for n in range(2000):\n"
        "    w, before = w - 0.09 * theta / 2, theta\n"
        "    theta += 0.01 * w / 2\n"
        "    if theta > 0 >= before:\n"
        "        ups.append(n)\n"
        "answer_5 = np.diff(ups)[0]",
    ),
    6: (
        'answer_6 = {"d_lr": 8e-3, "g_lr": 2e-3, "beta1": 0.5}',  # the chapter's own: k1 two rates
        "from fractions import Fraction\n"
        'answer_6 = {"g_lr": Fraction(1, 50), "D_lr": Fraction(1, 50), " beta1": 0}',  # fast, without momentum
        "rate = torch.tensor([5e-3], requires_grad=True)\n"
        'answer_6 = {"d_lr": rate, "g_lr": np.float32(1e-3), "beta1": np.array(0.5)}',
    ),
}
