"""Studies on executors: the same table however many workers, and no finished game lost."""

import csv
import errno
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import loky
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from gan_lessons import studies
from gan_lessons.paths import atomic_write
from gan_lessons.studies import jobs, running, tables

RATES = {"slow": 0.1, "fast": 0.3}
SEEDS = range(4)
Game = Callable[[float, int], dict[str, float]]


def make_game() -> Game:
    """A game as a notebook defines it: no worker can import it."""

    def game(rate: float, seed: int) -> dict[str, float]:
        torch.manual_seed(seed)
        w, x = torch.randn(50, 50), torch.randn(400, 50)
        for _ in range(100):
            w -= rate * (x.T @ (x @ w - torch.randn(400, 50))) / 400
        return {"distance": float(w.norm()), "largest": float(w.abs().max())}

    return game


def columns(path: Path) -> list[list[str]]:
    """The file, cell by cell, but for the seconds."""
    with path.open(newline="") as stream:
        return [[*line[:3], *line[4:]] for line in csv.reader(stream)]


def forked(workers: int) -> Executor:
    """So many workers, for which torch is imported once, and not by each."""
    kinds = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in kinds else "spawn")
    context.set_forkserver_preload(["torch", "gan_lessons.studies"])
    return loky.ProcessPoolExecutor(workers, context=context)


@pytest.fixture(scope="module")
def two() -> Iterator[Executor]:
    with loky.ProcessPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of one process on one thread, without an executor."""
    path = tmp_path_factory.mktemp("alone") / "a.csv"
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    studies.run(RATES, SEEDS, make_game(), path=path, settings={"steps": 100})
    torch.set_num_threads(before)
    return path


class Held(Executor):
    """An executor that plays its jobs once it has n of them, in another order: the last one first."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.held: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.held.append((future, lambda: fn(*args, **kwargs)))
        if len(self.held) == self.n:
            for waiting, call in self.held[::-1]:
                try:
                    waiting.set_result(call())
                except BaseException as error:
                    waiting.set_exception(error)
        return future


def test_the_table_does_not_depend_on_which_game_ends_first(alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    found = studies.run(RATES, SEEDS, make_game(), path=path, settings={"steps": 100}, executor=Held(8))
    assert columns(path) == columns(alone)
    assert [row[:2] for row in found.rows] == [(v, s) for v in RATES for s in SEEDS]


def test_a_study_that_was_broken_off_with_other_games_finished_ends_in_the_same_table(
    alone: Path, tmp_path: Path
) -> None:
    path, game = tmp_path / "a.csv", make_game()
    studies.run({"fast": RATES["fast"]}, [3], game, path=path, settings={"steps": 100})
    studies.run(RATES, SEEDS, game, path=path, settings={"steps": 100}, executor=Held(7))
    assert columns(path) == columns(alone)


def test_one_worker_makes_the_same_table_to_the_bit(alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with forked(1) as executor:
        studies.run(RATES, SEEDS, make_game(), path=path, settings={"steps": 100}, executor=executor)
    assert columns(path) == columns(alone)


def test_eight_workers_make_the_same_table_to_the_bit(alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with forked(8) as executor:
        studies.run(RATES, SEEDS, make_game(), path=path, settings={"steps": 100}, executor=executor)
    assert columns(path) == columns(alone)


def test_two_workers_make_the_same_table_to_the_bit(two: Executor, alone: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    studies.run(RATES, SEEDS, make_game(), path=path, settings={"steps": 100}, executor=two)
    assert columns(path) == columns(alone)


@pytest.mark.long
def test_a_dask_cluster_makes_the_same_table_to_the_bit(alone: Path, tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    path = tmp_path / "a.csv"
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path, host="127.0.0.1"
    )
    with cluster, Client(cluster) as client:
        studies.run(RATES, SEEDS, make_game(), path=path, settings={"steps": 100}, executor=client.get_executor())
    assert columns(path) == columns(alone)


def test_an_ensemble_is_one_job_a_variant(two: Executor, tmp_path: Path) -> None:
    def together(rate: float, seeds: Sequence[int]) -> dict[str, NDArray[np.float64]]:
        return {"distance": rate * np.array(seeds, float), "process": np.full(len(seeds), float(os.getpid()))}

    found = studies.run_together(RATES, [3, 5], together, path=tmp_path / "a.csv", executor=two)
    assert found.column("distance") == {k: [3 * v, 5 * v] for k, v in RATES.items()}
    assert os.getpid() not in found.column("process")["slow"]
    more = studies.run_together(RATES, [3, 5, 4], together, path=tmp_path / "a.csv", executor=Held(2))
    assert more.column("distance") == {k: [3 * v, 5 * v, 4 * v] for k, v in RATES.items()}
    assert more.column("process")["slow"][:2] == found.column("process")["slow"]  # these rows were not played again
    with pytest.raises(ValueError, match=r"of shape \(2,\); one number a seed is \(3,\)"):
        studies.run_together({"v": 1}, [0, 1, 2], lambda v, s: {"x": np.zeros(2)}, path=tmp_path / "c.csv")


def used_threads(rate: float, seed: int) -> dict[str, float]:
    pools = max(pool["num_threads"] for pool in threadpool_info())
    return {"torch": torch.get_num_threads(), "pools": pools}


def test_a_worker_has_one_thread_and_gets_its_own_back(tmp_path: Path) -> None:
    def of_the_thread() -> int:
        return torch.get_num_threads()

    before = torch.get_num_threads()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(torch.set_num_threads, 3).result()
        table = studies.run({"v": 0.0}, [0], used_threads, path=tmp_path / "a.csv", executor=executor)
        after = executor.submit(of_the_thread).result()
        executor.submit(torch.set_num_threads, before).result()
    assert table.rows[0].values == {"torch": 1, "pools": 1}
    assert after == 3


def test_two_games_in_one_process_would_share_their_random_numbers_and_are_refused(tmp_path: Path) -> None:
    first_is_played, second_was_refused = threading.Event(), threading.Event()

    def keeps_on(rate: float, seed: int) -> dict[str, float]:
        first_is_played.set()
        second_was_refused.wait(60)
        return {"x": 0.0}

    class Two(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future = super().submit(fn, *args, **kwargs)
            first_is_played.wait(60)
            future.add_done_callback(lambda _: second_was_refused.set())
            return future

    with Two(2) as executor, pytest.raises(RuntimeError, match=r"of its own: loky.*threads_per_worker=1"):
        studies.run({"v": 0.0}, [0, 1], keeps_on, path=tmp_path / "a.csv", executor=executor)
    assert [row.seed for row in studies.read(tmp_path / "a.csv").rows] == [0]


def fails_at_two(rate: float, seed: int) -> dict[str, float]:
    if seed == 2:
        raise FloatingPointError("the loss is nan")
    return {"distance": rate + seed}


def test_an_error_in_a_game_names_it_and_the_other_finished_games_are_kept(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match="the loss is nan") as caught:
        studies.run({"v": 1.0}, SEEDS, fails_at_two, path=tmp_path / "a.csv", executor=Held(4))
    notes = "\n".join(caught.value.__notes__)
    assert "This was v, seed 2." in notes
    assert "1 of 4 games are missing: v, seed 2. The finished ones are in" in notes
    assert [row.seed for row in studies.read(tmp_path / "a.csv").rows] == [0, 1, 3]


def test_an_error_without_an_executor_says_the_same(tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError) as caught:
        studies.run({"v": 1.0}, SEEDS, fails_at_two, path=tmp_path / "a.csv")
    notes = "\n".join(caught.value.__notes__)
    assert "This was v, seed 2." in notes
    assert "2 of 4 games are missing: v, seed 2; v, seed 3." in notes


def test_after_an_error_no_new_game_is_begun(tmp_path: Path) -> None:
    played: list[int] = []

    def fails_at_once(rate: float, seed: int) -> dict[str, float]:
        played.append(seed)
        raise FloatingPointError

    with ThreadPoolExecutor(1) as executor, pytest.raises(FloatingPointError):
        studies.run({"v": 1.0}, range(50), fails_at_once, path=tmp_path / "a.csv", executor=executor)
    assert len(played) < 50


def test_a_worker_that_dies_loses_no_finished_game_and_the_study_goes_on(tmp_path: Path) -> None:
    home, path = os.getpid(), tmp_path / "a.csv"

    def dies(rate: float, seed: int) -> dict[str, float]:
        if seed == 2 and os.getpid() != home:
            os._exit(9)
        return {"distance": rate + seed}

    with loky.ProcessPoolExecutor(1) as executor, pytest.raises(BrokenProcessPool) as caught:
        studies.run({"v": 1.0}, SEEDS, dies, path=path, executor=executor)
    assert "2 of 4 games are missing: v, seed 2; v, seed 3." in "\n".join(caught.value.__notes__)
    assert [row.seed for row in studies.read(path).rows] == [0, 1]
    assert studies.run({"v": 1.0}, SEEDS, dies, path=path).column("distance") == {"v": [1, 2, 3, 4]}


def test_ctrl_c_keeps_what_has_ended_by_then(tmp_path: Path) -> None:
    def interrupted(rate: float, seed: int) -> dict[str, float]:
        if seed == 1:
            raise KeyboardInterrupt  # as a terminal sends it to the workers too
        return {"distance": rate + seed}

    with pytest.raises(KeyboardInterrupt) as caught:
        studies.run({"v": 1.0}, SEEDS, interrupted, path=tmp_path / "a.csv", executor=Held(4))
    assert "1 of 4 games are missing: v, seed 1. The finished ones are in" in caught.value.__notes__[-1]
    assert [row.seed for row in studies.read(tmp_path / "a.csv").rows] == [0, 2, 3]


class Ended(ThreadPoolExecutor):
    """One worker; a job has ended by the time that `submit` returns."""

    submitted = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        future.exception()
        self.submitted += 1
        return future


@contextmanager
def ctrl_c(line: int) -> Iterator[None]:
    """Ctrl-C before the line that is run as the nth of those that play a study and write its table."""
    files = {module.__file__ for module in (jobs, running, tables)}
    count, before = itertools.count(), sys.gettrace()

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and next(count) == line:
            sys.settrace(None)
            raise KeyboardInterrupt
        return local

    def begin(frame: FrameType, event: str, argument: Any) -> Any:
        return local if frame.f_code.co_filename in files else None

    sys.settrace(begin)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("here", [False, True], ids=["executor", "here"])
def test_ctrl_c_loses_no_game_that_has_ended_whichever_line_it_comes_at(here: bool, tmp_path: Path) -> None:
    def game(rate: float, seed: int) -> dict[str, float]:
        return {"distance": rate + seed}

    kept_after = []
    for line in itertools.count():
        path = tmp_path / f"{line}.csv"
        with Ended(1) as executor:
            try:
                with ctrl_c(line):
                    studies.run({"v": 1.0}, range(2), game, path=path, executor=None if here else executor)
            except KeyboardInterrupt as stop:
                kept = [row.seed for row in studies.read(path).rows] if path.exists() else []
                assert here or kept == list(range(executor.submitted)), f"Ctrl-C at line {line}"
                told = "".join(getattr(stop, "__notes__", []))
                assert not told or len(kept) == 2 or f"{2 - len(kept)} of 2 games are missing" in told
                kept_after.append(len(kept))
            else:
                break
    assert set(kept_after) == {0, 1, 2}  # from before the first game to the last line


def test_ctrl_c_keeps_what_a_worker_has_sent_and_waits_for_no_game(tmp_path: Path) -> None:
    futures: list[Future[Any]] = []

    class OnItsWay(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            futures.append(Future())
            if len(futures) == len(SEEDS):
                threading.Timer(0.05, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
                threading.Timer(0.15, lambda: futures[0].set_result((0.0, [{"distance": 1.0}]))).start()
            futures[-1].set_running_or_notify_cancel()
            return futures[-1]

    with pytest.raises(KeyboardInterrupt) as caught:
        studies.run({"v": 1.0}, SEEDS, used_threads, path=tmp_path / "a.csv", executor=OnItsWay())
    assert "3 of 4 games are missing: v, seed 1; v, seed 2; v, seed 3." in caught.value.__notes__[-1]
    assert [row.seed for row in studies.read(tmp_path / "a.csv").rows] == [0]


SCRIPT = """
import os, sys, time, loky
from gan_lessons import studies

home = os.getpid()

def game(rate, seed):  # of __main__, as in a notebook
    import signal, time
    if seed == 2:
        os.kill(home, signal.SIGINT)
        time.sleep(60)
    return {"distance": rate + seed}

executor = loky.ProcessPoolExecutor(1)
try:
    studies.run({"v": 1.0}, range(4), game, path=sys.argv[1], executor=executor)
except KeyboardInterrupt as stop:
    print(*stop.__notes__)
executor.shutdown(kill_workers=True)
"""


def test_ctrl_c_keeps_the_finished_games_of_a_script_and_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py", "a.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert "2 of 4 games are missing: v, seed 2; v, seed 3. The finished ones are in a.csv" in done.stdout, done.stderr
    assert [row.values["distance"] for row in studies.read(tmp_path / "a.csv").rows] == [1, 2]


def full_disk(patch: pytest.MonkeyPatch, *, refused: range) -> None:
    """Let the disk be full at these writes, counted from 0."""
    count = itertools.count()

    def limited(path: Path, to: Any) -> Path:
        if next(count) in refused:
            raise OSError(errno.ENOSPC, "No space left on device")
        return atomic_write(path, to)

    patch.setattr("gan_lessons.studies.tables.atomic_write", limited)


@pytest.mark.parametrize(("executor", "unsaved"), [(None, 1), (Held(4), 3)], ids=["here", "executor"])
def test_a_full_disk_loses_no_finished_game(
    executor: Executor | None, unsaved: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    full_disk(monkeypatch, refused=range(1, 100))
    with pytest.raises(OSError, match="No space left") as caught:
        studies.run({"v": 1.0}, SEEDS, make_game(), path=path, executor=executor)
    monkeypatch.undo()
    rows = caught.value.__notes__[-1].partition("when there is room:\n")[2].splitlines()[1:]
    assert len(rows) == unsaved
    path.write_text(path.read_text() + "\n".join(rows) + "\n")  # as the note says
    assert [row.seed for row in studies.read(path).rows] == list(range(unsaved + 1))
    whole = studies.run({"v": 1.0}, SEEDS, make_game(), path=path)
    assert whole.column("largest") == studies.run({"v": 1.0}, SEEDS, make_game(), path=tmp_path / "b.csv").column(
        "largest"
    )


def test_a_disk_that_has_room_again_gets_the_rows_that_it_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_disk(monkeypatch, refused=range(1, 2))
    with pytest.raises(OSError, match="No space left") as caught:
        studies.run({"v": 1.0}, SEEDS, make_game(), path=tmp_path / "a.csv", executor=Held(4))
    assert caught.value.__notes__[-1].startswith("The finished ones are in")
    assert [row.seed for row in studies.read(tmp_path / "a.csv").rows] == list(SEEDS)
