"""Run variants × seeds, resume from a table, report intervals.

    table = studies.run(variants, profile.seeds(10), measure, path=..., settings={"steps": steps})
    effects = studies.factors(table, "distance", baseline="as it is", nulls=["as it is, again"])
    effects.words()                          # better, worse, or: no difference seen, a factor under … would be missed

running: `run`, here or on any executor · tables: what was measured, as a CSV that grows · jobs: games on workers ·
comparisons: `factors`, `differences`, luck, false alarms · readings: verdicts at 10 %, 30 % and 100 % of the length ·
error_rates: how often a rule errs, what a study could have seen · pairs: `interval`, as chapter 08 is stored.
"""

from gan_lessons.studies.comparisons import Effect, Effects, alarms, differences, factors
from gan_lessons.studies.pairs import interval
from gan_lessons.studies.readings import Readings, along, marks
from gan_lessons.studies.running import run, run_together
from gan_lessons.studies.tables import Row, Table, read

__all__ = [
    "Effect",
    "Effects",
    "Readings",
    "Row",
    "Table",
    "alarms",
    "along",
    "differences",
    "factors",
    "interval",
    "marks",
    "read",
    "run",
    "run_together",
]
