"""Typical wrong answers to each exercise of chapter 06, three or more."""

WRONG = {
    1: (
        "answer_1 = 5.0",  # not squared
        "answer_1 = (0 - 3) ** 2 + (1 - 25) ** 2",  # variances
        "answer_1 = 3 + 4",  # nothing squared
        "answer_1 = 3**2 + 5**2 - 1**2",  # variances, not squared
    ),
    2: (
        "def my_precision_recall(real, fake, k):\n"  # swapped
        "    def inside(points, centres):\n"
        "        radii = torch.cdist(centres, centres).kthvalue(k + 1).values\n"
        "        return float((torch.cdist(points, centres) <= radii).any(1).float().mean())\n\n"
        "    return inside(real, fake), inside(fake, real)",
        "def my_precision_recall(real, fake, k):\n"  # the point itself counts as its first neighbour
        "    def inside(points, centres):\n"
        "        radii = torch.cdist(centres, centres).kthvalue(k).values\n"
        "        return float((torch.cdist(points, centres) <= radii).any(1).float().mean())\n\n"
        "    return inside(fake, real), inside(real, fake)",
        "def my_precision_recall(real, fake, k):\n"  # each asks for its own ball
        "    def inside(points, others):\n"
        "        radii = torch.cdist(points, points).kthvalue(k + 1).values\n"
        "        return float((torch.cdist(points, others) <= radii[:, None]).any(1).float().mean())\n\n"
        "    return inside(fake, real), inside(real, fake)",
        "def my_precision_recall(real, fake, k):\n"  # spoils what it was given
        "    real -= real.mean(0)\n"
        "    fake -= fake.mean(0)\n"
        "    return 1.0, 1.0",
    ),
    3: (
        'answer_3 = {"X": "memory", "Y": "blur", "Z": "dropped class"}',
        'answer_3 = {"X": "dropped class", "Y": "memory", "Z": "blur"}',
        'answer_3 = {"X": "copies", "Y": "dropped class", "Z": "blur"}',  # no word of the three
        'answer_3 = {"X": "memory", "Y": "dropped class", "Z": "dropped class"}',
    ),
    4: (
        "def kernel_distance(x, g):\n"  # biased
        "    def k(a, b):\n"
        "        return (a @ b.T / a.shape[1] + 1) ** 3\n\n"
        "    return k(x, x).mean() + k(g, g).mean() - 2 * k(x, g).mean()",
        "def kernel_distance(x, g):\n"  # not divided by d
        "    def k(a, b):\n"
        "        return (a @ b.T + 1) ** 3\n\n"
        "    def within(a):\n"
        "        return (k(a, a).sum() - k(a, a).diagonal().sum()) / (len(a) * (len(a) - 1))\n\n"
        "    return within(x) + within(g) - 2 * k(x, g).mean()",
        "def kernel_distance(x, g):\n"  # cut at 0
        "    def k(a, b):\n"
        "        return (a @ b.T / a.shape[1] + 1) ** 3\n\n"
        "    def within(a):\n"
        "        return (k(a, a).sum() - k(a, a).diagonal().sum()) / (len(a) * (len(a) - 1))\n\n"
        "    return (within(x) + within(g) - 2 * k(x, g).mean()).clamp(min=0)",
        "def kernel_distance(x, g):\n"  # one n for both
        "    def k(a, b):\n"
        "        return (a @ b.T / a.shape[1] + 1) ** 3\n\n"
        "    def within(a):\n"
        "        return (k(a, a).sum() - k(a, a).diagonal().sum()) / (len(x) * (len(x) - 1))\n\n"
        "    return within(x) + within(g) - 2 * k(x, g).mean()",
    ),
    5: (
        "def at_infinity(n, distances):\n    return float(distances[-1])",  # still biased
        "def at_infinity(n, distances):\n"  # a line in n
        "    columns = torch.stack([torch.ones(len(n)), n.float()], 1)\n"
        "    return float(torch.linalg.lstsq(columns, distances.float()[:, None]).solution[0])",
        "def at_infinity(n, distances):\n"  # the slope
        "    columns = torch.stack([torch.ones(len(n)), 1 / n.float()], 1)\n"
        "    return float(torch.linalg.lstsq(columns, distances.float()[:, None]).solution[1])",
        "def at_infinity(n, distances):\n"  # two of the sizes
        "    d = (n[-1] * distances[-1] - n[-2] * distances[-2]) / (n[-1] - n[-2])\n"
        "    return float(d)",
    ),
    6: (
        "def hide(images):\n    return images",  # still copies
        "def hide(images):\n    return torch.randint(256, images.shape, dtype=torch.uint8)",  # no copies, and no digits
        "def hide(images):\n    return images.flip(3)",  # a mirror: no copy, and another sign
        "def hide(images):\n"  # other digits, and nothing hidden
        "    return data.load('digits', 'test').images[: len(images)]",
        "def hide(images):\n    return images.roll(1, 3) / 255",  # no bytes
    ),
}
