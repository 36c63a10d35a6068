"""Two typical wrong answers to each exercise of chapter 03."""

WRONG = {
    1: (
        "answer_1 = math.log(4) - 1.10",  # 2 JS
        "answer_1 = math.log(2) - 1.10",  # the sum taken for the mean
    ),
    2: (
        "def best_D(p, q, prior):\n    return p / (p + q)",  # balanced
        "def best_D(p, q, prior):\n    return prior * p / (p + q)",  # half of Bayes' rule
    ),
    3: (
        "def best_value(p, q):\n    D = p / (p + q)\n    return (p * D.log() + q * (1 - D).log()).sum()",  # 0 log 0
        "def best_value(p, q):\n"
        "    m = (p + q) / 2\n"
        "    return (torch.xlogy(p, p) + torch.xlogy(q, q)).sum() / 2 - torch.xlogy(m, m).sum()",  # JS
    ),
    4: (
        "def weights(a):\n    return torch.sigmoid(-a), torch.sigmoid(a)",  # swapped
        "def weights(a):\n    return torch.sigmoid(a), 1 - torch.sigmoid(a)",  # rounds to 0
    ),
    5: (
        "answer_5 = (0.5, -math.log(4), 0.0)",  # what he cannot see is there all the same
        "answer_5 = (0.5, -math.log(2), 0.2)",  # the mean fine
    ),
    6: (
        "def closest(distance, p, x):\n"  # moments, whatever the distance
        "    mean = theory.integrate(p * x, x)\n"
        "    return mean, theory.integrate(p * (x - mean) ** 2, x).sqrt()",
        "def closest(distance, p, x):\n    return float(x[p.argmax()]), 0.5",  # the highest hump
    ),
}
