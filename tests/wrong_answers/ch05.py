"""Two typical wrong answers to each exercise of chapter 05."""

WRONG = {
    1: (
        'answer_1 = {"D, real": 1, "D, fake": 0, "G, fake": 0}',
        'answer_1 = {"D, real": 0, "D, fake": 1, "G, fake": 1}',
    ),
    2: (
        "answer_2 = 100 * 128 + 128 * 256 + 256 * 512 + 512 * 784",
        "answer_2 = 784 * 512 + 512 + 512 * 256 + 256 + 256 * 1 + 1",
    ),
    3: (
        "def idx_shape(file):\n    n = file[3]\n    return struct.unpack(f'<{n}I', file[4 : 4 + 4 * n])",
        "def idx_shape(file):\n    return struct.unpack(f'>{file[3]}I', file[4 : 4 + 4 * file[3]])",
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
    ),
    5: ('answer_5 = {"SGD": 0.5, "Adam": 0.5}', 'answer_5 = {"SGD": 1.0, "Adam": 1.0}'),
    6: (
        "def share_of_copies(samples, train, test):\n"
        "    limit = torch.cdist(test, train).min(1).values.quantile(0.05)\n"
        "    return float((torch.cdist(samples, test).min(1).values < limit).float().mean())",
        "def share_of_copies(samples, train, test):\n"
        "    limit = torch.cdist(test, train).min(1).values.mean()\n"
        "    return float((torch.cdist(samples, train).min(1).values < limit).float().mean())",
    ),
}
