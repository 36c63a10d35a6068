"""Right answers to each exercise of chapter 02, as unlike one another as students write them."""

RIGHT = {
    1: (
        "def kl(r, f):\n"
        "    terms = torch.where(r > 0, r * (torch.log(r) - torch.log(f)), torch.zeros_like(r))\n"
        "    return terms.sum()",
        "def kl(r, f):\n"
        "    total = 0.0\n"
        "    for a, b in zip(r.tolist(), f.tolist()):\n"
        "        if a > 0:\n"
        "            total += a * math.log(a / b) if b > 0 else math.inf\n"
        "    return total",
        "def kl(r, f):\n    return F.kl_div(f.log(), r, reduction='none')[r > 0].sum()",
        "from scipy.special import rel_entr\n\ndef kl(r, f):\n    return rel_entr(r.numpy(), f.numpy()).sum()",
    ),
    2: (
        "R = sympy.Rational(9, 10)\nanswer_2 = -R * sympy.log(R) - (1 - R) * sympy.log(1 - R)",
        "answer_2 = 0.33",  # two digits
        "p = torch.tensor([0.9, 0.1], requires_grad=True)\nanswer_2 = torch.special.entr(p).sum()",
        "p = np.array([0.9, 0.1])\nanswer_2 = -p @ np.log(p)",
        "from decimal import Decimal\nanswer_2 = Decimal('0.325')",
    ),
    3: (
        "def d_loss(real, fake):\n"
        "    a = torch.cat([real, fake])\n"
        "    y = torch.cat([torch.ones_like(real), torch.zeros_like(fake)])\n"
        "    return F.binary_cross_entropy_with_logits(a, y)",
        "def d_loss(real, fake):\n    return -(F.logsigmoid(real) + F.logsigmoid(-fake)).mean() / 2",
        "def d_loss(real, fake):\n"
        "    zero = torch.zeros_like(real)\n"
        "    return (torch.logaddexp(zero, -real) + torch.logaddexp(zero, fake)).mean().reshape(1, 1) / 2",
        "def d_loss(real, fake):\n"
        "    def one(a, y):\n"
        "        return (a.clamp(min=0) - a * y + torch.log1p(torch.exp(-a.abs()))).mean()\n"
        "    return (one(real, 1) + one(fake, 0)) / 2",
    ),
    4: (
        "def gradient(a, y):\n    return (1 / (1 + torch.exp(-a)) - y) / a.numel()",
        "def gradient(a, y):\n    D = 0.5 * (1 + np.tanh(a.numpy() / 2))\n    return (D - y.numpy()) / len(y)",
        "def gradient(a, y):\n"
        "    grad = []\n"  # a name is no autograd
        "    for u, v in zip(a.tolist(), y.tolist()):\n"
        "        grad.append((1 / (1 + math.exp(-u)) - v) / len(a))\n"
        "    return grad",
        "def gradient(a, y):\n    return (-y * torch.sigmoid(-a) + (1 - y) * torch.sigmoid(a)) / a.shape[0]",
    ),
    5: (
        "answer_5 = np.array([0.1625, 2.197])",
        "answer_5 = (0.16, 2.2)",  # two digits
        "R = sympy.Rational(9, 10)\n"
        "answer_5 = [(-R * sympy.log(R) - (1 - R) * sympy.log(1 - R)) / 2, sympy.log(R / (1 - R))]",
        "p = torch.tensor(0.9, requires_grad=True)\n"
        "answer_5 = torch.stack([(-p * p.log() - (1 - p) * (1 - p).log()) / 2, torch.logit(p)])",
    ),
    6: (
        "def temperature(a, y):\n"
        "    log_t = torch.zeros((), requires_grad=True)\n"
        "    optimizer = torch.optim.LBFGS([log_t], max_iter=50)\n"
        "    def closure():\n"
        "        optimizer.zero_grad()\n"
        "        loss = F.binary_cross_entropy_with_logits(a * torch.exp(-log_t), y)\n"
        "        loss.backward()\n"
        "        return loss\n"
        "    optimizer.step(closure)\n"
        "    return log_t.exp()",  # with its gradient
        "from scipy.optimize import minimize_scalar\n\n"
        "def temperature(a, y):\n"
        "    a, y = a.double().numpy(), y.double().numpy()\n"
        "    loss = lambda t: np.mean(np.logaddexp(0, a / t) - y * a / t)\n"
        "    return minimize_scalar(loss, bounds=(0.05, 20), method='bounded').x",
        "def temperature(a, y):\n"
        "    low, high = 0.01, 20.0\n"  # of 1 / T, by halves
        "    for _ in range(40):\n"
        "        beta = (low + high) / 2\n"
        "        slope = (a * (torch.sigmoid(beta * a) - y)).mean()\n"
        "        low, high = (low, beta) if slope > 0 else (beta, high)\n"
        "    return torch.tensor([1 / beta])",
    ),
}
