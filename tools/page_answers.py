"""Write data/answers.json, by which pages check answers: `.venv/bin/python tools/page_answers.py`.

A page can judge one number, or several numbers one after the other, where a checker asks `rounding.fault` alone about
them: the truths are written down, the wrong turns with what is said of each, and what is said when all is right. And
it can judge choices: what the checker says of each combination is written down. Pages apply the same rules
(_static/page/answers.js). The truth stands in the page in clear, as the folded solution beside it does.

    {"fields": [{"label": …, "kind": "number" | "whole" | "choice" | "set", "options": [[shown, value], …]}, …],
     "steps": [{"field": 0, "prefix": "floor: ", "truth": …, "turns": …, "otherwise": …, "digits": 2, …},
               {"fields": [1, 2], "says": ["", "Not yet. …", …], "table": [indices of says]}, …],
     "right": "Right. …"}

A table has an entry for each combination, the last field's options fastest; a set counts as a number whose bits are
its options, a whole number as the place among its `landmarks`, any other one as their count.
"""

import importlib
import inspect
import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from gan_lessons.exercises import Verdict, ch04, ch10, rounding  # noqa: E402

FILE = ROOT / "data" / "answers.json"
PROBES = (0.123456, -98765.4321, 7.0)  # no answers
Check = Callable[..., Verdict]
Field = dict[str, Any]


def choice(label: str, *options: Any) -> Field:
    """A field of which one option is chosen: names, or (shown, value)."""
    return {
        "label": label,
        "kind": "choice",
        "options": [[one, one] if isinstance(one, str) else one for one in options],
    }


def whole(label: str, *landmarks: int) -> Field:
    """A field for a whole number; a checker says something of its own about the landmarks, and one thing of others."""
    return {"label": label, "kind": "whole", "landmarks": list(landmarks)}


WAYS = (["to the right, +1", 1], ["to the left, −1", -1])
# Exercises with choices or whole numbers, and how an answer is made of their fields.
CHOICES: dict[str, tuple[list[Field], Callable[[list[Any]], Any]]] = {
    "ch02.try_dearest": ([choice("Who pays most", "Bold", "Careful", "Shrug")], lambda given: given[0]),
    "ch04.check_3": (
        [{"label": "D at 3.0", "kind": "number"}, choice("Way at 3.0", *WAYS), choice("Way at 3.6", *WAYS)],
        tuple,
    ),
    "ch04.check_4": (
        [choice(letter, *ch04.NAMES) for letter in ch04.GAMES],
        lambda given: dict(zip(ch04.GAMES, given, strict=True)),
    ),
    "ch05.check_1": (
        [choice(name, ["0", 0], ["1", 1]) for name in ("D, real", "D, fake", "G, fake")],
        lambda given: dict(zip(("D, real", "D, fake", "G, fake"), given, strict=True)),
    ),
    "ch06.check_3": (
        [choice(card, "memory", "blur", "dropped class") for card in "XYZ"],
        lambda given: dict(zip("XYZ", given, strict=True)),
    ),
    "ch07.check_1": ([whole("(a)", 31, 32, 34), whole("(b)", 29, 30, 32), whole("(c)", 32)], tuple),
    "ch07.check_4": (
        [{"label": "Kernels", "kind": "set", "options": [[str(k), k] for k in range(2, 10)]}],
        lambda given: set(given[0]),
    ),
    "ch08.check_1": (
        [
            whole("First", 3, 4),
            whole("Second", 16, 17),
            whole("Third", 64, 65),
            whole("Last", 2064, 8250, 8256, 8260, 8300),
        ],
        tuple,
    ),
    "ch10.check_1": (
        [{"label": part, "kind": "set", "options": [[name, name] for name in ch10.TRACES]} for part in ("(a)", "(b)")],
        tuple,
    ),
}


# --- numbers, one after the other -----------------------------------------------------------------------------------


@contextmanager
def recorded(module: ModuleType) -> Iterator[list[dict[str, Any]]]:
    """What the checkers of a module ask `fault` meanwhile, and what it says."""
    asked: list[dict[str, Any]] = []
    fault = module.fault

    def asks(answer: float, truth: float, turns: Any = (), otherwise: str = "", digits: int = 2, **more: Any) -> str:
        facts = {"truth": _plain(truth), "turns": [[_plain(value), words] for value, words in turns]}
        facts |= {"otherwise": otherwise, "digits": digits}
        facts |= {"within": float(more["within"])} if more.get("within") else {}
        facts |= (
            {"exactly": [[_plain(value), words] for value, words in more["exactly"]]} if more.get("exactly") else {}
        )
        facts |= {"roughly": more["roughly"]} if more.get("roughly") else {}
        words = rounding.fault(answer, truth, turns, otherwise, digits, **more)
        asked.append({"answer": answer, "says": words, "facts": facts})
        return words

    module.fault = asks  # type: ignore[attr-defined]
    try:
        yield asked
    finally:
        module.fault = fault  # type: ignore[attr-defined]


def _plain(value: float) -> float | str:
    """A number that JSON can hold: infinities as text."""
    return float(value) if abs(value) < float("inf") else "Infinity" if value > 0 else "-Infinity"


def judged(given: float, facts: dict[str, Any]) -> str:
    """What `fault` says of a number, by the facts of a step."""
    turns, exactly = ([(float(value), words) for value, words in facts.get(key, ())] for key in ("turns", "exactly"))
    more = {"within": facts.get("within", 0.0), "exactly": exactly, "roughly": facts.get("roughly", "")}
    return rounding.fault(given, float(facts["truth"]), turns, facts["otherwise"], facts["digits"], **more)


def near(facts: dict[str, Any]) -> list[float]:
    """Numbers that a learner might give: the truth and each wrong turn, rounded more and less, and others."""
    places = [float(facts["truth"]), *(float(value) for value, _ in [*facts["turns"], *facts.get("exactly", ())])]
    given = [float(f"{value:.{digits}g}") for value in places for digits in (1, 2, 3, 4, 8)]
    given += [factor * places[0] for factor in (-1, 0.5, 0.9, 0.993, 1.004, 1.02, 2, 100)]
    return [float(f"{value:.8g}") for value in [*given, 0.0, 1e-4, 1.0, -3.5, 12345.0]]


def form(check: Check) -> tuple[list[Field], Callable[[list[Any]], Any]] | None:
    """The fields of an answer that consists of numbers, and how it is made of them; None for any other form."""
    forms = inspect.getclosurevars(check).nonlocals.get("forms", [])
    if len(forms) != 1:
        return None
    words = forms[0].words
    if words == "a number":
        return [{"label": "", "kind": "number"}], lambda given: given[0]
    if words == "a whole number":
        return [{"label": "", "kind": "number", "integer": True}], lambda given: given[0]
    if re.fullmatch(r"a pair of numbers, \(a, b\)|\d+ numbers", words):
        count = 2 if words.startswith("a pair") else int(words.split()[0])
        return [{"label": "", "kind": "number"} for _ in range(count)], tuple
    if re.fullmatch(r"a dict with the keys '.*', a number under each", words):
        keys = re.findall(r"'([^']*)'", words)
        return [{"label": key, "kind": "number"} for key in keys], lambda given: dict(zip(keys, given, strict=True))
    return None


def steps(
    module: ModuleType, check: Check, fields: list[Field], make: Callable[[list[Any]], Any]
) -> tuple[list[dict[str, Any]], list[Any]] | None:
    """One step for each number, in the order in which the checker asks about them, and their truths.

    None where it asks something else.
    """
    numbers = [k for k, field in enumerate(fields) if field["kind"] == "number"]
    given: list[Any] = [None if k in numbers else _values(field)[0] for k, field in enumerate(fields)]
    found: list[dict[str, Any]] = []
    while len(found) < len(numbers):
        seen = []
        for probe in PROBES:
            trial = [value if value is not None else _probe(fields[k], probe, k) for k, value in enumerate(given)]
            with recorded(module) as asked:
                said = check(make(trial)).message
            deciding = next((one for one in asked if one["says"]), None)
            if deciding is None or not said.startswith("Not yet. ") or not said.endswith(deciding["says"]):
                return None
            field = next((k for k, value in enumerate(trial) if value == deciding["answer"] and given[k] is None), None)
            prefix = said.removeprefix("Not yet. ").removesuffix(deciding["says"])
            seen.append({"field": field, "prefix": prefix, **deciding["facts"]})
        if seen[0]["field"] is None or any(one != seen[0] for one in seen):
            return None
        found.append(seen[0])
        given[seen[0]["field"]] = float(seen[0]["truth"])
    return found, given


def _probe(field: Field, probe: float, k: int) -> float:
    """A number that is no answer, and another one in each field."""
    number = probe * (1 + k / 8)
    return round(1000 * number) if field.get("integer") else number


def table(
    check: Check, fields: list[Field], make: Callable[[list[Any]], Any], given: list[Any]
) -> dict[str, Any] | None:
    """What the checker says of each combination of choices, sets and whole numbers; `given` are the numbers."""
    chosen = [k for k, field in enumerate(fields) if field["kind"] != "number"]
    says: list[str] = [""]
    entries = []
    for combination in product(*(_values(fields[k]) for k in chosen)):
        trial = list(given)
        for k, value in zip(chosen, combination, strict=True):
            trial[k] = value
        verdict = check(make(trial))
        words = "" if verdict.correct else verdict.message
        if words not in says:
            says.append(words)
        entries.append(says.index(words))
    return {"fields": chosen, "says": says, "table": entries} if 0 in entries else None


def _values(field: Field) -> list[Any]:
    if field["kind"] == "choice":
        return [value for _, value in field["options"]]
    if field["kind"] == "set":
        options = [value for _, value in field["options"]]
        return [{one for k, one in enumerate(options) if number >> k & 1} for number in range(2 ** len(options))]
    return [*field["landmarks"], 7]


def _around(field: Field) -> list[int]:
    """Whole numbers near the landmarks of a field, and small ones."""
    return [*range(100), *(mark + step for mark in field["landmarks"] for step in range(-60, 61))]


def _says(name: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", name) is not None


def labels(full: str, order: list[dict[str, Any]], count: int) -> list[str]:
    """Names of several numbers: as the exercise's cell has them behind its dots, or as the checker calls them."""
    prefixes = {step["field"]: step["prefix"].removesuffix(": ").split(". ")[-1] for step in order}
    called = [prefixes[k].removeprefix("Look at ") for k in range(count)]
    for path in sorted((ROOT / "book").glob(f"{full[2:4]}_*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            code = "".join(cell["source"])
            if cell["cell_type"] == "code" and f"{full}(" in code:
                told = re.search(r"= \(\.\.\..*\)  # \((.*)\)(.*)", code)
                names = [name.strip() + told[2] for name in told[1].split(",")] if told else []
                if len(names) == count:
                    pairs = zip(called, names, strict=True)
                    return [name if _says(name, word) else f"{word}, {name}" for word, name in pairs]
    return [name or f"number {k + 1}" for k, name in enumerate(called)]


# --- all of them ----------------------------------------------------------------------------------------------------


def said(facts: dict[str, Any], given: Sequence[Any]) -> str:
    """What a page says of an answer, by what stands in the file."""
    for step in facts["steps"]:
        if "field" in step:
            if words := judged(given[step["field"]], step):
                return f"Not yet. {step['prefix']}{words}"
            continue
        entry = 0
        for k in step["fields"]:
            field = facts["fields"][k]
            if field["kind"] == "choice":
                place, size = [value for _, value in field["options"]].index(given[k]), len(field["options"])
            elif field["kind"] == "set":
                place = sum(2**bit for bit, (_, value) in enumerate(field["options"]) if value in given[k])
                size = 2 ** len(field["options"])
            else:
                marks = field["landmarks"]
                place, size = marks.index(given[k]) if given[k] in marks else len(marks), len(marks) + 1
            entry = entry * size + place
        if words := step["says"][step["table"][entry]]:
            return str(words)
    return str(facts["right"])


def trials(facts: dict[str, Any]) -> Iterator[list[Any]]:
    """Answers that a learner might give, each once: each field alone off the truth, and some where several are."""
    yield from {repr(answer): answer for answer in _trials(facts)}.values()


def _trials(facts: dict[str, Any]) -> Iterator[list[Any]]:
    chance, fields = random.Random(0), facts["fields"]
    nearby: dict[int, list[Any]] = {step["field"]: near(step) for step in facts["steps"] if "field" in step}
    right: list[Any] = [None] * len(fields)
    for step in facts["steps"]:
        if "field" in step:
            right[step["field"]] = float(step["truth"])
    for k, field in enumerate(fields):
        if field.get("integer"):
            nearby[k] = [value for value in nearby[k] if value.is_integer()]
        if field["kind"] != "number":
            nearby[k] = _values(field) + (_around(field) if field["kind"] == "whole" else [])
    for entry in (step for step in facts["steps"] if "table" in step):
        combinations = product(*(_values(fields[k]) for k in entry["fields"]))
        goal = next(one for one, index in zip(combinations, entry["table"], strict=True) if index == 0)
        for k, value in zip(entry["fields"], goal, strict=True):
            right[k] = value
    yield right
    for k, values in nearby.items():
        for value in values:
            yield [value if j == k else other for j, other in enumerate(right)]
    for _ in range(600 if len(fields) > 1 else 0):
        yield [chance.choice([right[k], chance.choice(nearby[k])]) for k in range(len(fields))]


def answer(module: ModuleType, name: str) -> dict[str, Any] | None:
    """What a page needs to judge answers as a checker does, or None where it cannot."""
    check = getattr(module, name)
    full = f"{module.__name__.rpartition('.')[2]}.{name}"
    asks = any(word in inspect.getsource(check) for word in ("fault(", "_judged("))  # others may play games
    known = CHOICES.get(full) or (form(check) if asks else None)
    if known is None:
        return None
    fields, make = known
    found = steps(module, check, fields, make)
    if found is None:
        return None
    order, given = found
    if len(order) == len(fields) > 1 and not fields[0]["label"]:
        for field, label in zip(fields, labels(full, order, len(fields)), strict=True):
            field["label"] = label
    facts: dict[str, Any] = {"fields": fields, "steps": order}
    if any(field["kind"] != "number" for field in fields):
        choices = table(check, fields, make, given)
        if choices is None:
            return None
        facts["steps"] = [*order, choices]
    facts["right"] = ""
    first = next(trials(facts))
    verdict = check(make(first))
    if verdict.correct is not True:
        return None
    facts["right"] = verdict.message
    for trial in trials(facts):
        if check(make(trial)).message != said(facts, trial):
            if full in CHOICES:
                raise ValueError(f"of {trial} the page would say {said(facts, trial)!r}: mend CHOICES[{full!r}]")
            return None
    return facts


def answers() -> dict[str, dict[str, Any]]:
    """All of them: "ch02.check_2" -> what its page needs."""
    found = {}
    for path in sorted((ROOT / "gan_lessons" / "exercises").glob("ch??.py")):
        module = importlib.import_module(f"gan_lessons.exercises.{path.stem}")
        for name in sorted(vars(module)):
            checks = name.startswith(("check_", "try_")) and hasattr(module, "fault")
            if (checks or f"{path.stem}.{name}" in CHOICES) and (facts := answer(module, name)):
                found[f"{path.stem}.{name}"] = facts
    return found


if __name__ == "__main__":
    text = json.dumps(answers(), indent=1, ensure_ascii=False, allow_nan=False)
    text = re.sub(r"\[[\d,\s]+\]", lambda numbers: re.sub(r"\s+", "", numbers[0]), text)  # a table in one line
    FILE.write_text(text + "\n", encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {len(json.loads(text))} exercises")
