"""Right answers to each exercise of chapter 13, as unlike one another as students write them."""

RIGHT = {
    1: (
        "def strict(which, distance, weights, part):\n"
        "    captured = 0\n"
        "    for k, w in enumerate(weights.tolist()):\n"
        "        good = sum(1 for m, d in zip(which.tolist(), distance.tolist()) if m == k and d <= 3)\n"
        "        captured += good >= part * len(which) * w\n"
        "    return captured",
        "def strict(which, distance, weights, part):\n"
        "    which, distance, weights = which.numpy(), distance.numpy(), weights.numpy()\n"
        "    good = np.bincount(which, weights=distance <= 3, minlength=weights.size)\n"
        "    return np.count_nonzero(good >= part * which.size * weights)",
        "def strict(which, distance, weights, part):\n"
        "    hits = torch.nn.functional.one_hot(which, len(weights)) * (distance <= 3)[:, None]\n"
        "    return (hits.sum(0) / len(which) >= part * weights).sum()",
        "def strict(which, distance, weights, part):\n"
        "    from gan_lessons.metrics import modes\n"
        "    good = torch.bincount(which[~(distance > 3)], minlength=len(weights))\n"
        "    return modes.expected_share(good, len(which), weights, part).sum().reshape(1, 1)",
    ),
    2: (
        "def by_luck(a, K, n):\n"
        "    miss = math.log1p(-a / K) if a < K else -math.inf\n"
        "    return K * -math.expm1(n * miss)",
        "def by_luck(a, K, n):\n"
        "    with np.errstate(divide='ignore'):\n"
        "        return -K * np.expm1(n * np.log1p(-np.float64(a) / K))",  # of -inf NumPy knows
        "def by_luck(a, K, n):\n"
        "    hits = torch.full((K,), a / K, dtype=torch.float64, requires_grad=True)\n"
        "    return -torch.expm1(n * torch.log1p(-hits)).sum()",
        "from decimal import Decimal, localcontext\n\n"
        "def by_luck(a, K, n):\n"
        "    with localcontext() as context:\n"
        "        context.prec = 60\n"
        "        return K * (1 - (1 - Decimal(a) / K) ** n)",
        "def by_luck(a, K, n):\n    return -K * torch.expm1(n * torch.log1p(torch.tensor([-a / K])))",  # float32
    ),
    3: (
        "answer_3 = (0.69, 500)",  # two digits
        "answer_3 = [0.69, 0.69 / 0.0014]",  # goes on with two digits
        "q = torch.tensor([0.25] * 4, requires_grad=True)\n"
        "kl = (q * (q / 0.125).log()).sum()\n"
        "answer_3 = torch.stack([kl, kl / (7 / 5000)])",
        "import sympy\nanswer_3 = (sympy.log(2), sympy.log(2) / sympy.Rational(7, 5000))",
        "from scipy.stats import entropy\n"
        "kl = entropy([0.25] * 4 + [0] * 4, [0.125] * 8)\n"
        "answer_3 = np.array([kl, kl / (7 / 5000)])",
    ),
    4: (
        "def with_deviation(x):\n"
        "    mean = x.mean(dim=-2, keepdim=True)\n"
        "    spread = torch.sqrt(((x - mean) ** 2).mean(dim=-2, keepdim=True) + 1e-9)\n"
        "    return torch.cat([x, spread.repeat_interleave(x.shape[-2], dim=-2)], dim=-1)",
        "def with_deviation(x):\n"
        "    if x.ndim == 3:\n"
        "        return torch.stack([with_deviation(one) for one in x])\n"
        "    spread = torch.stack([column.std(unbiased=False) for column in x.T])\n"  # torch takes the slope 0
        "    return torch.hstack([x, spread.repeat(len(x), 1)])",
        "class Beside(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        variance = x.var(-2, keepdim=True, correction=0)\n"
        "        spread = torch.where(variance > 0, variance, 1.0).sqrt() * (variance > 0)\n"
        "        return torch.cat([x, spread.expand_as(x)], -1)\n\n"
        "with_deviation = Beside()",
        "def with_deviation(x):\n"
        "    n, d = x.shape[-2:]\n"
        "    result = x.new_empty(*x.shape[:-1], 2 * d)\n"
        "    result[..., :d] = x\n"
        "    centred = x - x.mean(-2, keepdim=True)\n"
        "    result[..., d:] = torch.linalg.vector_norm(centred, dim=-2, keepdim=True) / n**0.5\n"
        "    return result",  # the norm's slope at 0 is 0
    ),
    5: (
        "answer_5 = (0.019, 50, 0.36)",  # two digits
        "from fractions import Fraction\nanswer_5 = [Fraction(999, 52_000), 1 / Fraction(2, 100), math.log(10 / 7)]",
        "answer_5 = np.array([0.0192, 50, 0.357])",
        "answer_5 = torch.tensor([999 / 52_000, 1 / 0.02, math.log(10) - math.log(7)], requires_grad=True)",
        "import sympy\nanswer_5 = (sympy.Rational(999, 52_000), sympy.Integer(50), sympy.log(sympy.Rational(10, 7)))",
    ),
    6: (
        "def fraud(n, means, stds):\n"
        "    means, stds = means.numpy(), stds.numpy()\n"
        "    which = np.arange(n) % len(means)\n"
        "    far = np.arange(n) % 83 == 1\n"
        "    return means[which] + np.where(far, 4, 1)[:, None] * stds[which, None] * np.array([0.0, 1.0])",
        "def fraud(n, means, stds):\n"
        "    points = []\n"
        "    for k in range(n):\n"
        "        x, y = means[k % len(means)].tolist()\n"
        "        points.append([x + (6 * float(stds[0]) if k % 91 == 0 else 0.0), y])\n"
        "    return points",
        "def fraud(n, means, stds):\n"
        "    which = torch.arange(n) % len(means)\n"
        "    angle = torch.tensor([0.0, 1.0, 2.0])[torch.arange(n) // len(means) % 3]\n"  # three places each
        "    around = torch.stack([angle.cos(), angle.sin()], 1)\n"
        "    far = torch.where(torch.arange(n) % 90 == 0, 9.0, 1.5)[:, None]\n"
        "    around = torch.where(far > 3, torch.tensor([1.0, 0.0]), around)\n"
        "    return (means[which] + far * stds[which, None] * around).requires_grad_()",
        "def fraud(n, means, stds):\n"
        "    dice = torch.Generator().manual_seed(13)\n"
        "    which = torch.randint(len(means), (n,), generator=dice)\n"  # kinds by lot
        "    far = torch.arange(n) % 90 == 0\n"
        "    return means[which] + torch.where(far, 5.0, 0.0)[:, None] * stds[which, None]",
    ),
}
