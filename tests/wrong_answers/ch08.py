"""Typical wrong answers to each exercise of chapter 08, three or more."""

WRONG = {
    1: (
        "answer_1 = (3, 16, 64, 128 * 64)",  # no extra map
        "answer_1 = (4, 17, 65, 129 * 4 * 4)",  # of 16 x 16
        "answer_1 = (4, 17, 65, 128 * 64)",
        "answer_1 = (4, 16, 64, 129 * 64)",  # only the first
        "answer_1 = (4, 17, 65, 129 * 64 + 1)",  # and its bias
    ),
    2: (
        "answer_2 = (2**0.5, 0.0, (2 / 3) ** 0.5)",  # n - 1
        "answer_2 = (1.0, 0.0, 0.5)",
        "answer_2 = (1.0, 0.5, 0.71)",
        "answer_2 = (1.0, 0.0, 0.82)",  # n - 1, rounded
        "answer_2 = (1.0, 0.0, 1.0)",
    ),
    3: (
        "def forged(images):\n    return (images + 0.1 * torch.randn_like(images)).clamp(0, 1)",
        "def forged(images):\n    return images",
        "def forged(images):\n"
        "    mean = F.avg_pool2d(images, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)\n"
        "    return 0.9 * images + 0.1 * mean",  # nobody sees a difference
        "def forged(images):\n    return torch.full_like(images, float('nan'))",
        "def forged(images):\n"
        "    signs = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=images.dtype).repeat(8, 8)\n"
        "    return images + 0.1 * signs",  # over the edge
        "def forged(images):\n"
        "    out = images.reshape(-1, 3, 4, 4, 4, 4).flip(3, 5).reshape(images.shape)\n"
        "    out[1:2] = images[1:2]\n"  # all but one
        "    return out",
        "def forged(images):\n    return images.flip(3)",  # the blocks change places
        "def forged(images):\n"
        "    images[:] = images.reshape(-1, 3, 4, 4, 4, 4).flip(3, 5).reshape(images.shape)\n"
        "    return images",  # over the given ones
    ),
    4: (
        "answer_4 = 10",
        "answer_4 = 20",  # without the root
        "answer_4 = 1 / (1 - 0.95**2)",  # not yet whole
        "answer_4 = 10.3",
        "answer_4 = 12",
    ),
    5: (
        "def with_deviation(x):\n"
        "    number = x.std(0).mean()\n"
        "    return torch.cat([x, number.expand_as(x[:, :1])], 1)",
        "def with_deviation(x):\n"
        "    number = x.var(0, unbiased=False).sqrt().mean()\n"
        "    return torch.cat([x, number.expand_as(x[:, :1])], 1)",
        "def with_deviation(x):\n"
        "    number = (x.var(0, unbiased=False) + 1e-8).sqrt().mean().item()\n"
        "    return torch.cat([x, torch.full_like(x[:, :1], number)], 1)",  # no gradient
        "def with_deviation(x):\n"
        "    number = (x.var(0, unbiased=False) + 1e-8).sqrt().mean()\n"
        "    return torch.cat([x.detach(), number.expand_as(x[:, :1])], 1)",  # none through the images
        "def with_deviation(x):\n"
        "    v = x.var(0, unbiased=False)\n"
        "    number = v.sqrt().mean() if v.any() else 0 * x.sum()\n"  # equal in some pixels only
        "    return torch.cat([x, number.expand_as(x[:, :1])], 1)",
        "def with_deviation(x):\n"
        "    number = (x.var(0, unbiased=False) + 1e-8).mean().sqrt()\n"
        "    return torch.cat([x, number.expand_as(x[:, :1])], 1)",  # the root of a mean
        "def with_deviation(x):\n"
        "    number = (x.var(0, unbiased=False) + 1e-8).sqrt().mean((0, 1, 2))\n"
        "    return torch.cat([number.expand_as(x[:, :1]), x], 1)",  # in front
    ),
    6: (
        "def leave_one_out(K, Y, lam):\n"
        "    return K @ torch.linalg.solve(K + lam * torch.eye(len(K), dtype=K.dtype), Y)",
        "def leave_one_out(K, Y, lam):\n"
        "    inverse = torch.linalg.inv(K + lam * torch.eye(len(K), dtype=K.dtype))\n"
        "    return inverse @ Y / inverse.diagonal()[:, None]",
        "def leave_one_out(K, Y, lam):\n"
        "    inverse = torch.linalg.inv(K + lam * torch.eye(len(K), dtype=K.dtype))\n"
        "    return Y + inverse @ Y / inverse.diagonal()[:, None]",
        "def leave_one_out(K, Y, lam):\n"
        "    K += lam * torch.eye(len(K), dtype=K.dtype)\n"  # changes K
        "    inverse = torch.linalg.inv(K)\n"
        "    return Y - inverse @ Y / inverse.diagonal()[:, None]",
        "def leave_one_out(K, Y, lam):\n"
        "    inverse = torch.linalg.inv(K + 0.5 * torch.eye(len(K), dtype=K.dtype))\n"  # for one strength
        "    return Y - inverse @ Y / inverse.diagonal()[:, None]",
        "def leave_one_out(K, Y, lam):\n"
        "    inverse = torch.linalg.inv(K + lam)\n"  # lam on every entry
        "    return Y - inverse @ Y / inverse.diagonal()[:, None]",
    ),
}
