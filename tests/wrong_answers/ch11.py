"""Two typical wrong answers to each exercise of chapter 11."""

WRONG = {
    1: (
        'answer_1 = {"times": 5, "lessons": 3_000}',  # D's moves only
        'answer_1 = {"times": 3, "lessons": 9_000 // 6}',  # a round taken for a move
    ),
    2: (
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
    ),
    3: (
        "real, fake = [0.0] * 100, [0.0] * 100",  # the officer who says one half
        "real, fake = [1.0] * 100, [-1.0] * 100",  # a good one, but not at these losses
    ),
    4: (
        "import numpy as np\n"
        "def twins(curves, distances, tolerance):\n"
        "    order = np.argsort(distances)\n"
        "    return tuple(sorted((int(order[0]), int(order[-1]))))",  # the curves are not looked at
        "import numpy as np\n"
        "from itertools import combinations\n"
        "def twins(curves, distances, tolerance):\n"
        "    pairs = combinations(range(len(curves)), 2)\n"
        "    return min(pairs, key=lambda p: np.mean((curves[p[0]] - curves[p[1]]) ** 2))",  # not the distances
    ),
    5: (
        'answer_5 = dict(enumerate("abcdefghij", start=1))',
        'answer_5 = {bed: "a" for bed in range(1, 11)}',  # all healthy
    ),
}
