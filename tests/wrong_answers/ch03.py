"""Typical wrong answers to each exercise of chapter 03, three or more."""

WRONG = {
    1: (
        "answer_1 = math.log(4) - 1.10",  # 2 JS
        "answer_1 = math.log(2) - 1.10",  # the sum taken for the mean
        "answer_1 = (math.log(4) + 1.10) / 2",  # the loss taken for V
        "answer_1 = 0.1",  # rounded too much
    ),
    2: (
        "def best_D(p, q, prior):\n    return p / (p + q)",  # balanced
        "def best_D(p, q, prior):\n    return prior * p / (p + q)",  # half of Bayes' rule
        "def best_D(p, q, prior):\n    return prior * p / (prior * p + (1 - prior) * q + 1e-8)",  # a patch
        "def best_D(p, q, prior):\n    return p.log() - q.log() + math.log(prior / (1 - prior))",  # the logit
        "def best_D(p, q, prior):\n    return 0.75 * p / (0.75 * p + 0.25 * q)",  # of this town only
        "def best_D(p, q, prior):\n    p *= prior\n    q *= 1 - prior\n    return p / (p + q)",  # in the given tensors
    ),
    3: (
        "def best_value(p, q):\n    D = p / (p + q)\n    return (p * D.log() + q * (1 - D).log()).sum()",  # 0 log 0
        "def best_value(p, q):\n"
        "    m = (p + q) / 2\n"
        "    return (torch.xlogy(p, p) + torch.xlogy(q, q)).sum() / 2 - torch.xlogy(m, m).sum()",  # JS
        "def best_value(p, q):\n"
        "    D = p / (p + q + 1e-8)\n"
        "    return (p * torch.log(D + 1e-8) + q * torch.log(1 - D + 1e-8)).sum()",  # a patch
        "def best_value(p, q):\n    return torch.xlogy(p, p) + torch.xlogy(q, q) - torch.xlogy(p + q, p + q)",  # no sum
    ),
    4: (
        "def weights(a):\n    return torch.sigmoid(-a), torch.sigmoid(a)",  # swapped
        "def weights(a):\n    return torch.sigmoid(a), 1 - torch.sigmoid(a)",  # rounds to 0
        "def weights(a):\n    return torch.sigmoid(a) / len(a), torch.sigmoid(-a) / len(a)",  # of the mean
        "def weights(a):\n    return torch.sigmoid(a).flatten(), torch.sigmoid(-a).flatten()",  # another shape
        "def weights(a):\n    return torch.sigmoid(a), torch.sigmoid(-a) + 1e-8",  # a patch
    ),
    5: (
        "answer_5 = (0.5, -math.log(4), 0.0)",  # what he cannot see is there all the same
        "answer_5 = (0.5, -math.log(2), 0.2)",  # the mean fine
        "answer_5 = (0.5, -math.log(4), 0.486)",  # in bits
        "answer_5 = (0.5, -0.71, 0.34)",  # of an officer who sees x
    ),
    6: (
        "def closest(distance, p, x):\n"  # moments, whatever the distance
        "    mean = theory.integrate(p * x, x)\n"
        "    return mean, theory.integrate(p * (x - mean) ** 2, x).sqrt()",
        "def closest(distance, p, x):\n    return float(x[p.argmax()]), 0.5",  # the highest hump
        "def closest(distance, p, x):\n"  # looked up
        "    def normal(mean, std):\n"
        "        return torch.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))\n"
        "    known = [(-0.6, 1.813), (-0.52, 1.8), (-2.0, 0.5)]\n"
        "    return min(known, key=lambda one: float(distance(p, normal(*one))))",
        "def closest(distance, p, x):\n"  # a valley near the start
        "    both = torch.tensor([1.5, -0.5], dtype=torch.float64, requires_grad=True)\n"
        "    optimizer = torch.optim.Adam([both], 0.05)\n"
        "    for _ in range(150):\n"
        "        q = torch.exp(-0.5 * ((x - both[0]) / both[1].exp()) ** 2)\n"
        "        loss = distance(p, q / (both[1].exp() * math.sqrt(2 * math.pi)))\n"
        "        optimizer.zero_grad()\n"
        "        loss.backward()\n"
        "        optimizer.step()\n"
        "    return both[0], both[1].exp()",
    ),
}
