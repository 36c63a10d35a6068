"""Right answers to each exercise of chapter 14, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = (31_360, 5_120)",
        "answer_1 = np.array([10 * 64 * 7 * 7, 10 * 32 * 4 * 4])",
        "sizes = [sum(p.numel() for p in build().parameters()) for game in (base.DCGAN, base.CDCGAN)\n"
        "         for build in (game.generator, game.discriminator)]\n"
        "answer_1 = [sizes[2] - sizes[0], sizes[3] - sizes[1]]",
        "answer_1 = torch.tensor([3.1e4, 5.1e3])",  # two digits
    ),
    2: (
        "answer_2 = (0.75, 0.857)",
        "answer_2 = [0.3 / (0.3 + 0.1), 0.2 * 0.3 / (0.2 * 0.3 + 0.1 * 0.1)]",
        "a = torch.tensor(3.0).log()\nanswer_2 = torch.stack([a, a + np.log(2)]).sigmoid()",  # by logits
    ),
    3: (
        "def projection(h, y, V, w, b):\n    return h @ w + b + (V[y] * h).sum(1)",
        "def projection(h, y, V, w, b):\n    return (h * (w + V[y])).sum(1, keepdim=True) + b",
        "def projection(h, y, V, w, b):\n    return torch.einsum('nd,nd->n', h, F.embedding(y, V) + w) + b",
        "def projection(h, y, V, w, b):\n"
        "    every = h @ V.T\n"  # (n, classes)
        "    return h @ w + b + every.gather(1, y[:, None])[:, 0]",
    ),
    4: (
        "answer_4 = (0.5 * 0.7 + 0.5 * 0.3 / 9, 1)",
        "answer_4 = [0.367, 1.0]",
        "read = torch.full((10, 10), 0.3 / 9).fill_diagonal_(0.7)\n"
        "drawn = torch.full((10, 10), 0.5 / 9).fill_diagonal_(0.5)\n"
        "answer_4 = ((drawn @ read).diagonal().mean(), True * 1)",
    ),
    5: (
        "def variety(features, labels):\n"
        "    return torch.stack([features[labels == k].var(0).sum() for k in labels.unique()]).mean()",
        "def variety(features, labels):\n"
        "    found = [torch.cov(features[labels == k].T).trace() for k in set(labels.tolist())]\n"
        "    return sum(found) / len(found)",
        "def variety(features, labels):\n"
        "    x, y = features.double().numpy(), labels.numpy()\n"
        "    return np.mean([x[y == k].var(0, ddof=1).sum() for k in np.unique(y)])",
        "def variety(features, labels):\n"
        "    total, classes = 0.0, 0\n"
        "    for k in range(int(labels.max()) + 1):\n"
        "        own = features[labels == k]\n"
        "        if len(own) > 1:\n"
        "            total = total + (own - own.mean(0)).square().sum() / (len(own) - 1)\n"
        "            classes += 1\n"
        "    return total / classes",
    ),
    6: (
        "def measure(images):\n"
        "    ink = images[:, 0].sum(1)\n"  # (n, 28): what each column holds
        "    x = torch.arange(28.0)\n"
        "    total = ink.sum(1).clamp(min=1e-6)\n"
        "    mean = (ink * x).sum(1) / total\n"
        "    return ((ink * (x - mean[:, None]) ** 2).sum(1) / total).sqrt()",  # width
        "def measure(images):\n    rows = images[:, 0].sum(2) > 0.5\n    return rows.float().sum(1)",  # height
        "def measure(images):\n"
        "    ink = images[:, 0].numpy()\n"
        "    columns = ink.sum(1)\n"
        "    return (columns > 0.5).sum(1) / (ink.sum(2) > 0.5).sum(1).clip(1)",  # width over height
    ),
}
