"""Two typical wrong answers to each exercise of chapter 13."""

WRONG = {
    1: (
        "answer_1 = (1.0, 1 / (7 / 5000))",  # bits
        "answer_1 = (math.log(2), math.log(2) / (7 / 2500))",  # no 2 in the floor
    ),
    2: (
        "def strict(which, distance, weights, part):\n"
        "    good = torch.bincount(which[distance <= 3], minlength=len(weights))\n"
        "    return int((good >= part * good.sum() * weights).sum())",  # of the good ones alone
        "def strict(which, distance, weights, part):\n"
        "    return int((torch.bincount(which, minlength=len(weights)) >= part * len(which) * weights).sum())",
    ),
    3: (
        "def by_luck(a, K, n):\n    return K * (1 - (1 - a) ** n)",
        "def by_luck(a, K, n):\n    return K * (1 - (1 - a / K) ** n)",  # loses tiny shares
    ),
    4: (
        "def with_deviation(x):\n    return torch.cat([x, x.std(0, correction=0).expand_as(x)], -1)",  # mixes the seeds
        "def with_deviation(x):\n"
        "    return torch.cat([x, x.var(-2, keepdim=True, correction=0).sqrt().expand_as(x)], -1)",  # slope at 0
    ),
    5: (
        "answer_5 = (999 / 52_000, 520, math.log(1000 / 700))",
        "answer_5 = (999 / 26_000, 50, math.log(1000 / 700))",
    ),
    6: (
        "def fraud(n, means, stds):\n    return means[torch.arange(n) % len(means)]",  # too good
        "def fraud(n, means, stds):\n"
        "    which = torch.arange(n) % len(means)\n"
        "    return means[which] + stds[which, None] * torch.randn(n, 2)",  # no fraud: all points differ
    ),
}
