"""Write data/answers.json, by which pages check answers of one number: `.venv/bin/python tools/page_answers.py`.

A checker that asks `rounding.fault` alone about its number is written down: the truth, the wrong turns with what is
said of each, and what is said when it is right. Pages apply the same rule (_static/page/answers.js). The truth stands
in the page in clear, as the folded solution beside it does.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from gan_lessons.exercises import Verdict, rounding  # noqa: E402

FILE = ROOT / "data" / "answers.json"
PROBES = (0.123456, -98765.4321, 7.0)  # no answers


@contextmanager
def recorded(module: ModuleType) -> Iterator[list[dict[str, Any]]]:
    """What the checkers of a module ask `fault` meanwhile, but for the answer."""
    asked: list[dict[str, Any]] = []
    fault = module.fault

    def asks(answer: float, truth: float, turns: Any = (), otherwise: str = "", digits: int = 2) -> str:
        turns = [[float(value), words] for value, words in turns]
        asked.append({"truth": float(truth), "turns": turns, "otherwise": otherwise, "digits": digits})
        return rounding.fault(answer, truth, [(value, words) for value, words in turns], otherwise, digits)

    module.fault = asks  # type: ignore[attr-defined]
    try:
        yield asked
    finally:
        module.fault = fault  # type: ignore[attr-defined]


def near(facts: dict[str, Any]) -> list[float]:
    """Numbers that a learner might give: the truth and each wrong turn, rounded more and less, and others."""
    places = [facts["truth"], *(value for value, _ in facts["turns"])]
    given = [float(f"{value:.{digits}g}") for value in places for digits in (1, 2, 3, 4, 8)]
    given += [factor * facts["truth"] for factor in (-1, 0.5, 0.9, 1.004, 1.02, 2, 100)]
    return [float(f"{value:.6g}") for value in [*given, 0.0, 1.0, -3.5, 12345.0]]


def answer(module: ModuleType, check: Callable[..., Verdict]) -> dict[str, Any] | None:
    """What a page needs to judge one number as `check` does, or None where the checker does more than ask `fault`."""
    with recorded(module) as asked:
        for probe in PROBES:
            check(probe)
        if len(asked) != len(PROBES) or any(one != asked[0] for one in asked):
            return None
    facts = asked[0]
    right = check(facts["truth"])
    turns = [(value, words) for value, words in facts["turns"]]
    for given in near(facts):
        words = rounding.fault(given, facts["truth"], turns, facts["otherwise"], facts["digits"])
        if check(given).message != (f"Not yet. {words}" if words else right.message):
            return None
    return {**facts, "right": right.message}


def answers() -> dict[str, dict[str, Any]]:
    """All of them: "ch02.check_2" -> what its page needs."""
    found = {}
    for path in sorted((ROOT / "gan_lessons" / "exercises").glob("ch??.py")):
        module = importlib.import_module(f"gan_lessons.exercises.{path.stem}")
        if not hasattr(module, "fault"):
            continue
        for name in sorted(vars(module)):
            if name.startswith(("check_", "try_")) and (facts := answer(module, getattr(module, name))):
                found[f"{path.stem}.{name}"] = facts
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(answers(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(json.loads(FILE.read_text(encoding='utf-8')))} exercises")
