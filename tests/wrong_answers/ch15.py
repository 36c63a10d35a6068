"""Typical wrong answers to each exercise of chapter 15, three or more."""

WRONG = {
    1: (
        "answer_1 = (1.9233, 0.3233)",  # the wrong way round
        "answer_1 = (0.6467, 3.8467)",  # sums
        "answer_1 = (0.3233, -0.3233)",  # as if it were a game of one value
        "real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-1.0, 0.3])\n"
        "answer_1 = (F.softplus(-real).mean() + F.softplus(fake).mean(), 1.9233)",  # the plain game
        "answer_1 = (0.3233, F.softplus(-torch.tensor([-1.0, 0.3])).mean())",  # G without its half of the pair
        "answer_1 = (F.softplus(torch.tensor(-1.6)), F.softplus(torch.tensor(1.6)))",  # the mean first
    ),
    2: (
        "answer_2 = (10, 2, 4096)",
        "answer_2 = (5, 2, 4096)",
        "answer_2 = (20, 1, 4096)",
        "answer_2 = (20, 0.5, 4096)",
        "answer_2 = (20, 2, 64)",
        "answer_2 = (20, 2, 1 / 4096)",
    ),
    3: (
        "def both(D, real, fake, gamma):\n    return 2 * losses.r1_r2(D, real, fake, gamma)",  # no half
        "def both(D, real, fake, gamma):\n    return losses.r1(D, real, fake, gamma)",
        "def both(D, real, fake, gamma):\n    return losses.r1_r2(D, real, fake, gamma).detach()",
        "def both(D, real, fake, gamma):\n    return losses.r1_r2(D, real, fake, 1.0)",  # whatever gamma is
        "def both(D, real, fake, gamma):\n"
        "    real.requires_grad_()\n"  # changes what it was given
        "    return losses.r1_r2(D, real, fake, gamma)",
        "def both(D, real, fake, gamma):\n"
        "    total = 0\n"
        "    for x in (real, fake):\n"
        "        x = x.clone().requires_grad_()\n"
        "        (slope,) = torch.autograd.grad(D(x).mean(), x, create_graph=True)\n"  # the mean
        "        total = total + slope.flatten(1).square().sum(1).mean()\n"
        "    return gamma / 2 * total",
        "def both(D, real, fake, gamma):\n"
        "    total = 0\n"
        "    for x in (real, fake):\n"
        "        x = x.clone().requires_grad_()\n"
        "        (slope,) = torch.autograd.grad(D(x).sum(), x)\n"  # no graph
        "        total = total + slope.flatten(1).square().sum(1).mean()\n"
        "    return gamma / 2 * total",
        "def both(D, real, fake, gamma):\n"
        "    total = 0\n"
        "    for x in (real, fake):\n"
        "        x = x.clone().requires_grad_()\n"
        "        (slope,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)\n"
        "        total = total + slope.square().mean()\n"  # of the pixels, too
        "    return gamma / 2 * total",
        "def both(D, real, fake, gamma):\n"
        "    x = torch.cat([real, fake]).requires_grad_()\n"
        "    (slope,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)\n"
        "    return gamma * slope.flatten(1).square().sum(1).mean()",  # one mean of both batches
    ),
    4: (
        "answer_4 = 0.2158",
        "answer_4 = 0.4316",
        "answer_4 = 0.693",
        "answer_4 = 0.5",  # bits
        "answer_4 = 0",
    ),
    5: (
        "def moved(images, dx, dy):\n"
        "    return torch.stack([one.roll((y, x), (1, 2)) for one, x, y in zip(images, dx.tolist(), dy.tolist())])",
        "def moved(images, dx, dy):\n"
        "    return torch.stack([F.pad(one, (-x, x, -y, y), value=-1.0)\n"
        "                        for one, x, y in zip(images, dx.tolist(), dy.tolist())])",  # the other way
        "def moved(images, dx, dy):\n"
        "    return torch.stack([F.pad(one, (x, -x, y, -y))\n"
        "                        for one, x, y in zip(images, dx.tolist(), dy.tolist())])",  # grey comes in
        "def moved(images, dx, dy):\n"
        "    x, y = int(dx[0]), int(dy[0])\n"
        "    return F.pad(images, (x, -x, y, -y), value=-1.0)",  # all the same way
        "def moved(images, dx, dy):\n"
        "    return [F.pad(one, (x, -x, y, -y), value=-1.0)\n"
        "            for one, x, y in zip(images, dx.tolist(), dy.tolist())]",  # a list
        "def moved(images, dx, dy):\n"
        "    return torch.stack([F.pad(one, (x, -x, y, -y), value=-1.0)\n"
        "                        for one, x, y in zip(images.detach(), dx.tolist(), dy.tolist())])",
        "def moved(images, dx, dy):\n"
        "    return torch.stack([F.pad(one, (y, -y, x, -x), value=-1.0)\n"
        "                        for one, x, y in zip(images, dx.tolist(), dy.tolist())])",
    ),
    6: (
        "class Unfelt(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.w = nn.Parameter(torch.tensor([[1.0], [0.0]]))\n"
        "    def forward(self, x):\n"
        "        a = x @ self.w\n"
        "        return a - a.mean().detach()\n"  # the mean moves, and its gradient is cut off: she pays
        "def make():\n    return Unfelt()",
        "def make():\n    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))",
        "def make():\n"
        "    D = nn.Linear(2, 1)\n"
        "    nn.init.constant_(D.weight, 1.0)\n"
        "    return D",  # separates, and pays
        "def make():\n    return nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1)).eval()",
        "class Sign(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.w = nn.Parameter(torch.tensor([[1.0], [0.0]]))\n"
        "    def forward(self, x):\n"
        "        return (x @ self.w).sign()\n"  # no slope anywhere
        "def make():\n    return Sign()",
        "def make():\n    return lambda x: x[:, :1] - x[:, :1].mean()",  # no network
        "class Flat(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.w = nn.Parameter(torch.ones(2))\n"
        "    def forward(self, x):\n"
        "        return x @ self.w - (x @ self.w).mean()\n"  # (n,)
        "def make():\n    return Flat()",
        "class Halves(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.w = nn.Parameter(torch.ones(2, 1))\n"
        "    def forward(self, x):\n"
        "        a, first = x @ self.w, torch.arange(len(x))[:, None] < len(x) // 2\n"
        "        return first * 2.0 - 1 + 0.01 * (a - a.mean(0))\n"  # it looks at places in the batch, not at points
        "def make():\n    return Halves()",
        "CENTRED = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))\n"
        "nn.init.constant_(CENTRED[0].weight, 1.0)\n"
        "def make():\n    return CENTRED",  # the same D each time
    ),
}
