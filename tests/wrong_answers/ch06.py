"""Two typical wrong answers to each exercise of chapter 06."""

WRONG = {
    1: (
        "answer_1 = 5.0",  # not squared
        "answer_1 = (0 - 3) ** 2 + (1 - 25) ** 2",  # variances
    ),
    2: (
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
    ),
    3: (
        'answer_3 = {"X": "memory", "Y": "blur", "Z": "dropped class"}',
        'answer_3 = {"X": "dropped class", "Y": "memory", "Z": "blur"}',
    ),
    4: (
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
    ),
    5: (
        "def at_infinity(n, distances):\n    return float(distances[-1])",  # still biased
        "def at_infinity(n, distances):\n"  # a line in n
        "    columns = torch.stack([torch.ones(len(n)), n.float()], 1)\n"
        "    return float(torch.linalg.lstsq(columns, distances.float()[:, None]).solution[0])",
    ),
    6: (
        "def hide(images):\n    return images",  # still copies
        "def hide(images):\n    return torch.randint(256, images.shape, dtype=torch.uint8)",  # no copies, and no digits
    ),
}
