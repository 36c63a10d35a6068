"""Typical wrong answers to each exercise of chapter 02, three or more."""

WRONG = {
    1: (
        "def kl(r, f):\n    return torch.xlogy(f, f / r).sum()",  # the other way round
        "def kl(r, f):\n    return (r * torch.log(r / f)).sum()",  # 0 log 0 is nan
        "def kl(r, f):\n    return (r * torch.log((r + 1e-12) / (f + 1e-12))).sum()",  # a patch
        "def kl(r, f):\n    return -torch.xlogy(r, f).sum()",  # the cross-entropy
    ),
    2: (
        "answer_2 = -0.9 * math.log2(0.9) - 0.1 * math.log2(0.1)",  # bits
        "answer_2 = -math.log(0.9)",  # the real notes only
        "answer_2 = math.log(2)",  # of the forecast 1/2
        "answer_2 = 0.3",  # rounded too much
    ),
    3: (
        "def d_loss(real, fake):\n    return F.softplus(-real).mean() + F.softplus(fake).mean()",  # no prior
        "def d_loss(real, fake):\n"
        "    return (-torch.log(torch.sigmoid(real)).mean() - torch.log(1 - torch.sigmoid(fake)).mean()) / 2",
        "def d_loss(real, fake):\n    return ((F.softplus(-real) + F.softplus(fake)).mean() / 2).item()",  # no gradient
        "def d_loss(real, fake):\n"
        "    real, fake = real.clamp(-200, 200), fake.clamp(-200, 200)\n"
        "    return (F.softplus(-real) + F.softplus(fake)).mean() / 2",
        "def d_loss(real, fake):\n"
        "    return (F.softplus(-real) + F.softplus(fake.detach())).mean() / 2",  # learns from the real notes only
    ),
    4: (
        "def gradient(a, y):\n    return torch.sigmoid(a) - y",  # of the sum
        "def gradient(a, y):\n    return (y - torch.sigmoid(a)) / len(a)",  # uphill
        "def gradient(a, y):\n"
        "    loss = lambda a: F.binary_cross_entropy_with_logits(a, y)\n"
        "    return torch.func.grad(loss)(a)",  # autograd
        "def gradient(a, y):\n"
        "    with torch.enable_grad():\n"
        "        a = a.clone().requires_grad_()\n"
        "        return grad(F.binary_cross_entropy_with_logits(a, y), a)[0]",
        "def gradient(a, y):\n    return (a.exp() / (1 + a.exp()) - y) / len(a)",  # overflows
    ),
    5: (
        "answer_5 = (-0.9 * math.log(0.9) - 0.1 * math.log(0.1), math.log(9))",  # the real half only
        "answer_5 = ((-0.9 * math.log(0.9) - 0.1 * math.log(0.1)) / 2, 0.9)",  # a probability, not a logit
        "answer_5 = (0.0, math.inf)",  # as with hard labels
        "answer_5 = (0.23, 2.2)",  # in bits
    ),
    6: (
        "def temperature(a, y):\n    return 1.0",
        "def temperature(a, y):\n"
        "    grid = torch.logspace(-1.3, 1.3, 1001)\n"
        "    losses = [F.binary_cross_entropy_with_logits(a * T, y) for T in grid]\n"  # 1 / T
        "    return grid[int(torch.stack(losses).argmin())]",
        "def temperature(a, y):\n    return a.std() / 1.5",  # of these notes only, and by luck
        "def temperature(a, y):\n"
        "    grid = torch.linspace(1, 20, 1901)\n"
        "    losses = [F.binary_cross_entropy_with_logits(a / T, y) for T in grid]\n"
        "    return grid[int(torch.stack(losses).argmin())]",  # nobody is too timid
    ),
}
