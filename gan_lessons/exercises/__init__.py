"""What every chapter's checkers share: a verdict that a notebook can show, and a guard that never raises.

A checker is a function from a learner's answers to a Verdict:

    @checker(float)
    def check_1(answer: float) -> Verdict:
        if close(answer, math.log(2)):
            return right("log 2 nats is one bit.")
        return not_yet("Look again at the definition of entropy: which logarithm does it take?")

and the last line of the learner's cell is `ch02.check_1(answer_1)`.
"""

import dis
from collections.abc import Callable
from functools import wraps
from types import EllipsisType, FunctionType
from typing import Any, NamedTuple, overload

import numpy as np

Check = Callable[..., "Verdict"]
Kind = type | tuple[type, ...] | Callable[[object], bool]


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
    """Guard a checker, so that it takes any answers at all and returns a Verdict. Use it bare or with types.

    `expected` holds a type for each answer, in order: a class, a tuple of classes, or `callable`. `float` also takes
    whole numbers, NumPy numbers and tensors of one element. "Not answered yet" are None, `...`, a list, tuple or dict
    that holds one of them, a function with an empty body, and one that gives None or `...` when the checker calls it
    (not so with returns=False, for functions that work in place). A wrong type, or an exception in the learner's
    code, is "Not yet."
    """

    def guard(check: Check) -> Check:
        @wraps(check)
        def guarded(*answers: Any) -> Verdict:
            if any(_unanswered(answer) for answer in answers):
                return UNANSWERED
            for answer, kind in zip(answers, expected, strict=False):
                if not _is_a(answer, kind):
                    found = _article(type(answer).__name__)
                    return not_yet(f"The answer should be {_in_words(kind)}, but it is {found}.")
            try:
                return check(*(_watched(answer) if returns else answer for answer in answers))
            except _NoAnswer:
                return UNANSWERED
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
    a, b = (np.squeeze(np.asarray(_plain(value), dtype=float)) for value in (answer, truth))
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tol * np.maximum(1.0, np.abs(b))))


def roughly(answer: float, truth: float) -> bool:
    """Whether a number was rounded to two digits or so: within 3 % of the truth."""
    return abs(answer - truth) < 0.03 * abs(truth)


def whole(value: Any) -> bool:
    """Whether a value is one whole number of whatever kind, such as 32, 64 / 2 or np.int64(32); True is none."""
    return _is_a(value, float) and float(_plain(value)).is_integer()


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


def _is_a(answer: Any, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return any(_is_a(answer, one) for one in kind)
    if kind is callable:
        return callable(answer)
    if kind not in (int, float):
        return isinstance(answer, kind)
    number = _plain(answer)
    if not isinstance(number, (int, float, np.generic, np.ndarray)):
        return False
    array = np.asarray(number)  # a bool is of kind "b"
    return array.size == 1 and array.dtype.kind in ("iu" if kind is int else "iuf")


def _plain(value: Any) -> Any:
    """A tensor as an array, wherever it lies; anything else as it is."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _in_words(kind: Any) -> str:
    if isinstance(kind, tuple):
        return " or ".join(_in_words(one) for one in kind)
    words = {int: "a whole number", float: "a number", bool: "True or False", callable: "a function", str: "text"}
    return words.get(kind) or _article(kind.__name__)


def _article(noun: str) -> str:
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"
