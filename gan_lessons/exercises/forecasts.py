"""A number that a learner says before the run, beside what the run gave."""

from gan_lessons.exercises import Verdict, checker, not_yet, right


@checker(float, float, float)
def forecast(guess: float, measured: float, within: float) -> Verdict:
    """Compare a guess with what was measured: right if they lie at most `within` apart, in the same unit.

    The number that was measured is told in any case: a forecast is made once.
    """
    off = abs(guess - measured)
    words = f"You said {guess:,.4g}, the run gave {measured:,.4g}"
    if off <= within:
        return right(f"{words}.")
    way = "more" if measured > guess else "less"
    return not_yet(f"{words}, {off:,.3g} {way}. What had you expected, and why was it otherwise?")
