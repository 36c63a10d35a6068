"""Typical wrong answers to each exercise of chapter 07, three or more."""

WRONG = {
    1: (
        "answer_1 = (34, 32, 32)",  # no padding
        "answer_1 = (32, 30, 31)",
        "answer_1 = (31, 29, 32)",  # one pixel short
        "answer_1 = (32, 30, 128)",  # up, not down
        "answer_1 = (32, 30, 31.5)",
    ),
    2: (
        "answer_2 = (24 * 4 * 4, 24 * 14 * 14 * 48 * 7 * 7)",
        "answer_2 = (24 * 48 * 4 * 4, 24 * 48 * 14 * 14)",
        "answer_2 = (24 * 48 * 4 * 4 * 7 * 7, 24 * 14 * 14 * 48 * 7 * 7)",  # a kernel for each place
        "answer_2 = (24 * 48 * 16 + 48, 24 * 14 * 14 * 48 * 7 * 7 + 48 * 7 * 7)",  # with biases
        "answer_2 = (24 * 48 * 16, 24 * 14 * 14 * 48 * 7 * 7 + 48 * 7 * 7)",
    ),
    3: (
        "def transposed_1d(x, kernel, stride):\n"
        "    out = torch.zeros((len(x) - 1) * stride + len(kernel))\n"
        "    for i, value in enumerate(x):\n"
        "        out[i * stride : i * stride + len(kernel)] = value * kernel\n"
        "    return out",  # overlaps are lost
        "def transposed_1d(x, kernel, stride):\n    return x.repeat_interleave(stride)",
        "def transposed_1d(x, kernel, stride):\n"
        "    out = torch.zeros((len(x) - 1) * stride + len(kernel))\n"
        "    for i, value in enumerate(x):\n"
        "        out[i * stride : i * stride + len(kernel)] += value * kernel.flip(0)\n"
        "    return out",
        "def transposed_1d(x, kernel, stride):\n"
        "    return F.conv_transpose1d(x[None, None], kernel[None, None], stride=stride)[0, 0]",  # PyTorch's
        "def transposed_1d(x, kernel, stride):\n"
        "    layer = nn.ConvTranspose1d(1, 1, len(kernel), stride, bias=False).to(x.dtype)\n"
        "    layer.weight.data = kernel[None, None]\n"
        "    return layer(x[None, None])[0, 0].detach()",
        "def transposed_1d(x, kernel, stride):\n"
        "    out = torch.zeros(len(x) * stride + len(kernel) - 1)\n"  # too long by stride - 1
        "    for i, value in enumerate(x):\n"
        "        out[i * stride : i * stride + len(kernel)] += value * kernel\n"
        "    return out",
        "def transposed_1d(x, kernel, stride):\n"
        "    x *= kernel[0]\n"  # changes what it was given
        "    out = torch.zeros((len(x) - 1) * stride + len(kernel), dtype=x.dtype)\n"
        "    for i, value in enumerate(x):\n"
        "        out[i * stride : i * stride + len(kernel)] += value * kernel / kernel[0]\n"
        "    return out",
    ),
    4: (
        "answer_4 = {3}",
        "answer_4 = {2, 4, 6, 8}",
        "answer_4 = {3, 6}",
        "answer_4 = {3, 6, 9, 12}",  # beyond the question
        "answer_4 = {3, 5, 7, 9}",  # odd ones
    ),
    5: (
        "def initialise(network):\n"
        "    for p in network.parameters():\n"
        "        nn.init.normal_(p, 0.0, 0.02) if p.ndim > 1 else nn.init.zeros_(p)",
        "def initialise(network):\n"
        "    for layer in network.modules():\n"
        "        if isinstance(layer, (nn.Conv2d, nn.Linear)):\n"  # transposed ones forgotten
        "            nn.init.normal_(layer.weight, 0.0, 0.02)\n"
        "            if layer.bias is not None:\n"
        "                nn.init.zeros_(layer.bias)\n"
        "        if isinstance(layer, nn.BatchNorm2d):\n"
        "            nn.init.normal_(layer.weight, 1.0, 0.02)\n"
        "            nn.init.zeros_(layer.bias)",
        "def initialise(network):\n"
        "    for layer in network:\n"  # the top level alone
        "        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)):\n"
        "            nn.init.normal_(layer.weight, float(isinstance(layer, nn.BatchNorm2d)), 0.02)\n"
        "            if layer.bias is not None:\n"
        "                nn.init.zeros_(layer.bias)",
        "def initialise(network):\n"
        "    for layer in network.modules():\n"
        "        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)):\n"
        "            middle = float(isinstance(layer, nn.BatchNorm2d))\n"
        "            layer.weight = nn.Parameter(middle + 0.02 * torch.randn(layer.weight.shape))\n"  # not in place
        "            if layer.bias is not None:\n"
        "                layer.bias = nn.Parameter(torch.zeros(len(layer.bias)))",
        "def initialise(network):\n"
        "    for layer in network.modules():\n"
        "        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)):\n"
        "            middle = float(isinstance(layer, nn.BatchNorm2d))\n"
        "            width = 0.02 * 3**0.5\n"
        "            nn.init.uniform_(layer.weight, middle - width, middle + width)\n"  # not a normal
        "            if layer.bias is not None:\n"
        "                nn.init.zeros_(layer.bias)",
        "def initialise(network):\n"
        "    for layer in network.modules():\n"
        "        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)):\n"
        "            nn.init.normal_(layer.weight, float(isinstance(layer, nn.BatchNorm2d)), 0.02**0.5)\n"  # the root
        "            if layer.bias is not None:\n"
        "                nn.init.zeros_(layer.bias)",
        "def initialise(network):\n"
        "    network = deepcopy(network)\n"
        "    convolutions.dcgan_init(network)\n"
        "    return network",  # a copy
    ),
    6: (
        "@torch.no_grad()\ndef probability(D, images):\n    return torch.sigmoid(D(images))",
        "@torch.no_grad()\ndef probability(D, images):\n    return D.eval()(images)",
        "@torch.no_grad()\ndef probability(D, images):\n    return torch.sigmoid(D.eval()(images))",  # the mode stays
        "@torch.no_grad()\n"
        "def probability(D, images):\n"
        "    D.eval()\n"
        "    told = torch.sigmoid(D(images))\n"
        "    D.train()\n"  # always
        "    return told",
        "def probability(D, images):\n"
        "    was = D.training\n"
        "    told = torch.sigmoid(D.eval()(images))\n"
        "    D.train(was)\n"
        "    return told",  # with its graph
        "def probability(D, images):\n"
        "    return torch.sigmoid(deepcopy(D).train()(images)).detach()",  # hangs on the batch
        "def probability(D, images):\n"
        "    was = D.training\n"
        "    D.eval().requires_grad_(False)\n"
        "    told = torch.sigmoid(D(images))\n"
        "    D.train(was).requires_grad_(True)\n"  # also those weights that were frozen for good
        "    return told",
        "@torch.no_grad()\n"
        "def probability(D, images):\n"
        "    a = deepcopy(D).eval()(images)\n"
        "    return a.exp() / (1 + a.exp())",  # overflows
        "@torch.no_grad()\n"
        "def probability(D, images):\n"
        "    return torch.sigmoid(deepcopy(D).eval()(images)).mean()",  # one for all
    ),
}
