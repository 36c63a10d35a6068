"""Two typical wrong answers to each exercise of chapter 08."""

WRONG = {
    1: ("answer_1 = (3, 16, 64, 128 * 64)", "answer_1 = (4, 17, 65, 129 * 4 * 4)"),
    2: ("answer_2 = (2**0.5, 0.0, (2 / 3) ** 0.5)", "answer_2 = (1.0, 0.0, 0.5)"),
    3: (
        "def with_deviation(x):\n"
        "    number = x.std(0).mean()\n"
        "    return torch.cat([x, number.expand_as(x[:, :1])], 1)",
        "def with_deviation(x):\n"
        "    number = x.var(0, unbiased=False).sqrt().mean()\n"
        "    return torch.cat([x, number.expand_as(x[:, :1])], 1)",
    ),
    4: ("answer_4 = 10", "answer_4 = 20"),
    5: (
        "def forged(images):\n    return (images + 0.1 * torch.randn_like(images)).clamp(0, 1)",
        "def forged(images):\n    return images",
    ),
    6: (
        "def leave_one_out(K, Y, lam):\n"
        "    return K @ torch.linalg.solve(K + lam * torch.eye(len(K), dtype=K.dtype), Y)",
        "def leave_one_out(K, Y, lam):\n"
        "    inverse = torch.linalg.inv(K + lam * torch.eye(len(K), dtype=K.dtype))\n"
        "    return inverse @ Y / inverse.diagonal()[:, None]",
    ),
}
