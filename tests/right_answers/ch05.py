"""Right answers to each exercise of chapter 05, as unlike one another as students write them."""

RIGHT = {
    1: (
        'answer_1 = {"D, real": torch.ones(64, 1), "D, fake": torch.zeros(64, 1), "G, fake": torch.ones(64, 1)}',
        'answer_1 = {"G, fake": True, "D, real": True, "D, fake": False}',
        'answer_1 = {"d,real": np.float32(1), "D, fake ": 0.0, "G,  fake": np.ones((64, 1))}',
        'answer_1 = {"D, real": "real", "D, fake": "fake", "G, fake": "real"}',
    ),
    2: (
        "answer_2 = 579728.0",
        "sizes = np.array([100.0, 128, 256, 512, 784])\nanswer_2 = np.dot(sizes[:-1] + 1, sizes[1:])",
        "G = nn.Sequential(*[nn.Linear(m, n) for m, n in [(100, 128), (128, 256), (256, 512), (512, 784)]])\n"
        "answer_2 = torch.tensor(sum(p.numel() for p in G.parameters()))",
        "from gan_lessons import models\n"
        "G = models.mlp_generator((128, 256, 512), slope=0.2, signed=True)\n"
        "answer_2 = nn.utils.parameters_to_vector(G.parameters()).numel()",
    ),
    3: (
        "def idx_shape(file):\n"
        "    if not file.startswith(bytes([0, 0, 8])):\n"
        "        raise ValueError('no IDX file of bytes')\n"
        "    n = file[3]\n"
        "    return struct.unpack(f'>{n}I', file[4 : 4 + 4 * n])",
        "def idx_shape(file):\n"
        "    a, b, kind, n = file[:4]\n"
        "    if (a, b, kind) != (0, 0, 8):\n"
        "        raise UnicodeError('a kind of ValueError')\n"
        "    return np.frombuffer(file, '>u4', n, offset=4)",  # an array
        "def idx_shape(file):\n"
        "    if file[0] or file[1] or file[2] != 8:\n"
        "        raise ValueError(file[:3])\n"
        "    shape = []\n"
        "    for k in range(4, 4 + 4 * file[3], 4):\n"
        "        a, b, c, d = file[k : k + 4]\n"
        "        shape.append(((a * 256 + b) * 256 + c) * 256 + d)\n"
        "    return shape",  # a list
        "def idx_shape(file):\n"
        "    if file[:3] != b'\\0\\0\\x08':\n"
        "        raise ValueError('other bytes')\n"
        "    sizes = [int.from_bytes(file[4 * k + 4 : 4 * k + 8], 'big') for k in range(file[3])]\n"
        "    return torch.frombuffer(bytearray(file), dtype=torch.uint8, offset=4 + 4 * len(sizes)).view(sizes).shape",
    ),
    4: (
        "def d_step(D, optimizer, real, fake):\n"
        "    loss = nn.functional.softplus(-D(real)).mean() + nn.functional.softplus(D(fake.detach())).mean()\n"
        "    D.zero_grad()\n"
        "    loss.backward()\n"
        "    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"
        "    optimizer.zero_grad()\n"
        "    for images, label in ((real, 1.0), (fake.detach(), 0.0)):\n"  # one kind at a time
        "        a = D(images)\n"
        "        nn.functional.binary_cross_entropy_with_logits(a, torch.full_like(a, label)).backward()\n"
        "    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"
        "    a, b = D(real), D(fake)\n"  # no graph is cut, but only D is asked
        "    loss = -nn.functional.logsigmoid(a).mean() - nn.functional.logsigmoid(-b).mean()\n"
        "    for p, g in zip(D.parameters(), torch.autograd.grad(loss, list(D.parameters()))):\n"
        "        p.grad = g\n"
        "    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"
        "    images = torch.cat([real, fake.clone().detach()])\n"
        "    labels = torch.cat([torch.ones(len(real), 1), torch.zeros(len(fake), 1)]).to(images.dtype)\n"
        "    def closure():\n"
        "        optimizer.zero_grad(set_to_none=False)\n"
        "        loss = 2 * nn.BCEWithLogitsLoss()(D(images), labels)\n"
        "        loss.backward()\n"
        "        return loss\n"
        "    return optimizer.step(closure).item()",
        "from gan_lessons import losses\n"
        "from gan_lessons.training import discriminator_step\n\n"
        "def d_step(D, optimizer, real, fake):\n"
        "    discriminator_step(D, optimizer, losses.non_saturating, real, fake.detach())",
    ),
    5: (
        "from fractions import Fraction\nanswer_5 = {'sgd': Fraction(1, 2), 'adam': 1}",
        'answer_5 = {"Adam": np.float64(1.0), "SGD ": torch.tensor([0.5], requires_grad=True)}',
        "def first(kind, factor):\n"
        "    w = torch.tensor([2.0], requires_grad=True)\n"
        "    optimizer = kind([w], lr=0.1)\n"
        "    (factor * w**2).sum().backward()\n"
        "    optimizer.step()\n"
        "    return (w - 2.0).abs()\n\n"
        "kinds = {'SGD': torch.optim.SGD, 'Adam': torch.optim.Adam}\n"
        "answer_5 = {name: first(kind, 0.5) / first(kind, 1.0) for name, kind in kinds.items()}",  # measured
    ),
    6: (
        "def share_of_copies(samples, train, test):\n"  # to the letter
        "    dt, ds = (torch.cdist(x, train).min(1).values for x in (test, samples))\n"
        "    return ((dt[None] > ds[:, None]).float().mean(1) > 0.95).float().mean()",
        "def share_of_copies(samples, train, test):\n"
        "    dt, ds = (torch.cdist(x, train).amin(1) for x in (test, samples))\n"
        "    return (ds <= dt.quantile(0.05, interpolation='lower')).double().mean()",
        "from scipy.spatial import cKDTree\n\n"
        "def share_of_copies(samples, train, test):\n"
        "    tree = cKDTree(train.numpy())\n"
        "    dt, ds = (tree.query(x.numpy())[0] for x in (test, samples))\n"
        "    return np.mean(ds < np.percentile(dt, 5))",
        "def share_of_copies(samples, train, test):\n"
        "    def nearest(x):\n"
        "        return torch.stack([(train - row).square().sum(1).min() for row in x])\n"  # squares do as well
        "    limit = nearest(test).sort().values[int(0.05 * len(test))]\n"
        "    return sum(nearest(samples) < limit) / len(samples)",
        "from gan_lessons.metrics.neighbours import copy_limit\n"
        "from gan_lessons.metrics.neighbours import share_of_copies as of_the_package\n\n"
        "def share_of_copies(samples, train, test):\n"
        "    return of_the_package(samples, train, copy_limit(test, train))",
    ),
}
