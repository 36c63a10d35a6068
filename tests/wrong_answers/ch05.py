"""Typical wrong answers to each exercise of chapter 05, three or more."""

WRONG = {
    1: (
        'answer_1 = {"D, real": 1, "D, fake": 0, "G, fake": 0}',
        'answer_1 = {"D, real": 0, "D, fake": 1, "G, fake": 1}',
        'answer_1 = {"D, real": 1, "D, fake": -1, "G, fake": 1}',
        'answer_1 = {"D, real": torch.ones(64, 1), "D, fake": torch.zeros(64, 1), "G, fake": torch.rand(64, 1)}',
    ),
    2: (
        "answer_2 = 100 * 128 + 128 * 256 + 256 * 512 + 512 * 784",
        "answer_2 = 784 * 512 + 512 + 512 * 256 + 256 + 256 * 1 + 1",
        "answer_2 = 100 + 101 * 128 + 129 * 256 + 257 * 512 + 513 * 784",  # a bias for the noise
        "answer_2 = 580_000",  # about
    ),
    3: (
        "def idx_shape(file):\n    n = file[3]\n    return struct.unpack(f'<{n}I', file[4 : 4 + 4 * n])",
        "def idx_shape(file):\n    return struct.unpack(f'>{file[3]}I', file[4 : 4 + 4 * file[3]])",
        "def idx_shape(file):\n"  # two of the four bytes
        "    if file[:3] != bytes([0, 0, 8]):\n"
        "        raise ValueError\n"
        "    return tuple(int.from_bytes(file[6 + 4 * k : 8 + 4 * k], 'big') for k in range(file[3]))",
        "def idx_shape(file):\n"  # three of the four bytes
        "    if file[:3] != bytes([0, 0, 8]):\n"
        "        raise ValueError\n"
        "    return tuple(int.from_bytes(file[5 + 4 * k : 8 + 4 * k], 'big') for k in range(file[3]))",
        "def idx_shape(file):\n"  # another kind of error
        "    assert file[:3] == bytes([0, 0, 8])\n"
        "    return tuple(int.from_bytes(file[4 + 4 * k : 8 + 4 * k], 'big') for k in range(file[3]))",
        "def idx_shape(file):\n"  # no error at all
        "    if file[:3] != bytes([0, 0, 8]):\n"
        "        return\n"
        "    return tuple(int.from_bytes(file[4 + 4 * k : 8 + 4 * k], 'big') for k in range(file[3]))",
    ),
    4: (
        "def d_step(D, optimizer, real, fake):\n"
        "    a, b = D(real), D(fake)\n"
        "    loss = nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean()\n"
        "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"
        "    a, b = D(real), D(fake.detach())\n"
        "    loss = nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean()\n"
        "    loss.backward()\n    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"  # half
        "    a, b = D(real), D(fake.detach())\n"
        "    loss = (nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean()) / 2\n"
        "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"  # with probabilities, where logits of 200 are lost
        "    a, b = D(real).sigmoid(), D(fake.detach()).sigmoid()\n"
        "    loss = nn.BCELoss()(a, torch.ones_like(a)) + nn.BCELoss()(b, torch.zeros_like(b))\n"
        "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"  # cuts G's graph for good
        "    a, b = D(real), D(fake.detach_())\n"
        "    loss = nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean()\n"
        "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()",
        "def d_step(D, optimizer, real, fake):\n"  # D stays frozen
        "    a, b = D(real), D(fake.detach())\n"
        "    loss = nn.functional.softplus(-a).mean() + nn.functional.softplus(b).mean()\n"
        "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
        "    D.requires_grad_(False)",
    ),
    5: (
        'answer_5 = {"SGD": 0.5, "Adam": 0.5}',
        'answer_5 = {"SGD": 1.0, "Adam": 1.0}',
        'answer_5 = {"SGD": 2, "Adam": 1}',
        'answer_5 = {"SGD": 0.5, "Adam": 0}',
    ),
    6: (
        "def share_of_copies(samples, train, test):\n"
        "    limit = torch.cdist(test, train).min(1).values.quantile(0.05)\n"
        "    return float((torch.cdist(samples, test).min(1).values < limit).float().mean())",
        "def share_of_copies(samples, train, test):\n"
        "    limit = torch.cdist(test, train).min(1).values.mean()\n"
        "    return float((torch.cdist(samples, train).min(1).values < limit).float().mean())",
        "def share_of_copies(samples, train, test):\n"  # in per cent
        "    limit = torch.cdist(test, train).min(1).values.quantile(0.05)\n"
        "    return 100 * float((torch.cdist(samples, train).min(1).values < limit).float().mean())",
        "def share_of_copies(samples, train, test):\n"  # the distances of test images to each other
        "    d = torch.cdist(test, test).fill_diagonal_(float('inf'))\n"
        "    limit = d.min(1).values.quantile(0.05)\n"
        "    return float((torch.cdist(samples, train).min(1).values < limit).float().mean())",
        "def share_of_copies(samples, train, test):\n"  # the other end
        "    limit = torch.cdist(test, train).min(1).values.quantile(0.95)\n"
        "    return float((torch.cdist(samples, train).min(1).values < limit).float().mean())",
    ),
}
