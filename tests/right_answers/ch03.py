"""Right answers to each exercise of chapter 03, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = 0.14",  # two digits
        "answer_1 = (sympy.log(4) - sympy.Rational(11, 10)) / 2",
        "loss = torch.tensor([1.10], requires_grad=True)\nanswer_1 = math.log(2) - loss / 2",
        "answer_1 = np.array((np.log(4) - 1.1) / 2)",
        "from fractions import Fraction\nanswer_1 = Fraction(1431, 10_000)",
    ),
    2: (
        "def best_D(p, q, prior):\n    return torch.sigmoid(p.log() - q.log() + math.log(prior) - math.log1p(-prior))",
        "def best_D(p, q, prior):\n    return 1 / (1 + (1 - prior) * q / (prior * p))",
        "def best_D(p, q, prior):\n"
        "    both = np.stack([prior * p.numpy(), (1 - prior) * q.numpy()])\n"
        "    return (both / both.sum(0))[0]",
        "def best_D(p, q, prior):\n"
        "    flat = zip(p.flatten().tolist(), q.flatten().tolist())\n"
        "    D = [prior * a / (prior * a + (1 - prior) * b) for a, b in flat]\n"
        "    return torch.tensor(D, dtype=torch.float64, requires_grad=True).reshape(p.shape)",
    ),
    3: (
        "def best_value(p, q):\n    return 2 * theory.js(p, q) - math.log(4)",  # of the package
        "def best_value(p, q):\n"
        "    total = 0.0\n"
        "    for a, b in zip(p.tolist(), q.tolist()):\n"
        "        if a > 0:\n"
        "            total += a * math.log(a / (a + b))\n"
        "        if b > 0:\n"
        "            total += b * math.log(b / (a + b))\n"
        "    return total",
        "def best_value(p, q):\n"
        "    some = p + q > 0\n"
        "    p, q = p[some], q[some]\n"
        "    D = p / (p + q)\n"
        "    return (torch.xlogy(p, D) + torch.xlogy(q, 1 - D)).sum()[None]",
        "from scipy.special import rel_entr\n\n"
        "def best_value(p, q):\n"
        "    p, q = p.numpy(), q.numpy()\n"
        "    return rel_entr(p, p + q).sum() + rel_entr(q, p + q).sum()",
    ),
    4: (
        "def weights(a):\n    return [1 / (1 + torch.exp(-a)), 1 / (1 + torch.exp(a))]",
        "def weights(a):\n    return torch.stack([F.logsigmoid(a).exp(), F.logsigmoid(-a).exp()])",
        "def weights(a):\n"
        "    a = a.clone().requires_grad_()\n"
        "    (saturating,) = grad(F.softplus(a).sum(), a)\n"
        "    (non_saturating,) = grad(F.softplus(-a).sum(), a)\n"
        "    return saturating, -non_saturating",
        "def weights(a):\n    D = lambda a: 1 / (1 + np.exp(-a.numpy()))\n    return np.stack([D(a), D(-a)])",
        "def weights(a):\n    return torch.sigmoid(a), torch.exp(-F.softplus(a))",
    ),
    5: (
        "answer_5 = (0.5, -1.39, 0.34)",  # two digits
        "answer_5 = np.array([0.5, -np.log(4), 0.3368])",
        "x = torch.linspace(-9, 9, 2001)\n"
        "p, q = (torch.exp(-0.5 * (x - m) ** 2) / math.sqrt(2 * math.pi) for m in (1.0, -1.0))\n"
        "answer_5 = torch.stack([torch.tensor(0.5), -torch.tensor(4.0).log(), theory.js_quadrature(p, q, x)])",
        "answer_5 = [sympy.Rational(1, 2), -sympy.log(4), 0.337]",
    ),
    6: (
        "def closest(distance, p, x):\n"  # all at once
        "    means = torch.arange(-4, 4.01, 0.1, dtype=torch.float64)\n"
        "    stds = torch.arange(0.2, 3.01, 0.1, dtype=torch.float64)\n"
        "    found = []\n"
        "    for mean in means:\n"
        "        q = torch.exp(-0.5 * ((x - mean) / stds[:, None]) ** 2) / (stds[:, None] * math.sqrt(2 * math.pi))\n"
        "        d = distance(p, q)\n"
        "        found.append((float(d.min()), float(mean), float(stds[d.argmin()])))\n"
        "    return np.array(min(found)[1:])",
        "from scipy import optimize, stats\n\n"
        "def closest(distance, p, x):\n"  # densities as arrays
        "    def cost(both):\n"
        "        q = stats.norm.pdf(x.numpy(), both[0], max(both[1], 0.05))\n"
        "        return float(distance(p, q))\n"
        "    starts = [(-2, 0.5), (0, 1.5), (2, 0.5)]\n"
        "    tries = [optimize.minimize(cost, s, method='Nelder-Mead', options={'maxiter': 80}) for s in starts]\n"
        "    return min(tries, key=lambda one: one.fun).x",
        "def closest(distance, p, x):\n"  # downhill, from several places
        "    found = []\n"
        "    for start in (-2.0, 0.0, 2.0):\n"
        "        both = torch.tensor([start, 0.0], dtype=torch.float64, requires_grad=True)\n"
        "        optimizer = torch.optim.LBFGS([both], max_iter=40, line_search_fn='strong_wolfe')\n"
        "        def loss():\n"
        "            optimizer.zero_grad()\n"
        "            mean, std = both[0], both[1].exp()\n"
        "            q = torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))\n"
        "            value = distance(p, q)\n"
        "            value.backward()\n"
        "            return value\n"
        "        optimizer.step(loss)\n"
        "        found.append((float(loss().detach()), both[0], both[1].exp()))\n"
        "    return min(found, key=lambda one: one[0])[1:]",  # with their gradients
    ),
}
