"""The games of a study as jobs: played one after another here, or on any `concurrent.futures` executor."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import torch
from threadpoolctl import threadpool_limits

from gan_lessons.studies.tables import Key, Numbers

_ON_ITS_WAY = 0.5  # seconds that what a worker has sent may take to be here
_PLAYING = threading.Lock()  # held by the job that is played in this process


class Job(NamedTuple):
    """One call: its name in messages, the games that it plays, the function (numbers of each game), its arguments."""

    name: str
    games: tuple[Key, ...]
    call: Callable[..., list[Numbers]]
    arguments: tuple[Any, ...]


Keep = Callable[[Job, float, list[Numbers]], None]  # (job, seconds, what it returned)


def play_in_turn(jobs: Sequence[Job], keep: Keep, announce: Callable[[str], object]) -> None:
    """Play jobs in this process, one after another, with its own number of threads, and keep each as it ends."""
    for job in jobs:
        announce(job.name)
        with _named(job):
            seconds, values = _timed(job.call, *job.arguments)
        keep(job, seconds, values)


def play_on(executor: Executor, jobs: Sequence[Job], keep: Keep) -> None:
    """Play jobs on an executor, and keep each as it ends.

    After an error in a game, of a worker or in `keep`, no new job is begun; those that are being played are waited for
    and kept; then the error is raised. After Ctrl-C what has ended is kept, and no game waited for; where it
    came while a job was kept, `keep` is called for that job again.
    """
    waiting: dict[Future[Any], Job] = {}
    failure: Exception | None = None
    try:
        for job in jobs:
            waiting[executor.submit(_alone, job.call, *job.arguments)] = job
        while waiting:
            ended = wait(waiting, return_when=FIRST_COMPLETED).done
            for future in [f for f in waiting if f in ended]:  # in the order of the jobs
                error = _kept(future, waiting[future], keep)
                failure = failure or error
                del waiting[future]  # not before: Ctrl-C may come while it is kept, and then it is kept again
            if failure:
                _cancel(waiting)
    except BaseException:  # Ctrl-C, or an executor that takes no jobs
        _cancel(waiting)
        with suppress(BaseException):
            wait(waiting, timeout=_ON_ITS_WAY)
        for future in [f for f in waiting if f.done()]:
            with suppress(BaseException):
                _kept(future, waiting[future], keep)
        raise
    if failure:
        raise failure


def _kept(future: Future[Any], job: Job, keep: Keep) -> Exception | None:
    """Keep what a future returned; return the error of its game, or of the keeping."""
    try:
        with _named(job):
            seconds, values = future.result()
        keep(job, seconds, values)
    except Exception as error:
        return error
    return None


def _cancel(waiting: dict[Future[Any], Job]) -> None:
    """Take back the jobs that have not begun, and forget them: an executor may never say that it did."""
    for future in [f for f in waiting if f.cancel()]:
        del waiting[future]


@contextmanager
def _named(job: Job) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(f"This was {job.name}.")
        raise


def _timed(call: Callable[..., list[Numbers]], *arguments: Any) -> tuple[float, list[Numbers]]:
    started = time.perf_counter()
    values = call(*arguments)
    return round(time.perf_counter() - started, 2), values


def _alone(call: Callable[..., list[Numbers]], *arguments: Any) -> tuple[float, list[Numbers]]:
    """Play a job in a worker, on one thread. Raises RuntimeError where another job is being played in this process."""
    if not _PLAYING.acquire(blocking=False):
        raise RuntimeError(
            "two games are played in one process, where they would draw from the same random numbers; give each worker "
            "a process of its own: loky.get_reusable_executor(2), or for Dask LocalCluster(threads_per_worker=1)"
        )
    try:
        with _one_thread():
            return _timed(call, *arguments)
    finally:
        _PLAYING.release()


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch and for linear algebra: workers do not fight for cores, and sums come in the same order."""
    before = torch.get_num_threads()
    with threadpool_limits(1):
        torch.set_num_threads(1)  # the same again where torch shares its threads with OpenMP
        try:
            yield
        finally:
            torch.set_num_threads(before)
