"""Readings along the way: the verdict at 10 %, 30 % and 100 % of a game's length, and where it turns.

marks = readings.marks(rounds)  # {100: 10, 300: 30, 1000: 100}
for step in train(gan, batches, rounds):
    if step in marks:
        numbers[f"distance@{marks[step]}"] = score(gan)
…
print(readings.along(table, "distance", partial(comparisons.factors, baseline="plain")).words())
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from gan_lessons.studies.comparisons import Effect, Effects
from gan_lessons.studies.tables import Table

SEEN = ("better", "worse")


class Readings(NamedTuple):
    """The effects in one column at each share of the length, in per cent, in rising order; the last one decides."""

    at: dict[int, Effects]

    def of(self, variant: str) -> dict[int, Effect]:
        """A variant's effect at each share. KeyError for a variant that is not among the effects."""
        found = {share: [e for e in effects.effects if e.variant == variant] for share, effects in self.at.items()}
        if not all(found.values()):
            raise KeyError(f"no effect of {variant!r}; have {self.variants()}")
        return {share: one for share, (one,) in found.items()}

    def variants(self) -> list[str]:
        """The variants that are held against the unchanged game."""
        return [effect.variant for effect in next(iter(self.at.values())).effects]

    def turns(self, variant: str) -> list[tuple[int, int]]:
        """Between which shares the verdict turns from better to worse or back, of readings that see something."""
        seen = [(share, e.verdict) for share, e in self.of(variant).items() if e.verdict in SEEN]
        return [(a, b) for (a, before), (b, after) in pairwise(seen) if before != after]

    def words(self, form: str = ".2f") -> str:
        """Line by line: each variant's verdict at the end, and what was seen on the way."""
        return "\n".join(self._line(variant, form) for variant in self.variants())

    def _line(self, variant: str, form: str) -> str:
        *way, (_, end) = self.of(variant).items()
        earlier = "; ".join(f"at {share} %: {e.verdict}, {e.size(form)}" for share, e in way)
        turning = "".join(f"; it turns between {a} % and {b} % of the length" for a, b in self.turns(variant))
        faded = end.verdict not in SEEN and any(e.verdict in SEEN for _, e in way)
        return (
            end.words(form)
            + f"; {earlier}" * bool(way)
            + turning
            + "; what was seen on the way is not seen at the end" * faded
        )


def marks(rounds: int, shares: Sequence[int] = (10, 30, 100)) -> dict[int, int]:
    """The rounds at which to read: round -> share of the length in per cent, rounded up; 0 < share <= 100.

    Raises ValueError where a game is too short for its readings to lie apart.
    """
    found = {-(-rounds * share // 100): share for share in shares}
    if len(found) < len(shares) or not all(0 < share <= 100 for share in shares) or rounds < 1:
        raise ValueError(
            f"{rounds} rounds have no readings at {', '.join(map(str, shares))} %: take fewer, or play more"
        )
    return found


def along(table: Table, column: str, compare: Callable[[Table, str], Effects]) -> Readings:
    """Compare at each reading: the columns `column@10`, `column@30`, …, and `column` or `column@100`, the end.

    compare: comparisons.factors or .differences with its baseline, by functools.partial. KeyError for no readings.
    """
    names = {name: name.rpartition("@") for name in table.rows[0].values}
    found = {int(share): name for name, (stem, _, share) in names.items() if stem == column and share.isdecimal()}
    if column in names:
        found.setdefault(100, column)
    if 100 not in found:
        raise KeyError(f"no reading of {column!r} at the end; have {list(names)}")
    return Readings({share: compare(table, found[share]) for share in sorted(found)})
