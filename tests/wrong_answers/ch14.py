"""Typical wrong answers to each exercise of chapter 14, three or more."""

WRONG = {
    1: (
        "answer_1 = (10, 10)",  # inputs, not weights
        "answer_1 = (640, 5120)",  # 64 maps taken for 64 numbers
        "answer_1 = (31_360, 320)",  # no kernel
        "answer_1 = (31_360, 7_840)",  # the numbers in the maps
        "answer_1 = (5_120, 31_360)",
        "answer_1 = (10 * (64 * 7 * 7 + 1), 5_120)",  # a bias for each input
        "answer_1 = (232_064, 5_632)",  # whole layers
    ),
    2: (
        "answer_2 = (0.25, 0.857)",  # the forged share
        "answer_2 = (0.75, 0.75)",
        "answer_2 = (0.75, 0.6)",  # frequencies the wrong way round
        "answer_2 = (3, 6)",  # ratios
        "answer_2 = (0.75, 2 / 3)",  # the label alone
    ),
    3: (
        "def projection(h, y, V, w, b):\n    return h @ w + b",
        "def projection(h, y, V, w, b):\n    return (V[y] * h).sum(1)",
        "def projection(h, y, V, w, b):\n    return h @ w + b + (V[y] @ h.T).sum(1)",  # every image with every slip
        "def projection(h, y, V, w, b):\n    return h @ w + b + V[y] @ h.T",
        "def projection(h, y, V, w, b):\n    return h @ w + b + V[y].sum(1)",
        "def projection(h, y, V, w, b):\n    return h @ w + (V[y] * h).sum(1)",
        "def projection(h, y, V, w, b):\n    return (h @ w + b)[:, None] + h @ V.T",  # all labels
    ),
    4: (
        "answer_4 = (0.35, 1)",
        "answer_4 = (0.5, 1)",
        "answer_4 = (0.5 * 0.7 + 0.5 * 0.3, 1)",
        "answer_4 = (0.367, 0.7)",
        "answer_4 = (0.367, 0.1)",
    ),
    5: (
        "def variety(features, labels):\n    return features.var(0).sum()",
        "def variety(features, labels):\n"
        "    return torch.stack([features[labels == k].var(0).mean() for k in labels.unique()]).mean()",
        "def variety(features, labels):\n"
        "    return torch.stack([features[labels == k].var(0, correction=0).sum() for k in labels.unique()]).mean()",
        "def variety(features, labels):\n"
        "    return torch.stack([features[labels == k].std(0).sum() for k in labels.unique()]).mean()",
        "def variety(features, labels):\n"
        "    means = torch.stack([features[labels == k].mean(0) for k in labels.unique()])\n"
        "    return means.var(0).sum()",  # between the classes
        "def variety(features, labels):\n"
        "    own = [features[labels == k] for k in labels.unique()]\n"
        "    return sum(len(rows) * rows.var(0).sum() for rows in own) / len(features)",  # each image counts once
        "def variety(features, labels):\n"
        "    return sum(features[labels == k].var(0).sum() for k in labels.unique()) / 10",  # ten labels, always
        "def variety(features, labels):\n"
        "    features -= features.mean(0)\n"  # changes what it was given
        "    return torch.stack([features[labels == k].var(0).sum() for k in labels.unique()]).mean()",
    ),
    6: (
        "def measure(images):\n    return images.mean((1, 2, 3))",  # ink: thickness once more
        "def measure(images):\n    return strokes.slant(images)",
        "def measure(images):\n    return images.mean()",  # one number for all
        "def measure(images):\n    return torch.ones(len(images))",
        "def measure(images):\n    return torch.log(images[:, 0, 0, 0] - 1)",  # nan
        "def measure(images):\n"
        "    ink = images[:, 0].sum(1)\n"
        "    wide = (ink > 0.5).float().sum(1)\n"
        "    return (wide - wide.mean()) / wide.std()",  # depends on the other images
        "def measure(images):\n"
        "    images[images < 0.5] = 0\n"  # changes what it was given
        "    return images.amax((2, 3))[:, 0]",
    ),
}
