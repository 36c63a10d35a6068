"""Right answers to each exercise of chapter 11, as unlike one another as students write them."""

RIGHT = {
    1: (
        'answer_1 = {bed: f" {letter.upper()} " for bed, letter in zip(range(10, 0, -1), "cgabfedjih")}',
        'answer_1 = {np.int64(k): letter for k, letter in enumerate(np.array(list("hijdefbagc")), 1)}',
        'answer_1 = ["h", "i", "j", "d", "e", "f", "b", "a", "g", "c"]',  # in the order of the beds
        'answer_1 = {str(bed): f"({letter})" for bed, letter in enumerate("hijdefbagc", start=1)}',
    ),
    2: (
        "units = np.array([5 * (5 + 1) - 1, 5 * (1 + 1) - 1])\n"
        'answer_2 = {"times": units[0] / units[1], "lessons": np.int64(9_000) * units[1] / units[0]}',
        'from fractions import Fraction\nanswer_2 = {"lessons ": 81_000 * Fraction(1, 29), "Times": Fraction(29, 9)}',
        "answer_2 = dict(times=torch.tensor([3.2], requires_grad=True), lessons=torch.tensor(2_793))",  # whole lessons
        'import sympy\nk = sympy.Symbol(\'k\')\nanswer_2 = {"times": sympy.solve(9 * k - 29, k)[0], "lessons": 2.79e3}',
        'answer_2 = {"times": 3.22, "lessons": 9_000 * 9 // 29}',
    ),
    3: (
        "a = torch.nn.Parameter(torch.tensor([0.5, -0.2, 3.0]))\n"  # real, most forged, the forged that fool
        "optimizer = torch.optim.Adam([a], lr=0.05)\n"
        "for _ in range(800):\n"
        "    real, fake = a[0].repeat(100), torch.cat([a[1].repeat(88), a[2].repeat(12)])\n"
        "    d = torch.nn.functional.softplus(-real).mean() + torch.nn.functional.softplus(fake).mean()\n"
        "    g = torch.nn.functional.softplus(-fake).mean()\n"
        "    optimizer.zero_grad()\n"
        "    ((d - 2 * math.log(2)) ** 2 + (g - math.log(2)) ** 2).backward()\n"
        "    optimizer.step()",  # with their gradient
        "fake = np.r_[np.full(85, -0.2288), np.full(15, 5.0)][:, None]\n"
        "cost = np.logaddexp(0, fake).mean()\n"
        "real = torch.full((100, 1), -math.log(math.expm1(2 * math.log(2) - cost)), dtype=torch.float64)",
        "real = [5.0] * 20 + [0.0] * 80\n"  # another officer on the real images
        "fake = [4.0] * 10 + [-0.1446] * 90\n"
        "need = 2 * math.log(2) - sum(math.log1p(math.exp(f)) for f in fake) / 100\n"
        "rest = (need - 0.2 * math.log1p(math.exp(-5.0))) / 0.8\n"
        "real[20:] = [-math.log(math.expm1(rest))] * 80",
        "from scipy.optimize import brentq\n"
        "mean = lambda e: 0.95 * np.log1p(np.exp(e)) + 0.05 * np.log1p(np.exp(-3.0)) - np.log(2)\n"
        "e = brentq(mean, 0, 1)\n"
        "fake = tuple([-e] * 95 + [3.0] * 5)\n"
        "cost = 0.95 * np.log1p(np.exp(-e)) + 0.05 * np.log1p(np.exp(3.0))\n"
        "real = np.repeat(-np.log(np.expm1(2 * np.log(2) - cost)), 100).astype(np.float32)",
        "real, fake = [0.64] * 100, [-0.14] * 90 + [4] * 10",  # two digits
    ),
    4: (
        "def dance(x, y, h, n, at_once):\n"
        "    round_ = np.array([[1.0, -h], [h, 1.0]]) if at_once else np.array([[1.0 - h * h, -h], [h, 1.0]])\n"
        "    return np.linalg.matrix_power(round_, n) @ np.array([x, y])",
        "def dance(x, y, h, n, at_once):\n"
        "    v = torch.tensor([x, y])\n"  # float32
        "    for _ in range(n):\n"
        "        slope = torch.stack([-v[1], v[0]])\n"
        "        if at_once:\n"
        "            v = v + h * slope\n"
        "        else:\n"
        "            v = torch.stack([v[0], v[1] + h * v[0]])\n"
        "            v = torch.stack([v[0] - h * v[1], v[1]])\n"
        "    return v",
        "def dance(x, y, h, n, at_once):\n"
        "    if at_once:\n"
        "        z = complex(x, y) * (1 + 1j * h) ** n\n"
        "        return [z.real, z.imag]\n"
        "    if n == 0:\n"
        "        return [x, y]\n"
        "    y = y + h * x\n"
        "    return dance(x - h * y, y, h, n - 1, False)",
        "def dance(x, y, h, n, at_once):\n"
        "    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)\n"
        "    y = torch.tensor(y, dtype=torch.float64, requires_grad=True)\n"
        "    for _ in range(n):\n"
        "        down, up = torch.autograd.grad(x * y, (x, y))\n"  # the slopes by autograd
        "        if not at_once:\n"
        "            y = (y + h * up).detach().requires_grad_()\n"
        "            (down,) = torch.autograd.grad(x * y, x)\n"
        "            x = (x - h * down).detach().requires_grad_()\n"
        "        else:\n"
        "            x, y = (x - h * down).detach().requires_grad_(), (y + h * up).detach().requires_grad_()\n"
        "    return x, y",
    ),
    5: (
        "def twins(curves, distances, tolerance):\n"
        "    curves, logs = torch.as_tensor(curves), torch.as_tensor(distances).log()\n"
        "    gap = (curves[:, None] - curves[None]).square().mean(-1).sqrt()\n"
        "    ratio = (logs[:, None] - logs[None]).abs()\n"
        "    ratio[gap > tolerance] = -1\n"
        "    ratio = ratio.triu(1) - torch.ones_like(ratio).tril()\n"
        "    best = ratio.argmax()\n"
        "    return torch.stack([best // len(curves), best % len(curves)])",
        "def twins(curves, distances, tolerance):\n"
        "    best, pair = 0.0, None\n"
        "    for i in range(len(curves)):\n"
        "        for j in range(i + 1, len(curves)):\n"
        "            gap = np.linalg.norm(curves[i] - curves[j]) / math.sqrt(len(curves[i]))\n"
        "            larger, smaller = max(distances[i], distances[j]), min(distances[i], distances[j])\n"
        "            if gap <= tolerance and larger / smaller > best:\n"
        "                best, pair = larger / smaller, [i, j]\n"
        "    return pair",
        "from itertools import combinations\n\n"
        "def twins(curves, distances, tolerance):\n"
        "    def ratio(pair):\n"
        "        a, b = distances[list(pair)]\n"
        "        return max(a / b, b / a)\n"
        "    rms = {p: np.square(curves[p[0]] - curves[p[1]]).mean() ** 0.5\n"
        "           for p in combinations(range(len(distances)), 2)}\n"
        "    return np.array(sorted((p for p in rms if rms[p] <= tolerance), key=ratio)[-1])",
    ),
}
