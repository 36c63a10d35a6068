"""Two typical wrong answers to each exercise of chapter 09."""

WRONG = {
    1: (
        "answer_1 = (1 / (1 + 1 / 12), 27 / 28)",  # the variance of [0, 1) on [0, 2)
        "answer_1 = (3 / 4, 3 / 4)",  # a shift taken for a scale
    ),
    2: (
        "def standardise(z, low, high):\n    return (z - z.mean()) / z.std()",  # of the batch
        "def standardise(z, low, high):\n    return 2 * (z - low) / (high - low) - 1",  # variance 1/3
    ),
    3: (
        "def shortening(mean, std):\n    return 0.5**0.5",  # without a mean only
        "def shortening(mean, std):\n    return (mean**2 + std**2 / 2) / (mean**2 + std**2)",  # squared
    ),
    4: (
        "def dose(r, std, dim):\n    return r * std / dim**0.5",  # without the bias
        "def dose(r, std, dim):\n    return (r * std * dim**0.5 - 1) / dim",  # below zero
    ),
    5: (
        "def turn(mean):\n"
        "    v = mean / mean.norm()\n"
        "    v[0] -= 1\n"
        "    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)",  # nan on the axis
        "def turn(mean):\n    return torch.linalg.qr(torch.randn(len(mean), len(mean))).Q",  # any turn
    ),
}
