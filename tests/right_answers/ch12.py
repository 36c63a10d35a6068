"""Right answers to each exercise of chapter 12, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = (0.65, 1.39)",  # two decimals
        "answer_1 = [0.65, 1.4]",  # two digits
        "p = torch.tensor([0.9, 0.1], requires_grad=True)\n"
        "answer_1 = torch.stack([2 * torch.special.entr(p).sum(), 2 * torch.tensor(2.0).log()])",
        "from scipy.stats import entropy\nanswer_1 = np.array([[2 * entropy([0.9, 0.1])], [2 * entropy([0.5, 0.5])]])",
        "import sympy\n"
        "R = sympy.Rational(9, 10)\n"
        "answer_1 = (-2 * R * sympy.log(R) - 2 * (1 - R) * sympy.log(1 - R), sympy.log(4))",
    ),
    2: (
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    return torch.logit(beta + (alpha - beta) * torch.sigmoid(log_p - log_q))",
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    p, q = log_p.double().numpy(), log_q.double().numpy()\n"
        "    u = np.logaddexp(np.log(alpha) + p, np.log(beta) + q)\n"
        "    return u - np.logaddexp(np.log(1 - alpha) + p, np.log(1 - beta) + q)",
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    top = torch.maximum(log_p, log_q)\n"
        "    p, q = torch.exp(log_p - top), torch.exp(log_q - top)\n"
        "    return torch.log(alpha * p + beta * q) - torch.log((1 - alpha) * p + (1 - beta) * q)",
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    def one(s, t):\n"
        "        m = max(s, t)\n"
        "        p, q = math.exp(s - m), math.exp(t - m)\n"
        "        return math.log((alpha * p + beta * q) / ((1 - alpha) * p + (1 - beta) * q))\n"
        "    return [one(s, t) for s, t in zip(log_p.tolist(), log_q.tolist())]",  # one place after the other
        "def best_logit(log_p, log_q, alpha, beta):\n"
        "    weights = torch.tensor([[alpha, beta], [1 - alpha, 1 - beta]]).log()\n"
        "    both = torch.stack([log_p, log_q], -1)\n"
        "    u, v = (torch.logsumexp(both + row, -1) for row in weights)\n"
        "    return (u - v).requires_grad_()",
    ),
    3: (
        "def floor(p, q, alpha, beta):\n"
        "    D = torch.where(p + q > 0, (alpha * p + beta * q) / (p + q), 0.5)\n"
        "    return ((p + q) * (torch.special.entr(D) + torch.special.entr(1 - D))).sum()",
        "def floor(p, q, alpha, beta):\n"
        "    total = 0\n"
        "    for a, b in zip(p.tolist(), q.tolist()):\n"
        "        if a + b > 0:\n"
        "            D = (alpha * a + beta * b) / (a + b)\n"
        "            total -= (a + b) * sum(x * math.log(x) for x in (D, 1 - D) if x > 0)\n"
        "    return total",
        "def floor(p, q, alpha, beta):\n"
        "    from scipy.special import entr\n"
        "    p, q = p.double().numpy(), q.double().numpy()\n"
        "    u, v = alpha * p + beta * q, (1 - alpha) * p + (1 - beta) * q\n"
        "    return np.array([(entr(u) + entr(v) - entr(p + q)).sum()])",
        "def floor(p, q, alpha, beta):\n"
        "    seen = (p + q) > 0\n"
        "    p, q = p[seen], q[seen]\n"
        "    D = (alpha * p + beta * q) / (p + q)\n"
        "    on_real = -torch.xlogy(alpha, D) - torch.xlogy(1 - alpha, 1 - D)\n"
        "    on_fake = -torch.xlogy(beta, D) - torch.xlogy(1 - beta, 1 - D)\n"
        "    return (torch.where(p > 0, p * on_real, 0) + torch.where(q > 0, q * on_fake, 0)).sum()",
    ),
    4: (
        "def one_sided(real, fake, alpha):\n"
        "    on_real = F.binary_cross_entropy_with_logits(real, torch.full_like(real, alpha))\n"
        "    return on_real + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))",
        "def one_sided(real, fake, alpha):\n"
        "    return F.softplus(real).mean() - alpha * real.mean() + F.softplus(fake).mean()",
        "def one_sided(real, fake, alpha):\n"
        "    on_real = alpha * F.logsigmoid(real) + (1 - alpha) * F.logsigmoid(-real)\n"
        "    return -(on_real + F.logsigmoid(-fake)).mean().reshape(1, 1)",
        "from gan_lessons import losses\n\n"
        "def one_sided(real, fake, alpha):\n    return losses.smoothed(alpha, 0.0).d_loss(real, fake)",
        "def one_sided(real, fake, alpha):\n"
        "    zero = torch.zeros_like(real)\n"
        "    on_real = alpha * torch.logaddexp(zero, -real) + (1 - alpha) * torch.logaddexp(zero, real)\n"
        "    return on_real.sum() / len(real) + torch.logaddexp(zero, fake).sum() / len(fake)",
    ),
    5: (
        "answer_5 = (0.0741, 0.899)",  # three digits
        "from fractions import Fraction\nanswer_5 = [Fraction(8, 108), Fraction(891, 991)]",
        "r = torch.tensor(0.01, dtype=torch.float64, requires_grad=True)\n"
        "slope = lambda y: torch.autograd.grad(y, r)[0]\n"
        "answer_5 = torch.stack([slope((0.1 + 0.8 * r).log()) / slope(r.log()),\n"
        "                        slope((1 - 0.9 * r).log()) / slope((1 - r).log())])",
        "import sympy\n"
        "r = sympy.Symbol('r')\n"
        "pull = lambda soft, hard: (sympy.diff(sympy.log(soft), r) / sympy.diff(sympy.log(hard), r)).subs(r, 0.01)\n"
        "answer_5 = (pull(0.1 + 0.8 * r, r), pull(1 - 0.9 * r, 1 - r))",
        "answer_5 = np.array([0.0741, 0.899])",
    ),
    6: (
        "def targets(d_loss):\n"
        "    zero, h = torch.zeros(1, 1, dtype=torch.float64), 1e-4\n"
        "    a = (d_loss(zero + h, zero) - d_loss(zero - h, zero)) / (2 * h)\n"
        "    b = (d_loss(zero, zero + h) - d_loss(zero, zero - h)) / (2 * h)\n"
        "    return np.array([0.5 - float(a), 0.5 - float(b)])",
        "def targets(d_loss):\n"
        "    a, b = torch.zeros(64, 1, requires_grad=True), torch.zeros(64, 1, requires_grad=True)\n"
        "    d_loss(a, b).backward()\n"
        "    return torch.cat([0.5 - a.grad.sum()[None], 0.5 - b.grad.sum()[None]])",
        "def targets(d_loss):\n"
        "    far, zero = torch.full((1, 1), 1000.0), torch.zeros(1, 1)\n"
        "    rest = d_loss(zero, zero) / 2\n"
        "    return [1 - (d_loss(far, zero) - rest) / 1000, 1 - (d_loss(zero, far) - rest) / 1000]",  # far out
        "def targets(d_loss):\n"
        "    a = torch.zeros(2, 1, 1, requires_grad=True)\n"
        "    optimizer = torch.optim.Adam([a], lr=0.3)\n"
        "    for _ in range(150):\n"
        "        optimizer.zero_grad()\n"
        "        d_loss(a[0], a[1]).backward()\n"
        "        optimizer.step()\n"
        "    return tuple(round(v, 3) for v in torch.sigmoid(a).flatten().tolist())",  # trains a forecast
        "from scipy.optimize import minimize\n\n"
        "def targets(d_loss):\n"
        "    loss = lambda v: float(d_loss(torch.tensor([[v[0]]]), torch.tensor([[v[1]]])))\n"
        "    best = minimize(loss, np.zeros(2), bounds=[(-8, 8)] * 2).x\n"
        "    return 1 / (1 + np.exp(-best))",
    ),
}
