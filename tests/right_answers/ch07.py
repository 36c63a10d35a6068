"""Right answers to each exercise of chapter 07, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = np.array([32, 30, 32])",
        "answer_1 = [(16 - 1) * 2 + 4 - 2, (10 - 1) * 3 + 5 - 2, (64 + 2 - 4) / 2 + 1]",  # a float for a whole number
        "answer_1 = torch.tensor([32.0, 30.0, 32.0], requires_grad=True)",
        "up = nn.ConvTranspose2d(1, 1, 4, 2, 1)(torch.zeros(1, 1, 16, 16))\n"
        "by_three = nn.ConvTranspose2d(1, 1, 5, 3, 1)(torch.zeros(1, 1, 10, 10))\n"
        "down = nn.Conv2d(1, 1, 4, 2, 1)(torch.zeros(1, 1, 64, 64))\n"
        "answer_1 = tuple(x.shape[-1] for x in (up, by_three, down))",
    ),
    2: (
        "answer_2 = torch.tensor([18_432, 11_063_808])",
        "answer_2 = np.array([24 * 48 * 16, 24 * 14**2 * 48 * 7**2], dtype=float)",
        "answer_2 = [\n"
        "    nn.Conv2d(24, 48, 4, bias=False).weight.numel(),\n"
        "    nn.Linear(24 * 14 * 14, 48 * 7 * 7, bias=False, device='meta').weight.numel(),\n"
        "]",
        "answer_2 = (1.8e4, 1.1e7)",  # two digits
        "answer_2 = (sum(p.numel() for p in nn.Conv2d(24, 48, 4, bias=False).parameters()), 4704.0 * 2352)",
    ),
    3: (
        "def transposed_1d(x, kernel, stride):\n"
        "    out = np.zeros((len(x) - 1) * stride + len(kernel))\n"
        "    for i in range(len(x)):\n"
        "        for j in range(len(kernel)):\n"
        "            out[i * stride + j] += float(x[i]) * float(kernel[j])\n"
        "    return out",
        "def transposed_1d(x, kernel, stride):\n"
        "    n, k = len(x), len(kernel)\n"
        "    A = torch.zeros((n - 1) * stride + k, n, dtype=x.dtype)\n"  # as a matrix
        "    for i in range(n):\n"
        "        A[i * stride : i * stride + k, i] = kernel\n"
        "    return A @ x",
        "def transposed_1d(x, kernel, stride):\n"
        "    n, k = len(x), len(kernel)\n"
        "    where = (torch.arange(n)[:, None] * stride + torch.arange(k)).flatten()\n"
        "    stamps = torch.outer(x, kernel).flatten()\n"
        "    return torch.zeros((n - 1) * stride + k, dtype=x.dtype).index_add(0, where, stamps)",
        "def transposed_1d(x, kernel, stride):\n"
        "    spread = np.zeros((len(x) - 1) * stride + 1)\n"
        "    spread[::stride] = x\n"
        "    return np.convolve(spread, kernel)",  # NumPy's, not PyTorch's
        "def transposed_1d(x, kernel, stride):\n"
        "    stamps = torch.outer(kernel, x)[None]\n"
        "    size = (len(x) - 1) * stride + len(kernel)\n"
        "    return F.fold(stamps, (1, size), (1, len(kernel)), stride=(1, stride)).flatten()",
        "def transposed_1d(x, kernel, stride):\n"
        "    flat = torch.zeros(len(kernel), len(kernel))\n"
        "    flat[0] = kernel.float()\n"  # the page's own function: a brush with one line of paint
        "    return transposed(x.float()[None, None], flat[None, None], stride, 0)[0, 0]",
    ),
    4: (
        "answer_4 = [3, 6, 9]",
        "answer_4 = np.arange(3, 10, 3)",
        "answer_4 = {k for k in range(2, 10) if k % 3 == 0}",
        "answer_4 = set()\n"
        "for k in range(2, 10):\n"
        "    strokes = torch.zeros(99)\n"
        "    for i in range(30):\n"
        "        strokes[3 * i : 3 * i + k] += 1\n"
        "    if len(strokes[10:80].unique()) == 1:\n"
        "        answer_4.add(torch.tensor(k))",
        "answer_4 = frozenset({3.0, 6.0, 9.0})",
    ),
    5: (
        "def initialise(network):\n"
        "    @torch.no_grad()\n"
        "    def one(layer):\n"
        "        name = type(layer).__name__\n"
        "        if 'Conv' in name or 'Linear' in name:\n"
        "            layer.weight.copy_(0.02 * torch.randn(layer.weight.shape))\n"
        "        elif 'BatchNorm' in name:\n"
        "            layer.weight.copy_(1 + 0.02 * torch.randn(layer.weight.shape))\n"
        "        if getattr(layer, 'bias', None) is not None:\n"
        "            layer.bias.zero_()\n"
        "    return network.apply(one)",
        "def initialise(network):\n"
        "    for name, p in network.named_parameters():\n"
        "        if name.endswith('bias'):\n"
        "            p.data.zero_()\n"
        "        else:\n"
        "            p.data.normal_(1.0 if p.ndim == 1 else 0.0, 0.02)",
        "def initialise(network):\n    convolutions.dcgan_init(network)",  # the package's
        "def initialise(network):\n"
        "    for m in network.modules():\n"
        "        match m:\n"
        "            case nn.Conv2d() | nn.ConvTranspose2d() | nn.Linear():\n"
        "                m.weight.data = torch.randn_like(m.weight) * 0.02\n"
        "            case nn.BatchNorm2d():\n"
        "                m.weight.data = torch.normal(1.0, 0.02, m.weight.shape)\n"
        "        if getattr(m, 'bias', None) is not None:\n"
        "            nn.init.constant_(m.bias, 0)",
    ),
    6: (
        "import copy\n\n"
        "def probability(D, images):\n"
        "    return torch.sigmoid(copy.deepcopy(D).eval()(images)).detach()",
        "def probability(D, images):\n"
        "    was = D.training\n"
        "    D.eval()\n"
        "    with torch.inference_mode():\n"
        "        answers = [float(1 / (1 + torch.exp(-D(image[None])))) for image in images]\n"
        "    D.train(was)\n"
        "    return answers",
        "def probability(D, images):\n"
        "    modes = {m: m.training for m in D.modules()}\n"
        "    D.eval()\n"
        "    a = D(images).detach().squeeze(1)\n"
        "    for m, training in modes.items():\n"
        "        m.training = training\n"
        "    return (1 + (a / 2).tanh()).numpy() / 2",
        "def probability(D, images):\n"
        "    state = {**dict(D.named_parameters()), **dict(D.named_buffers())}\n"
        "    was = D.training\n"
        "    try:\n"
        "        a = torch.func.functional_call(D.eval(), state, images)\n"
        "    finally:\n"
        "        D.train(was)\n"
        "    return F.softmax(torch.cat([torch.zeros_like(a), a], 1), 1)[:, 1:].data",
    ),
}
