"""Typical wrong answers to each exercise of chapter 13, three or more."""

WRONG = {
    1: (
        "def strict(which, distance, weights, part):\n"
        "    good = torch.bincount(which[distance <= 3], minlength=len(weights))\n"
        "    return int((good >= part * good.sum() * weights).sum())",  # of the good ones alone
        "def strict(which, distance, weights, part):\n"
        "    return int((torch.bincount(which, minlength=len(weights)) >= part * len(which) * weights).sum())",
        "def strict(which, distance, weights, part):\n"
        "    good = torch.bincount(which[distance < 3], minlength=len(weights))\n"  # 3 itself is within
        "    return int((good >= part * len(which) * weights).sum())",
        "def strict(which, distance, weights, part):\n"
        "    good = torch.bincount(which[distance <= 3], minlength=len(weights))\n"
        "    return int((good > part * len(which) * weights).sum())",
        "def strict(which, distance, weights, part):\n"
        "    good = torch.bincount(which[distance <= 3], minlength=len(weights))\n"
        "    return int((good >= 0.5 * len(which) * weights).sum())",  # the page's half, whatever part is
        "def strict(which, distance, weights, part):\n"
        "    good = torch.bincount(which[distance <= 3], minlength=len(weights))\n"
        "    return int((good >= part * len(which) / len(weights)).sum())",
    ),
    2: (
        "def by_luck(a, K, n):\n    return K * (1 - (1 - a) ** n)",
        "def by_luck(a, K, n):\n    return K * (1 - (1 - a / K) ** n)",  # loses tiny shares
        "def by_luck(a, K, n):\n    return -K * math.expm1(n * math.log1p(-a / K))",  # log 0 at a = K
        "def by_luck(a, K, n):\n    return -K * math.expm1(-n * a / K)",  # only for rare ones
        "def by_luck(a, K, n):\n    return K if a == K else K * (1 - math.exp(n * math.log1p(-a / K)))",
    ),
    3: (
        "answer_3 = (1.0, 1 / (7 / 5000))",  # bits
        "answer_3 = (math.log(2), math.log(2) / (7 / 2500))",  # no 2 in the floor
        "answer_3 = (0.69, 0.69 / (8 / 5000))",  # K in place of K - 1
        "answer_3 = torch.tensor([math.inf, math.inf])",  # the other direction
        "answer_3 = (math.log(2), 0.0014)",  # the floor itself
    ),
    4: (
        "def with_deviation(x):\n    return torch.cat([x, x.std(0, correction=0).expand_as(x)], -1)",  # mixes the seeds
        "def with_deviation(x):\n"
        "    return torch.cat([x, x.var(-2, keepdim=True, correction=0).sqrt().expand_as(x)], -1)",  # slope at 0
        "def with_deviation(x):\n"
        "    spread = x.detach().std(-2, keepdim=True, correction=0)\n"  # no gradient through it
        "    return torch.cat([x, spread.expand_as(x)], -1)",
        "def with_deviation(x):\n    return torch.cat([x, x.std(-2, keepdim=True).expand_as(x)], -1)",  # n - 1
        "def with_deviation(x):\n"
        "    variance = (x**2).mean(-2, keepdim=True) - x.mean(-2, keepdim=True) ** 2\n"  # may come out negative
        "    return torch.cat([x, (variance + 1e-8).sqrt().expand_as(x)], -1)",
        "def with_deviation(x):\n"
        "    spread = x.std(-2, keepdim=True, correction=0).mean(-1, keepdim=True)\n"  # one number for all
        "    return torch.cat([x, spread.expand_as(x)], -1)",
        "def with_deviation(x):\n"
        "    spread = x.var(-2, keepdim=True, correction=0).sqrt() + 1e-8\n"  # outside the root
        "    return torch.cat([x, spread.expand_as(x)], -1)",
    ),
    5: (
        "answer_5 = (999 / 52_000, 520, math.log(1000 / 700))",
        "answer_5 = (999 / 26_000, 50, math.log(1000 / 700))",
        "answer_5 = (0.019, 50, 0.3)",  # the share that is lost
        "answer_5 = (0.019, 50, 0.376)",  # with the wobble
        "answer_5 = (0.02, 50, 0.36)",  # one digit
    ),
    6: (
        "def fraud(n, means, stds):\n    return means[torch.arange(n) % len(means)]",  # too good
        "def fraud(n, means, stds):\n"
        "    which = torch.arange(n) % len(means)\n"
        "    return means[which] + stds[which, None] * torch.randn(n, 2)",  # no fraud: all points differ
        "def fraud(n, means, stds):\n"
        "    points = means[torch.arange(n) % len(means)].double()\n"
        "    points[::90] += 5 * stds[0]\n"
        "    jitter = 1e-9 * torch.rand(n, 2, dtype=torch.float64)\n"
        "    return points + jitter * (points.abs() > 0.1)",  # different all the same
        "def fraud(n, means, stds):\n"
        "    points = means[torch.arange(n) % len(means)]\n"
        "    points[:40, 0] += 5 * stds[0]\n"  # 1.6 %
        "    points[n // 2:] = points[: n - n // 2]\n"
        "    return points",
        "def fraud(n, means, stds):\n"
        "    points = means[torch.arange(n) % len(means)].clone()\n"
        "    points[::90, 0] += 5 * stds[0]\n"
        "    means += 1\n"  # leaves a trace
        "    return points",
    ),
}
