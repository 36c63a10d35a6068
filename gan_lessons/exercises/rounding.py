"""One rule for rounded numbers: two significant digits are right, and a rounded answer is no misconception."""

import math
from collections.abc import Iterable

Turns = Iterable[tuple[float, str]]  # what a misconception leads to, and the pointer for it


def rounded(answer: float, truth: float, digits: int = 2) -> bool:
    """Whether an answer is the truth, or the truth rounded to at least so many significant digits.

    0.31 and 0.313 are right for 0.3133; 0.3, 0.32 and 0.316 are not. A number that was not rounded may be off by
    one part in 10^(digits + 1). 0 is right to 10^-6, and an infinity is equal to itself only.
    """
    if not (math.isfinite(answer) and math.isfinite(truth)):
        return answer == truth
    if truth == 0:
        return abs(answer) < 1e-6
    off = abs(answer - truth)
    if off <= abs(truth) * 10 ** -(digits + 1):
        return True
    for places in range(digits, digits + 4):
        unit = 10.0 ** (math.floor(math.log10(abs(truth))) + 1 - places)
        stands_on_it = abs(answer / unit - round(answer / unit)) < 1e-3  # float32 is not finer
        if stands_on_it and off <= 0.525 * unit:  # a little more than half: whoever rounds twice
            return True
    return False


def fault(
    answer: float,
    truth: float,
    turns: Turns = (),
    otherwise: str = "",
    digits: int = 2,
    *,
    within: float = 0.0,
    exactly: Turns = (),
    roughly: str = "",
) -> str:
    """What to say of a number: nothing, "", where it is right; else the pointer of the first wrong turn it shows.

    A wrong turn that leads to the truth, but for rounding, is never blamed. Then come what holds for all numbers, a
    rounding too coarse and per cent, and last `otherwise`. Right is also what lies `within` so much of the truth, as a
    measured number may; `exactly` are wrong turns so near the truth that only their unrounded numbers show them; and
    `roughly` is said of two right digits where more are asked for.
    """
    for value, pointer in exactly:
        if answer == value:
            return pointer
    if abs(answer - truth) <= within or rounded(answer, truth, digits):
        return ""
    for value, pointer in turns:
        if rounded(answer, value, digits) and not rounded(value, truth, digits):
            return pointer
    if roughly and rounded(answer, truth):
        return roughly
    if truth != 0 and any(math.isclose(answer, coarse, rel_tol=1e-6) for coarse in _coarse(truth, digits)):
        return f"{answer:g} is rounded too much to judge: give {'two' if digits == 2 else digits} digits or more."
    if truth != 0 and abs(truth) <= 1 and rounded(answer / 100, truth, digits):
        return f"{answer:g} is right in per cent. Give it as a number, {answer / 100:g}."
    return otherwise or "Look at this number again."


def _coarse(truth: float, digits: int) -> set[float]:
    """The truth rounded to fewer digits; 0.75 to 0.7 and to 0.8, on whichever side of the half its last bit lies."""
    near = (truth * (1 - 1e-9), truth * (1 + 1e-9))
    return {float(f"{one:.{k}g}") for one in near for k in range(1, digits)}
