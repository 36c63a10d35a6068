"""Two typical wrong answers to each exercise of chapter 02."""

WRONG = {
    1: (
        "answer_1 = -0.9 * math.log2(0.9) - 0.1 * math.log2(0.1)",  # bits
        "answer_1 = -math.log(0.9)",  # the real notes only
    ),
    2: (
        "def kl(r, f):\n    return torch.xlogy(f, f / r).sum()",  # the other way round
        "def kl(r, f):\n    return (r * torch.log(r / f)).sum()",  # 0 log 0 is nan
    ),
    3: (
        "def d_loss(real, fake):\n    return F.softplus(-real).mean() + F.softplus(fake).mean()",  # no prior
        "def d_loss(real, fake):\n"
        "    return (-torch.log(torch.sigmoid(real)).mean() - torch.log(1 - torch.sigmoid(fake)).mean()) / 2",
    ),
    4: (
        "def gradient(a, y):\n    return torch.sigmoid(a) - y",  # of the sum
        "def gradient(a, y):\n    return (y - torch.sigmoid(a)) / len(a)",  # uphill
    ),
    5: (
        "answer_5 = (-0.9 * math.log(0.9) - 0.1 * math.log(0.1), math.log(9))",  # the real half only
        "answer_5 = ((-0.9 * math.log(0.9) - 0.1 * math.log(0.1)) / 2, 0.9)",  # a probability, not a logit
    ),
    6: (
        "def temperature(a, y):\n    return 1.0",
        "def temperature(a, y):\n"
        "    grid = torch.logspace(-1.3, 1.3, 1001)\n"
        "    losses = [F.binary_cross_entropy_with_logits(a * T, y) for T in grid]\n"  # 1 / T
        "    return grid[int(torch.stack(losses).argmin())]",
    ),
}
