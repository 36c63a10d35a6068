"""Two typical wrong answers to each exercise of chapter 07."""

WRONG = {
    1: ("answer_1 = (34, 32, 32)", "answer_1 = (32, 30, 31)"),
    2: (
        "answer_2 = (24 * 4 * 4, 24 * 14 * 14 * 48 * 7 * 7)",
        "answer_2 = (24 * 48 * 4 * 4, 24 * 48 * 14 * 14)",
    ),
    3: (
        "def transposed_1d(x, kernel, stride):\n"
        "    out = torch.zeros((len(x) - 1) * stride + len(kernel))\n"
        "    for i, value in enumerate(x):\n"
        "        out[i * stride : i * stride + len(kernel)] = value * kernel\n"
        "    return out",
        "def transposed_1d(x, kernel, stride):\n    return x.repeat_interleave(stride)",
    ),
    4: ("answer_4 = {3}", "answer_4 = {2, 4, 6, 8}"),
    5: (
        "def initialise(network):\n"
        "    for p in network.parameters():\n"
        "        nn.init.normal_(p, 0.0, 0.02) if p.ndim > 1 else nn.init.zeros_(p)",
        "def initialise(network):\n"
        "    for layer in network.modules():\n"
        "        if isinstance(layer, (nn.Conv2d, nn.Linear)):\n"
        "            nn.init.normal_(layer.weight, 0.0, 0.02)\n"
        "            if layer.bias is not None:\n"
        "                nn.init.zeros_(layer.bias)\n"
        "        if isinstance(layer, nn.BatchNorm2d):\n"
        "            nn.init.normal_(layer.weight, 1.0, 0.02)\n"
        "            nn.init.zeros_(layer.bias)",
    ),
    6: (
        "@torch.no_grad()\ndef probability(D, images):\n    return torch.sigmoid(D(images))",
        "@torch.no_grad()\ndef probability(D, images):\n    return D.eval()(images)",
    ),
}
