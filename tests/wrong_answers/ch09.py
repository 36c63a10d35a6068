"""Typical wrong answers to each exercise of chapter 09, three or more."""

WRONG = {
    1: (
        "answer_1 = (1 / (1 + 1 / 12), 27 / 28)",  # the variance of [0, 1) on [0, 2)
        "answer_1 = (3 / 4, 3 / 4)",  # a shift taken for a scale
        "answer_1 = (0.75, 26 / 27)",  # 1 - s²/μ²
        "answer_1 = (41, 15)",  # angles
        "answer_1 = (0.75, 1.0)",  # rounded too much
        "answer_1 = (0.25, 1 / 28)",
    ),
    2: (
        "def standardise(z, low, high):\n    return (z - z.mean()) / z.std()",  # of the batch
        "def standardise(z, low, high):\n    return 2 * (z - low) / (high - low) - 1",  # variance 1/3
        "def standardise(z, low, high):\n"
        "    z -= (low + high) / 2\n"  # changes what it was given
        "    return z * 12**0.5 / (high - low)",
        "def standardise(z, low, high):\n    return (z - (low + high) / 2) / ((high - low) ** 2 / 12)",  # the variance
        "def standardise(z, low, high):\n    return (z - 0.5) * 12**0.5",  # of U[0, 1) only
        "def standardise(z, low, high):\n    return (z - (high - low) / 2) / ((high - low) / 12**0.5)",  # its length
    ),
    3: (
        "def shortening(mean, std):\n    return 0.5**0.5",  # without a mean only
        "def shortening(mean, std):\n    return (mean**2 + std**2 / 2) / (mean**2 + std**2)",  # squared
        "def shortening(mean, std):\n    return math.sqrt((mean**2 + std**2 / 4) / (mean**2 + std**2))",
        "def shortening(mean, std):\n    return math.sqrt((mean**2 + std / 2) / (mean**2 + std))",  # std taken as s²
        "def shortening(mean, std):\n    return 0.935 if mean == 0.5 else 0.5**0.5",  # the two that are named
        "def shortening(mean, std):\n    return 1 - math.sqrt((mean**2 + std**2 / 2) / (mean**2 + std**2))",
    ),
    4: (
        "def dose(r, std, dim):\n    return r * std / dim**0.5",  # without the bias
        "def dose(r, std, dim):\n    return (r * std * dim**0.5 - 1) / dim",  # below zero
        "def dose(r, std, dim):\n    return abs(r * std * dim**0.5 - 1) / dim",
        "def dose(r, std, dim):\n    return max(0.0, r * std * dim**0.5 - 1)",  # all coordinates together
        "def dose(r, std, dim):\n    return max(0.0, (r * std**2 * dim**0.5 - 1) / dim)",  # the variance
        "def dose(r, std, dim):\n    return {100: 1.76, 8: 6.13}.get(dim, 0.0)",  # the two that are named
    ),
    5: (
        "def turn(mean):\n"
        "    v = mean / mean.norm()\n"
        "    v[0] -= 1\n"
        "    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)",  # nan on the axis
        "def turn(mean):\n    return torch.linalg.qr(torch.randn(len(mean), len(mean))).Q",  # any turn
        "def turn(mean):\n"
        "    v = torch.full_like(mean, len(mean) ** -0.5)\n"
        "    v[0] += 1.0\n"
        "    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)",  # of equal coordinates only
        "def turn(mean):\n"
        "    mean /= mean.norm()\n"  # changes what it was given
        "    v = mean.clone()\n"
        "    v[0] += 1.0 if v[0] >= 0 else -1.0\n"
        "    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)",
        "def turn(mean):\n"
        "    v = mean / mean.norm()\n"
        "    v[0] += torch.sign(v[0])\n"  # nothing where the first coordinate is 0
        "    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)",
        "def turn(mean):\n"
        "    v = mean / mean.norm()\n"
        "    rest = torch.randn(len(v), len(v) - 1, generator=torch.Generator().manual_seed(0), dtype=v.dtype)\n"
        "    return torch.linalg.qr(torch.cat([v[:, None], rest], 1)).Q.T",  # the other way round
        "def turn(mean):\n    return torch.outer(mean, torch.eye(len(mean))[0]) / mean.dot(mean)",  # no turn at all
    ),
}
