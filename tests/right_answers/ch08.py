"""Right answers to each exercise of chapter 08, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = np.array([4, 17, 65, 8256])",
        "answer_1 = [4.0, 17.0, 65.0, 129 * (32 / 4) ** 2]",  # floats for whole numbers
        "answer_1 = torch.tensor([4, 17, 65, 129 * 64])",
        "from gan_lessons.models.colour import colour_discriminator\n"
        "D = colour_discriminator(size=32)\n"
        "layers = [m for m in D.modules() if isinstance(m, nn.Conv2d)]\n"
        "lines = [m for m in D.modules() if isinstance(m, nn.Linear)]\n"
        "answer_1 = [layer.in_channels for layer in layers] + [lines[-1].in_features]",
    ),
    2: (
        "answer_2 = (1, 0, 0.71)",  # two digits, as the page itself prints
        "answer_2 = np.array([np.std([-1, 1]), np.std([0, 0]), np.std([-1, 1, 0, 0])])",
        "import sympy\nanswer_2 = (sympy.Integer(1), 0, 1 / sympy.sqrt(2))",
        "x = torch.tensor([-1.0, 1.0, 0.0, 0.0], requires_grad=True)\n"
        "answer_2 = torch.stack([part.std(unbiased=False) for part in (x[:2], x[2:], x)])",
        "import statistics\nanswer_2 = [statistics.pstdev(batch) for batch in ([-1, 1], [0, 0], [-1, 1, 0, 0])]",
        "from gan_lessons.models.layers import deviation\n"
        "answer_2 = [deviation(torch.tensor(b)[:, None]) for b in ([-1.0, 1.0], [0.0, 0.0], [-1.0, 1.0, 0.0, 0.0])]",
    ),
    3: (
        "forged = scrambled",  # the page's own
        "def forged(images):\n    return F.interpolate(F.avg_pool2d(images, 4), scale_factor=4)",  # mosaics
        "def forged(images):\n"
        "    out = images.numpy().copy()\n"
        "    for y in range(0, 16, 4):\n"
        "        for x in range(0, 16, 4):\n"
        "            out[:, :, y : y + 4, x : x + 4] = out[:, :, y : y + 4, x : x + 4].transpose(0, 1, 3, 2)\n"
        "    return out",
        "def forged(images):\n"
        "    room = -F.max_pool2d(-torch.minimum(images, 1 - images), 4)\n"  # chequered, as far as the edges allow
        "    signs = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=images.dtype).repeat(8, 8)\n"
        "    return images + signs * room.repeat_interleave(4, 2).repeat_interleave(4, 3)",
        "def forged(images):\n"
        "    noise_ = torch.randn_like(images)\n"
        "    noise_ = noise_ - F.interpolate(F.avg_pool2d(noise_, 4), scale_factor=4)\n"
        "    mean = F.interpolate(F.avg_pool2d(images, 4), scale_factor=4)\n"
        "    room = torch.minimum(mean, 1 - mean) / noise_.abs().amax((1, 2, 3), keepdim=True)\n"
        "    return mean + room * noise_",
    ),
    4: (
        "answer_4 = 11.0",
        "answer_4 = np.ceil(1 / (1 - 0.95**2))",
        "answer_4 = next(k for k in range(1, 99) if (1 - 1 / k) ** 0.5 >= 0.95)",
        "import sympy\nanswer_4 = sympy.ceiling(1 / (1 - sympy.Rational(95, 100) ** 2))",
        "k = torch.arange(1.0, 100.0)\nanswer_4 = k[(1 - 1 / k).sqrt() >= 0.95].min()",
    ),
    5: (
        "def with_deviation(x):\n"
        "    n, c, h, w = x.shape\n"
        "    number = x.std(dim=0, correction=0).mean()\n"  # with care at 0, by torch
        "    return torch.cat([x, number * torch.ones(n, 1, h, w, dtype=x.dtype)], dim=1)",
        "def with_deviation(x):\n"
        "    v = ((x - x.mean(0, keepdim=True)) ** 2).mean(0)\n"
        "    number = torch.sqrt(v + 1e-5).mean()\n"
        "    return torch.cat((x, number.repeat(len(x), 1, *x.shape[2:])), 1)",
        "def with_deviation(x):\n"
        "    mean, square = x.double().mean(0), x.double().square().mean(0)\n"
        "    number = ((square - mean.square()).clamp(min=0) + 1e-9).sqrt().mean()\n"
        "    return F.pad(x, (0, 0, 0, 0, 0, 1)) + number * F.pad(torch.zeros_like(x), (0, 0, 0, 0, 0, 1), value=1.0)",
        "from gan_lessons.models.layers import BatchDeviation\n\nwith_deviation = BatchDeviation(None)",
        "def with_deviation(x):\n"
        "    total = 0.0\n"
        "    for pixels in x.flatten(1).T:\n"
        "        total = total + (pixels.var(correction=0) + 1e-8) ** 0.5\n"
        "    number = total / x[0].numel()\n"
        "    return torch.stack([torch.cat([image, number.expand(1, *image.shape[1:])]) for image in x])",
    ),
    6: (
        "def leave_one_out(K, Y, lam):\n"
        "    rows = []\n"
        "    for k in range(len(Y)):\n"
        "        keep = [i for i in range(len(Y)) if i != k]\n"
        "        part = K[keep][:, keep] + lam * torch.eye(len(keep), dtype=K.dtype)\n"
        "        rows.append(K[k, keep] @ torch.linalg.solve(part, Y[keep]))\n"
        "    return torch.stack(rows)",
        "def leave_one_out(K, Y, lam):\n"
        "    H = torch.linalg.solve(K + lam * torch.eye(len(K), dtype=K.dtype), K)\n"  # the hat matrix
        "    h = H.diagonal()[:, None]\n"
        "    return (H @ Y - h * Y) / (1 - h)",
        "def leave_one_out(K, Y, lam):\n"
        "    K, Y = K.numpy().astype(float), Y.numpy().astype(float)\n"
        "    A = np.linalg.inv(K + lam * np.eye(len(K)))\n"
        "    return Y - A @ Y / np.diag(A)[:, None]",
        "def leave_one_out(K, Y, lam):\n"
        "    values, vectors = torch.linalg.eigh(K)\n"
        "    A = (vectors / (values + lam)) @ vectors.T\n"
        "    return Y - (A @ Y) / torch.diag(A).unsqueeze(1)",
    ),
}
