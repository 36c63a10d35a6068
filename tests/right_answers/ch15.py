"""Right answers to each exercise of chapter 15, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = (0.3233, 1.9233)",
        "real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-1.0, 0.3])\n"
        "answer_1 = [losses.relativistic.d_loss(real, fake), losses.relativistic.g_loss(real, fake)]",
        "gaps = np.array([3.0, 0.2])\nanswer_1 = np.log1p(np.exp(-gaps)).mean(), np.log1p(np.exp(gaps)).mean()",
    ),
    2: (
        "answer_2 = (20, 2, 4096)",
        "answer_2 = [2 * 10, 1 + 1, 64 * 64]",
        "answer_2 = torch.tensor([20.0, 2.0, 4.1e3])",  # two digits
    ),
    3: (
        "def both(D, real, fake, gamma):\n    return losses.r1_r2(D, real, fake, gamma)",
        "def both(D, real, fake, gamma):\n"
        "    def price(x):\n"
        "        x = x.detach().requires_grad_(True)\n"
        "        slope = torch.autograd.grad(D(x).sum(), x, create_graph=True)[0]\n"
        "        return (slope**2).reshape(len(x), -1).sum(1).mean()\n"
        "    return 0.5 * gamma * (price(real) + price(fake))",
        "def both(D, real, fake, gamma):\n"
        "    total = 0.0\n"
        "    for batch in (real, fake):\n"
        "        for one in batch:\n"  # one image at a time
        "            x = one[None].clone().requires_grad_()\n"
        "            (slope,) = torch.autograd.grad(D(x)[0, 0], x, create_graph=True)\n"
        "            total = total + slope.square().sum() / len(batch)\n"
        "    return gamma * total / 2",
        "def both(D, real, fake, gamma):\n"
        "    total = 0\n"
        "    for x in (real, fake):\n"
        "        x = x.detach().clone().requires_grad_()\n"
        "        logits = D(x)\n"
        "        (g,) = torch.autograd.grad(logits, x, torch.ones_like(logits), create_graph=True)\n"
        "        total = total + (gamma / 2) * g.square().sum() / len(g)\n"
        "    return total[None]",  # (1,)
        "def both(D, real, fake, gamma):\n"
        "    x = torch.cat([real, fake]).requires_grad_()\n"
        "    slope, = torch.autograd.grad(D(x).sum(), x, create_graph=True)\n"
        "    norms = slope.flatten(1).norm(dim=1) ** 2\n"
        "    return gamma / 2 * (norms[: len(real)].mean() + norms[len(real) :].mean())",
    ),
    4: (
        "answer_4 = 0.3466",
        "answer_4 = 0.5 * np.log(2)",
        "p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])\n"
        "a, b = torch.outer(p, q), torch.outer(q, p)\n"
        "m = (a + b) / 2\n"
        "answer_4 = (torch.xlogy(a, a / m).nansum() + torch.xlogy(b, b / m).nansum()) / 2",
    ),
    5: (
        "def moved(images, dx, dy):\n"
        "    h, w = images.shape[2:]\n"
        "    out = []\n"
        "    for one, x, y in zip(images, dx.tolist(), dy.tolist()):\n"
        "        one = F.pad(one, (max(x, 0), max(-x, 0), max(y, 0), max(-y, 0)), value=-1.0)\n"
        "        top, left = max(-y, 0), max(-x, 0)\n"
        "        out.append(one[:, top : top + h, left : left + w])\n"
        "    return torch.stack(out)",
        "def moved(images, dx, dy):\n"
        "    n, c, h, w = images.shape\n"
        "    rows, columns = torch.arange(h) - dy[:, None], torch.arange(w) - dx[:, None]\n"
        "    inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]\n"
        "    k = torch.arange(n)[:, None, None]\n"
        "    found = images[k, :, rows.clamp(0, h - 1)[:, :, None], columns.clamp(0, w - 1)[:, None, :]]\n"
        "    return torch.where(inside[:, None], found.permute(0, 3, 1, 2), -1.0)",
        "def moved(images, dx, dy):\n"
        "    # F.pad cuts where the numbers are negative\n"
        "    return torch.stack([F.pad(one, (x, -x, y, -y), value=-1.0)\n"
        "                        for one, x, y in zip(images, dx.tolist(), dy.tolist())])",
    ),
    6: (
        "def make():\n"
        "    body = nn.Linear(2, 1)\n"
        "    with torch.no_grad():\n"
        "        body.weight.copy_(torch.tensor([[1.0, 0.0]]))\n"
        "    return nn.Sequential(body, nn.BatchNorm1d(1))",
        "class Shares(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.w = nn.Parameter(torch.tensor([[0.3], [0.0]]))\n"
        "    def forward(self, x):\n"
        "        return 4 * len(x) * (x @ self.w).softmax(0)\n"  # shares of a whole
        "def make():\n    return Shares()",
        "class Against(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.body = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))\n"
        "        for layer, value in ((self.body[0], 0.5), (self.body[2], 1.0)):\n"
        "            nn.init.constant_(layer.weight, value)\n"
        "            nn.init.zeros_(layer.bias)\n"
        "    def forward(self, x):\n"
        "        a = self.body(x)\n"
        "        return a - a.roll(len(x) // 2, 0)\n"  # each against another one: the sum is 0
        "def make():\n    return Against()",
    ),
}
