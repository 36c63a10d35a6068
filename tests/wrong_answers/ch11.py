"""Typical wrong answers to each exercise of chapter 11, three or more."""

PAIRS = "import numpy as np\nfrom itertools import combinations\n"

WRONG = {
    1: (
        'answer_1 = dict(enumerate("abcdefghij", start=1))',
        'answer_1 = {bed: "a" for bed in range(1, 11)}',  # all healthy
        'answer_1 = dict(enumerate("hijdefbgac", start=1))',  # two beds exchanged
        'answer_1 = {1: "h", 2: "i", 3: "j"}',  # too few
        'answer_1 = dict(enumerate("hijdefbagc"))',  # counts from 0
    ),
    2: (
        'answer_2 = {"times": 5, "lessons": 2_793}',  # D's moves only
        'answer_2 = {"times": 3, "lessons": 3_000}',  # a move is a move
        'answer_2 = {"times": 29 / 9, "lessons": 9_000}',  # the same rounds
        'answer_2 = {"times": 29 / 10, "lessons": 2_793}',  # a round of 1:1 for 10 units
        'answer_2 = {"times": 3.22, "lessons": 90_000 / 29}',
        'answer_2 = {"times": 20 / 9, "lessons": 2_793}',  # by how much more
    ),
    3: (
        "real, fake = [0.0] * 100, [0.0] * 100",  # the officer who says one half
        "real, fake = [1.0] * 100, [-1.0] * 100",  # a good one, but not at these losses
        "real, fake = [0.002] * 100, [-0.002] * 100",  # one half by another name
        "real, fake = [1e-9] * 100, torch.full((100, 1), -1e-9)",
        "real, fake = [0.0] * 15 + [0.03] * 85, [-0.009] * 100",
        "real, fake = [0.03] * 85 + [-0.17] * 15, [-0.03] * 85 + [0.17] * 15",  # sure of nothing
        "real, fake = [0.638] * 200, [-0.1446] * 180 + [4.0] * 20",  # twice as many as asked
    ),
    4: (
        "def dance(x, y, h, n, at_once):\n"
        "    for _ in range(n):\n"
        "        x, y = x - h * y, y + h * x\n"  # always at once
        "    return x, y",
        "def dance(x, y, h, n, at_once):\n"
        "    for _ in range(n):\n"
        "        old = y\n"
        "        x = x - h * y\n"  # G first
        "        y = old + h * (x + h * old if at_once else x)\n"
        "    return x, y",
        "def dance(x, y, h, n, at_once):\n"
        "    for _ in range(n):\n"
        "        if at_once:\n"
        "            x = x - h * y\n"
        "            y = y + h * x\n"  # of the new x
        "        else:\n"
        "            y = y + h * x\n"
        "            x = x - h * y\n"
        "    return x, y",
        "def dance(x, y, h, n, at_once):\n"
        "    t = h * n\n"  # the flow, which circles
        "    return x * math.cos(t) - y * math.sin(t), y * math.cos(t) + x * math.sin(t)",
        "def dance(x, y, h, n, at_once):\n"
        "    for _ in range(n + 1):\n"
        "        if at_once:\n"
        "            x, y = x - h * y, y + h * x\n"
        "        else:\n"
        "            y = y + h * x\n"
        "            x = x - h * y\n"
        "    return x, y",
    ),
    5: (
        "import numpy as np\n"
        "def twins(curves, distances, tolerance):\n"
        "    order = np.argsort(distances)\n"
        "    return tuple(sorted((int(order[0]), int(order[-1]))))",  # the curves are not looked at
        PAIRS + "def twins(curves, distances, tolerance):\n"
        "    pairs = combinations(range(len(curves)), 2)\n"
        "    return min(pairs, key=lambda p: np.mean((curves[p[0]] - curves[p[1]]) ** 2))",  # not the distances
        PAIRS + "def twins(curves, distances, tolerance):\n"
        "    rms = lambda i, j: np.sqrt(np.mean((curves[i] - curves[j]) ** 2))\n"
        "    alike = [p for p in combinations(range(len(curves)), 2) if rms(*p) <= tolerance]\n"
        "    return max(alike, key=lambda p: abs(distances[p[0]] - distances[p[1]]))",  # the difference
        PAIRS + "def twins(curves, distances, tolerance):\n"
        "    rms = lambda i, j: np.sqrt(np.mean((curves[i] - curves[j]) ** 2))\n"
        "    alike = [p for p in combinations(range(len(curves)), 2) if rms(*p) < tolerance]\n"  # not at most
        "    return max(alike, key=lambda p: abs(np.log(distances[p[0]] / distances[p[1]])), default=(0, 1))",
        PAIRS + "def twins(curves, distances, tolerance):\n"
        "    gap = lambda i, j: np.abs(curves[i] - curves[j]).max()\n"
        "    alike = [p for p in combinations(range(len(curves)), 2) if gap(*p) <= tolerance]\n"
        "    return max(alike, key=lambda p: abs(np.log(distances[p[0]] / distances[p[1]])), default=(0, 1))",
        PAIRS + "def twins(curves, distances, tolerance):\n"
        "    rms = lambda i, j: np.sqrt(np.mean((curves[i] - curves[j]) ** 2))\n"
        "    alike = [p for p in combinations(range(len(curves)), 2) if rms(*p) <= tolerance]\n"
        "    return max(alike, key=lambda p: distances[p[0]] / distances[p[1]])",  # one way round only
        PAIRS + "def twins(curves, distances, tolerance):\n"
        "    rms = lambda i, j: np.sqrt(np.mean((curves[i] - curves[j]) ** 2))\n"
        "    alike = [p for p in combinations(range(len(curves)), 2) if rms(*p) <= tolerance]\n"
        "    best = max(alike, key=lambda p: abs(np.log(distances[p[0]] / distances[p[1]])))\n"
        "    distances[:] = 0\n"  # leaves a trace
        "    return best",
    ),
}
