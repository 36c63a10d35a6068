"""Typical wrong answers to each exercise of chapter 01, three or more."""

WRONG = {
    1: (
        'answer_1 = {"p(striped)": 0.65, "p(zebra | striped)": 55 / 60, "p(striped | zebra)": 55 / 65}',  # swapped
        'answer_1 = {"p(striped)": 0.65, "p(zebra | striped)": 0.55, "p(striped | zebra)": 55 / 60}',  # of all animals
        'answer_1 = {"p(striped)": 65, "p(zebra | striped)": 85, "p(striped | zebra)": 92}',  # per cent
        'answer_1 = {"p(striped)": 0.10, "p(zebra | striped)": 55 / 65, "p(striped | zebra)": 55 / 60}',  # of horses
    ),
    2: (
        "def spin(p, z):\n    return (z * len(p)).long()",  # each piece as long as the others
        "def spin(p, z):\n    return (z[:, None] >= p.cumsum(0)[:-1]).sum(1) + 1",  # counts from one
        "def spin(p, z):\n    return (z[:, None] > p.cumsum(0)[:-1]).sum(1)",  # z = 0 on a piece of length 0
        "def spin(p, z):\n    return torch.searchsorted(p.cumsum(0)[:-1], z)",  # the same
        "def spin(p, z):\n    return torch.multinomial(p, len(z), replacement=True)",  # other dice
    ),
    3: (
        "def density(x):\n    return 2 * torch.sqrt(x)",  # times the slope
        "def density(x):\n    return 1 / (2 * x)",  # the slope at x
        "def density(x):\n    return math.sqrt(x)",  # the share of samples below x
        "def density(x):\n    return 1 / (2 * torch.sqrt(x) + 1e-3)",  # a patch
    ),
    4: (
        "def log_mixture(log_p, share):\n    return torch.log((1 - share) * torch.exp(log_p) + share)",  # overflows
        "def log_mixture(log_p, share):\n"
        "    rest = torch.full_like(log_p, math.log(1 - share))\n"
        "    return torch.logaddexp(log_p + math.log(share), rest)",  # the shares the wrong way round
        "def log_mixture(log_p, share):\n    return (1 - share) * log_p",  # a mean of logarithms
        "def log_mixture(log_p, share):\n"
        "    noise = torch.full_like(log_p, math.log(share))\n"
        "    return torch.maximum(log_p + math.log(1 - share), noise)",  # the larger one alone
    ),
    5: (
        "def best_picture(pictures):\n    return pictures.mean(0)",  # best for squares
        "def best_picture(pictures):\n"
        "    return pictures[torch.cdist(pictures, pictures, p=1).sum(1).argmin()]",  # the best of those given
        "def best_picture(pictures):\n    return pictures.median()",  # one number for all pixels
        "def best_picture(pictures):\n    return (pictures.amin(0) + pictures.amax(0)) / 2",  # best for the worst
    ),
    6: (
        "def give_advice(D, x):\n"
        "    x = x.clone().requires_grad_(True)\n"
        "    D(x).sum().backward()\n"
        "    return x.grad",  # leaves gradients in D
        "def give_advice(D, x):\n"
        "    x = x.clone().requires_grad_(True)\n"
        "    return torch.autograd.grad(D(x).mean(), x)[0]",  # seven times too short
        "def give_advice(D, x):\n"
        "    D.requires_grad_(False)\n"
        "    x = x.clone().requires_grad_(True)\n"
        "    D(x).sum().backward()\n"
        "    return x.grad",  # leaves D frozen
        "def give_advice(D, x):\n"
        "    x = x.clone().requires_grad_(True)\n"
        "    D(x).sum().backward()\n"
        "    D.zero_grad()\n"
        "    return x.grad",  # wipes gradients that were there before
        "def give_advice(D, x):\n"
        "    x = x.clone().requires_grad_(True)\n"
        "    return torch.autograd.grad(torch.sigmoid(D(x)).sum(), x)[0]",  # of the probability
    ),
}
