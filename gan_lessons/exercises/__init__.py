"""What every chapter's checkers share: a verdict that a notebook can show, and a guard that never raises.

A checker is a function from a learner's answers to a Verdict:

    @checker(float)
    def check_1(answer: float) -> Verdict:
        turns = [(1.0, "That is in bits. For nats take the natural logarithm.")]
        if pointer := fault(answer, math.log(2), turns, "Look again at the definition of entropy."):
            return not_yet(pointer)
        return right("log 2 nats is one bit.")

and the last line of the learner's cell is `ch02.check_1(answer_1)`. How to write one:

- The decorator says the form of each answer: float, int, str, callable, a class, or from `forms` several(float, 2),
  set_of(int), table(float, "key", …). What arrives is plain, however it was written. What a learner's function
  returns goes through the same forms: number(…), any_number(…) (may be nan), whole_number(…), tensor(…).
- Numbers are judged by `rounding.fault`: two digits are right, and no rounded answer is blamed for a wrong turn.
- Functions are tried by `trials.misses` at sizes, extremes and in both precisions, `trials.flow` follows gradients, and
  `traces.changes` sees what was left changed. The guard puts back random states, dtype, grad mode and networks.
- Each exercise has three right and three wrong answers or more in tests/right_answers and tests/wrong_answers.
"""

import dis
from collections.abc import Callable
from functools import wraps
from types import EllipsisType, FunctionType
from typing import Any, NamedTuple, overload

import numpy as np

from gan_lessons.exercises.forms import Form, Unfit, form, tensor, whole_number
from gan_lessons.exercises.traces import global_state_kept, networks_kept

Check = Callable[..., "Verdict"]
Kind = type | tuple[type, ...] | Callable[[object], bool] | Form


class Verdict(NamedTuple):
    """What a checker says. correct is True, False, or None where nothing is answered; a notebook shows message."""

    correct: bool | None
    message: str

    def __repr__(self) -> str:
        return self.message


def right(message: str = "") -> Verdict:
    """A correct answer; the message may add what follows from it."""
    return Verdict(True, f"Right. {message}".strip())


def not_yet(message: str) -> Verdict:
    """A wrong answer; the message says what to look at."""
    return Verdict(False, f"Not yet. {message}")


UNANSWERED = Verdict(None, "Not answered yet.")


@overload
def checker(check: Check, /) -> Check: ...
@overload
def checker(*expected: Kind, returns: bool = True) -> Callable[[Check], Check]: ...
def checker(*expected: Any, returns: bool = True) -> Check | Callable[[Check], Check]:
    """Guard a checker, so that it takes any answers at all and returns a Verdict. Use it bare or with forms.

    `expected` holds the form of each answer, in order: one of `forms`, or float, int, str, callable, a class or a
    tuple of classes; the checker gets the answer in that form. "Not answered yet" are None, `...`, a list, tuple or
    dict that holds one of them, a function with an empty body, and one that gives None or `...` when the checker calls
    it (not so with returns=False, for functions that work in place). A wrong form, or an exception in the learner's
    code, is "Not yet." Afterwards the global state (random numbers, dtype, grad mode) and networks given as answers are
    as they were.
    """

    def guard(check: Check) -> Check:
        forms = [form(kind) for kind in expected]

        @wraps(check)
        def guarded(*answers: Any) -> Verdict:
            if any(_unanswered(answer) for answer in answers):
                return UNANSWERED
            fitted = list(answers)
            with global_state_kept(), networks_kept(*answers):
                try:
                    for k, (answer, one) in enumerate(zip(answers, forms, strict=False)):
                        fitted[k] = one(answer)
                except Unfit as error:
                    return not_yet(_sentence(f"The answer {error}"))
                try:
                    return check(*(_watched(answer) if returns else answer for answer in fitted))
                except _NoAnswer:
                    return UNANSWERED
                except Unfit as error:
                    return not_yet(_sentence(f"What your function returns {error}"))
                except Exception as error:
                    return not_yet(f"Your answer raised {type(error).__name__}: {error}")

        return guarded

    if len(expected) == 1 and isinstance(expected[0], FunctionType):  # @checker without parentheses
        check, expected = expected[0], ()
        return guard(check)
    return guard


def close(answer: Any, truth: Any, tol: float = 1e-3) -> bool:
    """Whether two numbers, arrays or tensors differ by at most tol * max(1, |truth|) everywhere.

    The shapes must agree, except for axes of length 1: (n, 1) equals (n,). NaN is close to nothing. Raises TypeError
    or ValueError for what is no number; the guard of `checker` puts that into words.
    """
    a, b = (np.squeeze(tensor(value).numpy()) for value in (answer, truth))
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tol * np.maximum(1.0, np.abs(b))))


def whole(value: Any) -> bool:
    """Whether a value is one whole number of whatever kind, such as 32, 64 / 2 or np.int64(32); True is none."""
    try:
        whole_number(value)
    except Unfit:
        return False
    return True


def _sentence(words: str) -> str:
    return words if words.endswith((".", "?")) else f"{words}."


class _NoAnswer(Exception):
    """A learner's function gave back None or `...`."""


def _watched(answer: Any) -> Any:
    """The same function, except that it tells when it gives back nothing; anything else as it is."""
    if not isinstance(answer, FunctionType):
        return answer

    @wraps(answer)
    def watched(*args: Any, **kwargs: Any) -> Any:
        result = answer(*args, **kwargs)
        if _unanswered(result):
            raise _NoAnswer
        return result

    return watched


def _unanswered(answer: Any) -> bool:
    if isinstance(answer, FunctionType):
        return _empty_body(answer)
    if type(answer) in (list, tuple):  # a NamedTuple may hold a None in its own right
        return any(_unanswered(part) for part in answer)
    if type(answer) is dict:
        return any(_unanswered(part) for part in answer.values())
    return answer is None or isinstance(answer, EllipsisType)


def _empty_body(function: FunctionType) -> bool:
    """Whether the body is only a docstring, `pass`, `...` or `return ...`: it loads one constant and returns it."""
    loads = ("LOAD_CONST", "RETURN_CONST")
    steps = [step for step in dis.get_instructions(function) if step.opname not in ("RESUME", "NOP")]
    constants = [step.argval for step in steps if step.opname in loads]
    return all(step.opname in (*loads, "RETURN_VALUE") for step in steps) and constants in ([None], [...])
