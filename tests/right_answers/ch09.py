"""Right answers to each exercise of chapter 09, as unlike one another as students write them."""

RIGHT = {
    1: (
        "answer_1 = np.array([0.75, 0.96])",  # two digits
        "from fractions import Fraction\nanswer_1 = (Fraction(3, 4), Fraction(27, 28))",
        "answer_1 = [1 / (1 + 4 / 12), 2.25 / (2.25 + 1 / 12)]",
        "m, s2 = torch.tensor([1.0, 1.5], requires_grad=True), torch.tensor([4 / 12, 1 / 12])\n"
        "answer_1 = m**2 / (m**2 + s2)",
        "import sympy\nx = sympy.symbols('x')\n"
        "def common(low, high):\n"
        "    mean = sympy.integrate(x / (high - low), (x, low, high))\n"
        "    return mean**2 / sympy.integrate(x**2 / (high - low), (x, low, high))\n"
        "answer_1 = common(0, 2), common(1, 2)",
    ),
    2: (
        "def standardise(z, low, high):\n    return (2 * (z - low) / (high - low) - 1) * 3**0.5",
        "def standardise(z, low, high):\n"
        "    z = z.numpy()\n"
        "    return (z - np.mean([low, high])) / np.sqrt((high - low) ** 2 / 12)",
        "def standardise(z, low, high):\n"
        "    law = torch.distributions.Uniform(low, high)\n"
        "    return (z - law.mean) / law.stddev",
        "def standardise(z, low, high):\n"
        "    return [[12**0.5 * ((float(x) - low) / (high - low) - 0.5) for x in row] for row in z]",
    ),
    3: (
        "def shortening(mean, std):\n    return np.sqrt(1 - std**2 / (2 * (mean**2 + std**2)))",
        "def shortening(mean, std):\n    return torch.sqrt((mean**2 + std**2 / 2) / (mean**2 + std**2))",
        "def shortening(mean, std):\n"
        "    cosine = mean**2 / (mean**2 + std**2)\n"
        "    return ((1 + cosine) / 2) ** 0.5",  # of two unit vectors
        "def shortening(mean, std):\n    return math.hypot(mean, std / math.sqrt(2)) / math.hypot(mean, std)",
        "def shortening(mean, std):\n"
        "    source = torch.Generator().manual_seed(0)\n"
        "    a, b = mean + std * torch.randn(2, 300_000, generator=source)\n"
        "    return ((a + b) / 2).norm() / ((a.norm() + b.norm()) / 2)",  # tried
    ),
    4: (
        "def dose(r, std, dim):\n    return np.maximum(0, r * std / np.sqrt(dim) - 1 / dim)",
        "def dose(r, std, dim):\n    return torch.relu((r * std * torch.sqrt(dim) - 1) / dim)",  # tensors only
        "def dose(r, std, dim):\n"
        "    if r * std * math.sqrt(dim) <= 1:\n"
        "        return 0\n"
        "    low, high = 0.0, 1e6\n"
        "    for _ in range(100):\n"
        "        mean = (low + high) / 2\n"
        "        fast = (mean * dim + 1) / (std * math.sqrt(dim)) > r\n"
        "        low, high = (low, mean) if fast else (mean, high)\n"
        "    return low",
        "def dose(r, std, dim):\n"
        "    mean = torch.tensor(r * std / dim**0.5, dtype=torch.float64, requires_grad=True) - 1 / dim\n"
        "    return mean.clamp(min=0)",
    ),
    5: (
        "def turn(mean):\n"
        "    d = len(mean)\n"
        "    basis = torch.eye(d, dtype=torch.float64)\n"
        "    basis[:, 0] = mean\n"
        "    if mean[0] == 0:\n"  # swap an axis in, so that the columns stay independent
        "        k = int(mean.abs().argmax())\n"
        "        basis[:, k] = torch.eye(d)[0]\n"
        "    return torch.linalg.qr(basis).Q",
        "def turn(mean):\n    _, _, Vh = torch.linalg.svd(mean[None], full_matrices=True)\n    return Vh.T",
        "def turn(mean):\n"
        "    u = (mean / mean.norm()).numpy().astype(float)\n"
        "    e = np.eye(len(u))[0]\n"
        "    v = u + np.copysign(1.0, u[0]) * e\n"
        "    return np.eye(len(u)) - 2 * np.outer(v, v) / (v @ v)",
        "def turn(mean):\n"
        "    Q, m = torch.eye(len(mean)), mean.clone()\n"
        "    for k in range(1, len(m)):\n"  # plane by plane, after Givens
        "        r = torch.hypot(m[0], m[k])\n"
        "        if r > 0:\n"
        "            c, s = m[0] / r, m[k] / r\n"
        "            a, b = Q[:, 0].clone(), Q[:, k].clone()\n"
        "            Q[:, 0], Q[:, k] = c * a + s * b, c * b - s * a\n"
        "            m[0], m[k] = r, 0.0\n"
        "    return Q",
        "def turn(mean):\n"
        "    v = mean / mean.norm()\n"
        "    v[0] -= 1\n"
        "    if v.norm() == 0:\n"
        "        return torch.eye(len(v))\n"
        "    return torch.eye(len(v)) - 2 * torch.outer(v, v) / v.dot(v)",
    ),
}
