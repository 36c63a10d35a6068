"""Right answers to each exercise of chapter 06, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = 25",
        "from fractions import Fraction\nanswer_1 = Fraction(50, 2)",
        "mean = torch.tensor([0.0, 3.0], requires_grad=True)\n"
        "std = torch.tensor([1.0, 5.0], requires_grad=True)\n"
        "answer_1 = mean.diff() ** 2 + std.diff() ** 2",
        "answer_1 = np.array([[3.0, 4.0]]) @ np.array([[3.0], [4.0]])",
    ),
    2: (
        "def my_precision_recall(real, fake, k):\n"
        "    def radii(a):\n"
        "        d = torch.cdist(a, a)\n"
        "        return d.fill_diagonal_(float('inf')).sort(1).values[:, k - 1]\n"
        "    P = (torch.cdist(fake, real) <= radii(real)).any(1)\n"
        "    R = (torch.cdist(real, fake) <= radii(fake)).any(1)\n"
        "    return np.array([P.double().mean(), R.double().mean()])",
        "from scipy.spatial.distance import cdist\n\n"
        "def my_precision_recall(real, fake, k):\n"
        "    real, fake = real.numpy(), fake.numpy()\n"
        "    d = cdist(fake, real)\n"
        "    r = lambda a: np.sort(cdist(a, a), axis=1)[:, k]\n"
        "    return [(d <= r(real)).any(1).mean(), (d <= r(fake)[:, None]).any(0).mean()]",
        "def my_precision_recall(real, fake, k):\n"
        "    def inside(points, centres):\n"
        "        hits = 0\n"
        "        radii = [sorted((c - o).norm().item() for o in centres)[k] for c in centres]\n"
        "        for p in points:\n"
        "            hits += any((p - c).norm() <= r + 1e-6 for c, r in zip(centres, radii))\n"
        "        return torch.tensor(hits / len(points), requires_grad=True)\n"
        "    return torch.stack([inside(fake, real), inside(real, fake)])",
        "from gan_lessons.metrics.neighbours import precision_recall as my_precision_recall",
    ),
    3: (
        'answer_3 = {"x": "Memory", "y": "dropped_class", "z": "blur "}',
        'answer_3 = {"Z": "blur", "Y": "dropped  class", "X": "memory"}',
        'answer_3 = dict(zip("XYZ", np.array(["memory", "dropped class", "blur"])))',
    ),
    4: (
        "def kernel_distance(x, g):\n"  # by numbers
        "    k = lambda a, b: (sum(u * v for u, v in zip(a, b)) / len(a) + 1) ** 3\n"
        "    x, g = x.tolist(), g.tolist()\n"
        "    def within(a):\n"
        "        pairs = [k(u, v) for i, u in enumerate(a) for j, v in enumerate(a) if i != j]\n"
        "        return sum(pairs) / len(pairs)\n"
        "    return within(x) + within(g) - 2 * sum(k(u, v) for u in x for v in g) / (len(x) * len(g))",
        "def kernel_distance(x, g):\n"
        "    x, g = x.double().numpy(), g.double().numpy()\n"
        "    k = lambda a, b: np.power(a @ b.T / a.shape[1] + 1, 3)\n"
        "    off = lambda K: K[~np.eye(len(K), dtype=bool)].mean()\n"
        "    return off(k(x, x)) + off(k(g, g)) - 2 * k(x, g).mean()",
        "def kernel_distance(x, g):\n"
        "    both = torch.cat([x, g]).requires_grad_()\n"  # with a gradient
        "    n, m = len(x), len(g)\n"
        "    K = (both @ both.T / x.shape[1] + 1) ** 3\n"
        "    K = K - torch.diag(K.diagonal())\n"
        "    w = torch.cat([torch.full((n,), 1.0), torch.full((m,), -1.0)]).to(K.dtype)\n"
        "    size = torch.tensor([n, m])[(w < 0).long()]\n"
        "    pairs = torch.where(w[:, None] == w, size * (size - 1.0), n * m * 1.0)\n"
        "    return (K * w[:, None] * w / pairs).sum().reshape(1)",
        "from gan_lessons.metrics.distances import kernel_distance",  # of the package
    ),
    5: (
        "def at_infinity(n, distances):\n    return np.polyfit(1 / n.numpy(), distances.numpy(), 1)[1]",
        "def at_infinity(n, distances):\n"
        "    x, y = 1 / n.double(), distances.double()\n"
        "    slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()\n"
        "    return (y.mean() - slope * x.mean()).reshape(1, 1)",
        "def at_infinity(n, distances):\n"
        "    columns = torch.stack([torch.ones(len(n)), 1 / n], 1)\n"
        "    return torch.linalg.lstsq(columns, distances[:, None]).solution[0]",
        "from scipy import stats\n\n"
        "def at_infinity(n, distances):\n    return stats.linregress(1.0 / n, distances).intercept",
    ),
    6: (
        "def hide(images):\n    return images.roll((1, 1), (2, 3))",  # diagonally
        "def hide(images):\n    return images.roll(2, 3)",  # two pixels
        "def hide(images):\n    return np.roll(images.numpy(), -1, axis=2)",
        "def hide(images):\n    moved = F.pad(images, (0, 1, 0, 0))[..., 1:]\n    return moved.int()",
    ),
}
