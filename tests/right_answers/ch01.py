"""Right answers to each exercise of chapter 01, as unlike one another as students write them."""

RIGHT = {
    1: (
        'answer_1 = {"p(striped)": 0.65, "p(zebra | striped)": 0.85, "p(striped | zebra)": 0.92}',  # two digits
        "from fractions import Fraction\n"
        'answer_1 = {"p(striped)": Fraction(13, 20), "p(zebra | striped)": Fraction(11, 13), '
        '"p(striped | zebra)": Fraction(11, 12)}',
        "zoo = torch.tensor([[30.0, 10.0], [5.0, 55.0]], requires_grad=True)\n"
        'answer_1 = {"P(striped)": zoo[:, 1].sum() / 100, "p(zebra|striped)": zoo[1, 1] / zoo[:, 1].sum(), '
        '"p(striped|zebra) ": zoo[1, 1] / zoo[1].sum()}',
        "zoo = np.array([[30, 10], [5, 55]])\n"
        'answer_1 = {"p(striped | zebra)": zoo[1, 1:] / zoo[1].sum(), "p(striped)": zoo[:, 1].sum() / zoo.sum(), '
        '"p(zebra | striped)": zoo[1, 1] / zoo[:, 1].sum()}',  # in another order
    ),
    2: (
        "def spin(p, z):\n"
        "    ends = p.cumsum(0)\n"
        "    return torch.searchsorted(ends, z, right=True).clamp(max=len(p) - 1)",
        "def spin(p, z):\n"
        "    ends = np.cumsum(p.numpy())[:-1]\n"
        "    return [int(sum(value >= end for end in ends)) for value in z.numpy()]",
        "def spin(p, z):\n    return torch.bucketize(z, p.cumsum(0)[:-1], right=True)",
        "def spin(p, z):\n    return np.digitize(z.numpy(), np.cumsum(p.numpy())[:-1])",
    ),
    3: (
        "def density(x):\n    return 1 / (2 * math.sqrt(x))",  # of one number
        "def density(x):\n    return 0.5 * x**-0.5",
        "def density(x):\n    x = np.asarray(x)\n    return 1 / (2 * np.sqrt(x))",
        "def density(x):\n"
        "    z = torch.as_tensor(x).sqrt().requires_grad_()\n"
        "    (slope,) = torch.autograd.grad((z**2).sum(), z)\n"
        "    return 1 / slope",
    ),
    4: (
        "def log_mixture(log_p, share):\n"
        "    model = log_p + math.log1p(-share)\n"
        "    noise = torch.full_like(log_p, math.log(share))\n"
        "    return torch.logsumexp(torch.stack([model, noise]), 0)",
        "def log_mixture(log_p, share):\n    return np.logaddexp(log_p.numpy() + np.log(1 - share), np.log(share))",
        "def log_mixture(log_p, share):\n"
        "    def one(a, b):\n"
        "        return max(a, b) + math.log1p(math.exp(-abs(a - b)))\n"
        "    return [one(float(a) + math.log(1 - share), math.log(share)) for a in log_p]",
        "def log_mixture(log_p, share):\n"
        "    return math.log(share) + F.softplus(log_p + math.log(1 - share) - math.log(share))",
    ),
    5: (
        "def best_picture(pictures):\n    return pictures.quantile(0.5, dim=0)",
        "def best_picture(pictures):\n    return np.median(pictures.numpy(), axis=0)",
        "def best_picture(pictures):\n    return pictures.sort(0).values[len(pictures) // 2]",
        "def best_picture(pictures):\n"
        "    costs = (pictures[:, None] - pictures[None]).abs().sum(1)\n"  # of each pixel's n candidates
        "    return [column[int(cost.argmin())] for column, cost in zip(pictures.T, costs.T)]",
    ),
    6: (
        "def give_advice(D, x):\n"
        "    x = x.detach().clone().requires_grad_()\n"
        "    return torch.autograd.grad(D(x).sum(), x)[0].numpy()",
        "def give_advice(D, x):\n"
        "    arrows = []\n"
        "    for point in x:\n"
        "        point = point.clone().requires_grad_()\n"
        "        arrows.append(torch.autograd.grad(D(point[None]).squeeze(), point)[0])\n"
        "    return arrows",  # one at a time
        "def give_advice(D, x):\n"
        "    x = x.clone().requires_grad_()\n"
        "    D(x).sum().backward(inputs=[x])\n"
        "    return x.grad",
        "def give_advice(D, x):\n    return torch.func.vmap(torch.func.grad(lambda one: D(one)[0]))(x).detach()",
    ),
}
