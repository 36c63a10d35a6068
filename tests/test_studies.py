import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import t as student

from gan_lessons import plotting, studies

VARIANTS = {"none": 0.0, "two-sided": 10.0}


def measure(shift: float, seed: int) -> dict[str, float]:
    return {"distance": shift + seed, "classes": 10.0}


def table(path: Path, seeds: Sequence[int] = (0, 1, 2)) -> studies.Table:
    return studies.run(VARIANTS, seeds, measure, path=path, settings={"steps": 5})


def test_a_table_holds_each_variant_with_each_seed(tmp_path: Path) -> None:
    found = table(tmp_path / "a.csv")
    assert found.column("distance") == {"none": [0, 1, 2], "two-sided": [10, 11, 12]}
    assert [(row.variant, row.seed) for row in found.rows] == [(v, s) for v in VARIANTS for s in (0, 1, 2)]
    with pytest.raises(KeyError, match="have \\['distance', 'classes'\\]"):
        found.column("loss")


def test_an_interrupted_study_goes_on_and_a_finished_row_is_not_measured_again(tmp_path: Path) -> None:
    played: list[tuple[float, int]] = []

    def stops(shift: float, seed: int) -> dict[str, float]:
        if len(played) == 3:
            raise KeyboardInterrupt
        played.append((shift, seed))
        return measure(shift, seed)

    with pytest.raises(KeyboardInterrupt):
        studies.run(VARIANTS, [0, 1, 2], stops, path=tmp_path / "a.csv", settings={"steps": 5})
    first, played[:] = list(played), []

    def goes_on(shift: float, seed: int) -> dict[str, float]:
        played.append((shift, seed))
        return measure(shift, seed)

    found = studies.run(VARIANTS, [0, 1, 2], goes_on, path=tmp_path / "a.csv", settings={"steps": 5})
    assert first == [(0, 0), (10, 0), (0, 1)]  # round by round
    assert played == [(10, 1), (0, 2), (10, 2)]
    assert found.column("distance") == {"none": [0, 1, 2], "two-sided": [10, 11, 12]}
    again = studies.run(VARIANTS, [0, 1, 2], stops, path=tmp_path / "a.csv", settings={"steps": 5})
    assert again == found


def test_a_kept_table_is_read_back_without_its_settings(tmp_path: Path) -> None:
    made = table(tmp_path / "a.csv")
    read = studies.read(tmp_path / "a.csv")
    assert sorted(read.rows) == sorted(made.rows)
    assert studies.differences(read, "distance", baseline="none") == studies.differences(
        made, "distance", baseline="none"
    )
    with pytest.raises(FileNotFoundError, match=r"no table .*b\.csv; that folder's tables: a\.csv"):
        studies.read(tmp_path / "b.csv")
    (tmp_path / "b.csv").write_text("step,loss")
    with pytest.raises(ValueError, match="is damaged"):
        studies.read(tmp_path / "b.csv")


def test_numbers_keep_all_their_digits_in_the_file(tmp_path: Path) -> None:
    def third(shift: float, seed: int) -> dict[str, float]:
        return {"x": (seed + 1) / 3, "y": math.nan}

    path = tmp_path / "a.csv"
    first = studies.run({"v": 0.0}, [0, 1], third, path=path)
    assert studies.run({"v": 0.0}, [0, 1], third, path=path).column("x") == first.column("x") == {"v": [1 / 3, 2 / 3]}
    assert math.isnan(first.column("y")["v"][0])


def test_a_table_of_other_settings_or_a_damaged_one_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    table(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"steps was 5, is 6.*Move or delete"):
        studies.run(VARIANTS, [0], measure, path=path, settings={"steps": 6})
    assert path.read_bytes() == before
    for damaged in (b"step,loss\n1,2\n", before[:-8], b"\xff\xfe\x00", b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged or no table of a study"):
            table(path)
        assert path.read_bytes() == damaged


def test_a_measure_that_changes_its_names_is_refused_and_the_rows_before_it_stay(tmp_path: Path) -> None:
    def changes(shift: float, seed: int) -> dict[str, float]:
        return {"distance": 1.0} if seed == 0 else {"loss": 1.0}

    with pytest.raises(ValueError, match=r"seed 1 measured \['loss'\], the rows before it \['distance'\]"):
        studies.run({"v": 0.0}, [0, 1], changes, path=tmp_path / "a.csv")
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 2


@pytest.mark.parametrize(("variants", "seeds"), [({}, [0]), (VARIANTS, []), (VARIANTS, [1, 1])])
def test_a_study_without_variants_or_with_repeated_seeds_is_refused(
    tmp_path: Path, variants: Mapping[str, float], seeds: list[int]
) -> None:
    with pytest.raises(ValueError, match="needs variants and different seeds"):
        studies.run(variants, seeds, measure, path=tmp_path / "a.csv")


def test_an_ensemble_is_played_once_a_variant(tmp_path: Path) -> None:
    played: list[float] = []

    def together(shift: float, seeds: Sequence[int]) -> dict[str, NDArray[np.float64]]:
        played.append(shift)
        return {"distance": shift + np.array(seeds, float), "classes": np.full(len(seeds), 10.0)}

    found = studies.run_together(VARIANTS, [0, 1, 2], together, path=tmp_path / "a.csv", settings={"steps": 5})
    assert played == [0, 10]
    assert found.column("distance") == table(tmp_path / "b.csv").column("distance")
    studies.run_together(VARIANTS, [0, 1, 2], together, path=tmp_path / "a.csv", settings={"steps": 5})
    assert played == [0, 10]
    with pytest.raises(ValueError, match=r"of shape \(2,\); one number a seed is \(3,\)"):
        studies.run_together({"v": 1}, [0, 1, 2], lambda v, s: {"x": np.zeros(2)}, path=tmp_path / "c.csv")


@pytest.mark.parametrize("n", [3, 5, 20])
def test_an_interval_covers_the_truth_about_as_often_as_it_says(n: int) -> None:
    draws = np.random.default_rng(1).normal(3.0, 2.0, (400, n))
    covered = [low <= 3.0 <= high for _, low, high in (studies.interval(d, resamples=2_000) for d in draws)]
    assert 0.915 < np.mean(covered) < 0.985  # plain percentiles cover .83 with five values, widened ones .76 with three


def test_an_interval_of_many_values_is_that_of_student() -> None:
    values = np.random.default_rng(2).normal(size=400)
    mean, low, high = studies.interval(values)
    half = student.ppf(0.975, 399) * values.std(ddof=1) / 20
    assert mean == pytest.approx(values.mean())
    assert high - mean == pytest.approx(half, rel=0.06)
    assert mean - low == pytest.approx(half, rel=0.06)
    assert studies.interval(values, level=0.5)[2] < high


def test_an_interval_of_few_values_is_on_average_as_wide_as_that_of_student() -> None:
    draws = np.random.default_rng(3).normal(size=(300, 8))
    widths = np.array([np.diff(studies.interval(d, resamples=2_000)[1:]).item() for d in draws])
    of_student = 2 * student.ppf(0.975, 7) * draws.std(1, ddof=1) / 8**0.5
    assert 0.93 < (widths / of_student).mean() < 1.0  # without the widening .89


def test_an_interval_refuses_one_value_and_nan() -> None:
    with pytest.raises(ValueError, match="at least two"):
        studies.interval([1.0])
    with pytest.raises(ValueError, match="1 of 3 values"):
        studies.interval([1.0, math.nan, 2.0])


def test_a_forest_plot_draws_each_value_at_its_place_and_the_interval_beside_it() -> None:
    ax = plt.figure().add_subplot()
    groups = {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]}
    plotting.forest(ax, groups, {"a": (2, 1.5, 2.5), "b": (5, 4.5, 5.5)}, lines={"floor": 0.5}, baseline="a")
    drawn = [(np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()) for line in ax.lines]
    assert ([1.5, 2.5], [0, 0]) in drawn
    assert ([4.5, 5.5], [1, 1]) in drawn
    assert ([4.0, 5.0, 6.0], [1.25] * 3) in drawn
    assert ([0.5, 0.5], [0, 1]) in drawn
    (shade,) = ax.patches
    assert shade.get_extents().transformed(ax.transData.inverted()).intervalx == pytest.approx([1.5, 2.5])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first group on top
    plt.close()


def test_a_setting_that_no_other_process_would_know_is_refused_before_the_first_game(tmp_path: Path) -> None:
    played: list[int] = []

    def game(variant: float, seed: int) -> dict[str, float]:
        played.append(seed)
        return {"distance": variant}

    with pytest.raises(ValueError, match="the setting 'loss' cannot be recognised in another process"):
        studies.run({"v": 1.0}, [0, 1], game, path=tmp_path / "a.csv", settings={"loss": object()})
    assert played == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [1, None, (1, 2), "a\rb", "a\nb", "\ud800"])
def test_a_variant_that_the_file_would_give_back_as_another_is_refused_at_once(name: object, tmp_path: Path) -> None:
    played: list[int] = []
    variants: dict[object, float] = {name: 0.0}
    with pytest.raises(ValueError, match="a variant's name must be printable text"):
        studies.run(variants, [0], lambda *_: played.append(0), path=tmp_path / "a.csv")  # type: ignore[arg-type]
    assert not played


@pytest.mark.parametrize("seed", [0.5, 1.0, True, "0", None, -1])
def test_a_seed_that_the_file_would_not_give_back_is_refused_at_once(seed: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a seed must be a whole number of at least 0"):
        studies.run(VARIANTS, [seed], measure, path=tmp_path / "a.csv")  # type: ignore[list-item]


def test_seeds_may_be_an_array_and_a_second_call_measures_nothing(tmp_path: Path) -> None:
    made = studies.run(VARIANTS, np.arange(2), measure, path=tmp_path / "a.csv")  # type: ignore[arg-type]
    assert {type(row.seed) for row in made.rows} == {int}
    again = studies.run(VARIANTS, [0, 1], lambda *_: {}, path=tmp_path / "a.csv")
    assert again == made
    together = studies.run_together(
        VARIANTS,
        np.arange(2),  # type: ignore[arg-type]
        lambda _, seeds: {"d": torch.tensor([float(s) for s in seeds], requires_grad=True)},
        path=tmp_path / "b.csv",
    )
    assert together.column("d")["none"] == [0, 1]


@pytest.mark.parametrize("values", [None, {}, [1.0], {1: 2.0}, {"a\r": 1.0}])
def test_what_measure_returns_is_numbers_by_name_or_the_message_says_so(values: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"measure (must return numbers by name|returns must be printable text)"):
        studies.run(VARIANTS, [0], lambda *_: values, path=tmp_path / "a.csv")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"measure (must return numbers by name|returns must be printable text)"):
        studies.run_together(VARIANTS, [0], lambda *_: values, path=tmp_path / "b.csv")  # type: ignore[arg-type]


def test_a_file_of_two_settings_or_with_a_game_twice_is_refused(tmp_path: Path) -> None:
    head = "variant,seed,settings,seconds,d\n"
    (tmp_path / "two.csv").write_text(head + 'a,0,"{""x"": 1}",0,1\na,1,{},0,2\n')
    with pytest.raises(ValueError, match="other settings: setting x was 1, is None"):
        studies.run({"a": 0.0}, [0, 1], measure, path=tmp_path / "two.csv")
    (tmp_path / "twice.csv").write_text(head + "a,0,{},0,1\na,0,{},0,2\n")
    with pytest.raises(ValueError, match=r"damaged.*a, seed 0 is there twice"):
        studies.read(tmp_path / "twice.csv")
    (tmp_path / "list.csv").write_text(head + "a,0,[1],0,1\n")
    with pytest.raises(ValueError, match="damaged"):
        studies.read(tmp_path / "list.csv")
    with pytest.raises(ValueError, match="is a folder, no table"):
        studies.run({"a": 0.0}, [0], measure, path=tmp_path)
