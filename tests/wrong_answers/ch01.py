"""Two typical wrong answers to each exercise of chapter 01."""

WRONG = {
    1: (
        'answer_1 = {"p(striped)": 0.65, "p(zebra | striped)": 55 / 60, "p(striped | zebra)": 55 / 65}',  # swapped
        'answer_1 = {"p(striped)": 0.65, "p(zebra | striped)": 0.55, "p(striped | zebra)": 55 / 60}',  # of all animals
    ),
    2: (
        "def spin(p, z):\n    return (z * len(p)).long()",  # each piece as long as the others
        "def spin(p, z):\n    return (z[:, None] >= p.cumsum(0)[:-1]).sum(1) + 1",  # counts from one
    ),
    3: (
        "def density(x):\n    return 2 * torch.sqrt(x)",  # times the slope
        "def density(x):\n    return 1 / (2 * x)",  # the slope at x
    ),
    4: (
        "def log_mixture(log_p, share):\n    return torch.log((1 - share) * torch.exp(log_p) + share)",  # overflows
        "def log_mixture(log_p, share):\n"
        "    rest = torch.full_like(log_p, math.log(1 - share))\n"
        "    return torch.logaddexp(log_p + math.log(share), rest)",  # the shares the wrong way round
    ),
    5: (
        "def best_picture(pictures):\n    return pictures.mean(0)",  # best for squares
        "def best_picture(pictures):\n"
        "    return pictures[torch.cdist(pictures, pictures, p=1).sum(1).argmin()]",  # the best of those given
    ),
    6: (
        "def give_advice(D, x):\n"
        "    x = x.clone().requires_grad_(True)\n"
        "    D(x).sum().backward()\n"
        "    return x.grad",  # leaves gradients in D
        "def give_advice(D, x):\n"
        "    x = x.clone().requires_grad_(True)\n"
        "    return torch.autograd.grad(D(x).mean(), x)[0]",  # seven times too short
    ),
}
