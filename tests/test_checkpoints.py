import copy
import errno
import io
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from gan_lessons import GAN, History, losses, models, noise, train
from gan_lessons.checkpoints import keep, load_weights, resume, save_run, save_weights
from gan_lessons.data import DamagedFile, batches
from gan_lessons.models import layers


class Run:
    """A tiny but whole run: networks, optimizers, an average, shuffled batches and a history."""

    def __init__(self, hidden: int = 8, lr: float = 1e-2, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.gan = GAN(models.mlp_generator((hidden,), 3, 4), models.mlp_discriminator((hidden,), 4), noise.gaussian(3))
        G, D, _ = self.gan
        images = torch.randint(0, 256, (20, 4), generator=torch.Generator().manual_seed(9), dtype=torch.uint8)
        self.parts: dict[str, Any] = {
            "G": G,
            "D": D,
            "g_optimizer": torch.optim.Adam(G.parameters(), lr),
            "d_optimizer": torch.optim.Adam(D.parameters(), lr),
            "average": torch.optim.swa_utils.AveragedModel(G, use_buffers=True),
            "batches": batches(images, 8, seed=4),
            "history": History(),
        }

    def play(
        self, steps: int, path: Path | None = None, start: int = 0, every: int = 5, stop: int | None = None
    ) -> None:
        p = self.parts
        rounds = train(
            self.gan,
            p["batches"],
            steps,
            objective=losses.non_saturating,
            g_optimizer=p["g_optimizer"],
            d_optimizer=p["d_optimizer"],
            start=start,
        )
        for step in keep(rounds, path, p, every=every) if path else rounds:
            p["average"].update_parameters(self.gan.G)
            p["history"].log(step.number, d_loss=step.d_loss, luck=random.random())
            if step.number == stop:
                os.kill(os.getpid(), signal.SIGINT)

    def state(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self.parts.items()}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def seeded() -> None:
    torch.manual_seed(1)
    random.seed(1)


def test_a_run_interrupted_by_ctrl_c_resumes_bit_exactly(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    whole = Run()
    seeded()
    whole.play(17)

    cut = Run()
    seeded()
    with pytest.raises(KeyboardInterrupt, match=r"stopped after step 7; saved to .*run this again to go on"):
        cut.play(17, path, stop=7)
    assert len(cut.parts["history"]) == 7  # the round and the loop's body were finished first

    again = Run(seed=99)
    torch.manual_seed(5)
    random.seed(5)
    assert resume(path, again.parts) == 7
    again.play(17, path, start=7)
    assert same(again.state(), whole.state())
    assert not path.exists()  # a run that ended by itself leaves nothing to resume
    assert not same(whole.state(), Run().state())


# New processes that need not import torch: each is a copy of one, a server without threads, that has.
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["torch", "torch._dynamo"])  # the second comes with the first step of an optimizer


def forty_rounds(path: Path, out: Path, pause: float, says: Any) -> None:
    """What a process plays: 40 rounds, or what is left of them, and it says after each one which it was."""
    torch.set_num_threads(1)
    run = Run()
    seeded()
    start = resume(path, run.parts)
    says.send(start)
    log = run.parts["history"].log

    def slowly(step: int, **values: float) -> None:
        log(step, **values)
        says.send(step)
        time.sleep(pause)

    run.parts["history"].log = slowly
    run.play(40, path, start=start)
    torch.save(run.state(), out)


@contextmanager
def a_process(*arguments: Any) -> Iterator[tuple[Any, Any]]:
    """A new process that plays, and the end at which it is heard."""
    hears, says = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=forty_rounds, args=(*arguments, says))
    process.start()
    says.close()  # ours; its own goes with it
    with hears:
        yield process, hears
        process.join(60)
    process.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_resumes_bit_exactly(tmp_path: Path, how: signal.Signals) -> None:
    path, out = tmp_path / "run.pt", tmp_path / "out.pt"
    with a_process(path, out, 0.05) as (process, hears):
        assert hears.recv() == 0
        while hears.recv() != 12:
            pass
        os.kill(process.pid, how)
        process.join(60)
        assert process.exitcode not in (0, None)
    assert not out.exists()
    with a_process(path, out, 0.0) as (process, hears):
        start = hears.recv()
        process.join(60)
        assert process.exitcode == 0
    assert start == 10 if how == signal.SIGKILL else 10 <= start < 20

    whole = Run()
    seeded()
    whole.play(40)
    assert same(torch.load(out, weights_only=True), whole.state())


def test_no_file_means_a_fresh_start(tmp_path: Path) -> None:
    run = Run()
    before = run.state()
    assert resume(tmp_path / "none.pt", run.parts) == 0
    assert same(run.state(), before)


def snapshot(run: Run) -> dict[str, Any]:
    return {k: {n: t.clone() for n, t in part.state_dict().items()} for k, part in run.parts.items() if k in "GD"}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"hidden": 9}, r"another run: G\.0\.weight is \(8, 3\) there, \(9, 3\) here.*Move or delete"),
        ({"lr": 1e-3}, r"another run: g_optimizer had .*'lr': 0\.01.*has .*'lr': 0\.001"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(
    tmp_path: Path, other: dict[str, Any], words: str
) -> None:
    path = save_run(tmp_path / "run.pt", 5, Run().parts)
    run = Run(**other)
    before = snapshot(run)
    with pytest.raises(ValueError, match=words):
        resume(path, run.parts)
    assert same(snapshot(run), before)


def test_other_parts_or_settings_are_refused_by_name(tmp_path: Path) -> None:
    run = Run()
    path = save_run(tmp_path / "run.pt", 5, run.parts, {"steps": 10, "objective": "minimax"})
    with pytest.raises(ValueError, match="setting steps was 10, is 20"):
        resume(path, run.parts, {"steps": 20, "objective": "minimax"})
    with pytest.raises(ValueError, match="it holds"):
        resume(path, {"G": run.gan.G}, {"steps": 10, "objective": "minimax"})
    assert resume(path, run.parts, {"steps": 10, "objective": "minimax"}) == 5


@pytest.mark.parametrize("keep_bytes", [0, 10, 1000, -1])
def test_a_truncated_file_is_refused_and_not_deleted(tmp_path: Path, keep_bytes: int) -> None:
    path = save_run(tmp_path / "run.pt", 5, Run().parts)
    path.write_bytes(path.read_bytes()[:keep_bytes] if keep_bytes >= 0 else path.read_bytes()[:-200])
    size, run = path.stat().st_size, Run()
    before = snapshot(run)
    with pytest.raises(DamagedFile, match=r"damaged or no checkpoint.*Move or delete"):
        resume(path, run.parts)
    assert path.stat().st_size == size
    assert same(snapshot(run), before)


def test_a_full_disk_keeps_the_earlier_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    path = save_run(tmp_path / "run.pt", 5, run.parts)
    old = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left.*unharmed.*free some disk space"):
        save_run(path, 6, run.parts)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["run.pt"]
    assert resume(path, run.parts) == 5


class AlmostFull(io.FileIO):
    """A file on a disk that has room for some bytes more."""

    def __init__(self, descriptor: int, mode: str, room: int) -> None:
        super().__init__(descriptor, mode)
        self.room = room

    def write(self, data: Any) -> int:
        part = memoryview(data).cast("B")[: self.room]
        if not part:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(part)
        return super().write(part)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.9, 0.999])
def test_a_disk_that_fills_up_at_any_point_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    run = Run(hidden=2000)
    path = save_run(tmp_path / "run.pt", 5, run.parts)
    old = path.read_bytes()
    room = round(share * len(old))
    monkeypatch.setattr(os, "fdopen", lambda d, mode: io.BufferedWriter(AlmostFull(d, mode, room)))
    with pytest.raises(OSError, match=r"could not write.*No space left.*unharmed.*free some disk space"):
        save_run(path, 6, run.parts)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["run.pt"]


def test_nan_weights_are_never_saved_over_good_ones(tmp_path: Path) -> None:
    run = Run()
    path = save_run(tmp_path / "run.pt", 5, run.parts)
    with torch.no_grad():
        next(run.gan.G.parameters())[0] = float("nan")
    with pytest.raises(FloatingPointError, match="G holds NaN"):
        save_run(path, 6, run.parts)
    assert resume(path, Run().parts) == 5


def test_nan_in_a_networks_statistics_is_refused_like_nan_in_its_weights(tmp_path: Path) -> None:
    norm = torch.nn.BatchNorm1d(3)
    save_run(tmp_path / "run.pt", 5, {"norm": norm})
    norm(torch.full((4, 3), float("nan")))
    with pytest.raises(FloatingPointError, match="norm holds NaN"):
        save_run(tmp_path / "run.pt", 6, {"norm": norm})
    assert resume(tmp_path / "run.pt", {"norm": torch.nn.BatchNorm1d(3)}) == 5


def test_a_part_that_refuses_its_state_leaves_all_parts_as_they_were(tmp_path: Path) -> None:
    def parts(items: int) -> dict[str, Any]:
        torch.manual_seed(items)
        network = torch.nn.Linear(2, 1)
        return {
            "D": network,
            "batches": batches(torch.zeros(items, 2), 5, seed=0),
            "adam": torch.optim.Adam([*network.parameters()]),
        }

    path = save_run(tmp_path / "run.pt", 5, parts(50))
    other = parts(60)
    next(other["batches"])
    before = copy.deepcopy({name: part.state_dict() for name, part in other.items()})
    randomness = torch.get_rng_state()
    with pytest.raises(ValueError, match=r"run\.pt is a checkpoint of another run: these batches .*Move or delete"):
        resume(path, other)
    for name, part in other.items():
        for key, value in part.state_dict().items():
            assert (
                torch.equal(value, before[name][key]) if isinstance(value, torch.Tensor) else value == before[name][key]
            )
    assert torch.equal(torch.get_rng_state(), randomness)


def test_divergence_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    run = Run()
    path = tmp_path / "run.pt"
    real_log = run.parts["history"].log

    def poison(step: int, **values: Any) -> None:
        real_log(step, **values)
        if step == 7:
            with torch.no_grad():
                next(run.gan.D.parameters()).fill_(float("nan"))

    run.parts["history"].log = poison
    with pytest.raises(FloatingPointError, match="at step 8") as caught:
        run.play(20, path)
    assert caught.value.__notes__ == [f"Last good checkpoint: {path} at step 5."]
    assert resume(path, Run().parts) == 5


def test_divergence_before_any_checkpoint_says_so(tmp_path: Path) -> None:
    run = Run()
    with torch.no_grad():
        next(run.gan.D.parameters()).fill_(float("nan"))
    with pytest.raises(FloatingPointError) as caught:
        run.play(20, tmp_path / "run.pt")
    assert caught.value.__notes__ == ["No checkpoint had been saved yet."]


def test_the_signal_handler_is_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    Run().play(6, tmp_path / "run.pt")
    assert signal.getsignal(signal.SIGINT) is before


def test_weights_round_trip_in_half_precision(tmp_path: Path) -> None:
    G, H = models.mlp_generator((8,), 3, 4), models.mlp_generator((8,), 3, 4)
    save_weights(tmp_path / "g.safetensors", G, torch.float16)
    load_weights(tmp_path / "g.safetensors", H)
    for a, b in zip(G.state_dict().values(), H.state_dict().values(), strict=True):
        assert b.dtype == torch.float32
        assert torch.equal(a.half().float(), b)


def test_weights_of_another_network_a_truncated_file_and_none_are_refused(tmp_path: Path) -> None:
    path = save_weights(tmp_path / "g.safetensors", models.mlp_generator((8,), 3, 4))
    other = models.mlp_generator((9,), 3, 4)
    before = {k: v.clone() for k, v in other.state_dict().items()}
    with pytest.raises(ValueError, match=r"another network: 0\.weight is \(8, 3\) there, \(9, 3\) here"):
        load_weights(path, other)
    with pytest.raises(ValueError, match="another network"):
        load_weights(path, nn.Linear(3, 4))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DamagedFile, match=r"damaged.*fetch or make it again"):
        load_weights(path, other)
    with pytest.raises(FileNotFoundError, match="no weights at"):
        load_weights(tmp_path / "none.safetensors", other)
    assert same(dict(other.state_dict()), before)


def test_every_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(keep(iter([]), tmp_path / "run.pt", {}, every=0))


# --- what is saved can be resumed -------------------------------------------------------------------------------

FLOAT32: Any = np.float32  # torch takes them, and says in its types that it does not
INT64: Any = np.int64
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "NumPy rate": lambda p: torch.optim.Adam(p, lr=np.logspace(-4, -3, 3)[1]),
    "float32 rate": lambda p: torch.optim.SGD(p, lr=FLOAT32(0.01), momentum=np.float64(0.9)),
    "tensor rate": lambda p: torch.optim.Adam(p, lr=torch.tensor(1e-3)),
    "NumPy betas": lambda p: torch.optim.AdamW(p, lr=1e-3, betas=tuple(np.array([0.5, 0.99]))),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=np.float64(1e-3), momentum=0.5),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=FLOAT32(1e-2)),
    "groups": lambda p: torch.optim.Adam([{"params": p[:2], "lr": np.float64(1e-2)}, {"params": p[2:]}], lr=1e-3),
}
SCHEDULERS: dict[str, Callable[[torch.optim.Optimizer], Any]] = {
    "none": lambda o: None,
    "LinearLR": lambda o: lr_scheduler.LinearLR(o, np.float64(0.5), total_iters=INT64(5)),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda k: 0.9**k),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 4]),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=20),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=0),
    "WarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 1e-3, 1e-2, step_size_up=2, cycle_momentum=False),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.LinearLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [3]
    ),
}


class Small:
    """One network, its optimizer, and what may move its rate, with its scaler."""

    def __init__(self, optimizer: Any, schedule: Any = SCHEDULERS["none"]) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        self.optimizer = optimizer(list(self.network.parameters()))
        self.schedule = schedule(self.optimizer)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
        self.parts: dict[str, Any] = {"network": self.network, "optimizer": self.optimizer, "scaler": self.scaler}
        if self.schedule:
            self.parts["schedule"] = self.schedule

    def play(self, rounds: int, cool: float = 1.0) -> None:
        for _ in range(rounds):
            loss = self.network(torch.randn(8, 3)).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if isinstance(self.schedule, lr_scheduler.ReduceLROnPlateau):
                self.schedule.step(1.0)
            elif self.schedule:
                self.schedule.step()
            for group in self.optimizer.param_groups:
                group["lr"] = group["lr"] * cool

    def rates(self) -> list[float]:
        return [float(group["lr"]) for group in self.optimizer.param_groups]


@pytest.mark.parametrize("seen", [False, True], ids=["saved at once", "resumed before"])
@pytest.mark.parametrize("schedule", SCHEDULERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.filterwarnings("ignore:.*(lr_scheduler.step|epoch parameter|momentum)")
def test_every_optimizer_and_scheduler_goes_on_bit_exactly(
    tmp_path: Path, optimizer: str, schedule: str, seen: bool
) -> None:
    if optimizer == "tensor rate" and schedule in ("OneCycleLR", "CyclicLR"):
        pytest.skip("torch itself mixes up the tensor of the rate with the rates")
    if optimizer == "Adagrad" and schedule == "OneCycleLR":
        pytest.skip("torch's OneCycleLR needs a momentum")
    made = partial(Small, OPTIMIZERS[optimizer], SCHEDULERS[schedule])
    path, first, again = tmp_path / "run.pt", made(), made()
    if seen:
        assert resume(path, first.parts) == 0
    # by the loop's own hand too; rates of groups, without a scheduler, must have been seen before the first round
    first.play(3, cool=1.0 if (optimizer, schedule, seen) == ("groups", "none", False) else 0.9)
    save_run(path, 3, first.parts)
    torch.manual_seed(99)
    assert resume(path, again.parts) == 3
    assert again.rates() == first.rates()
    state = torch.get_rng_state()
    first.play(3)
    torch.set_rng_state(state)
    again.play(3)
    assert same(again.network.state_dict(), first.network.state_dict())
    assert again.rates() == first.rates()


@pytest.mark.parametrize("seen", [False, True], ids=["saved at once", "resumed before"])
@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (
            lambda p: torch.optim.Adam(p, 1e-2),
            lambda p: torch.optim.Adam(p, 1e-3),
            "had {'lr': 0.01}, has {'lr': 0.001",
        ),
        (lambda p: torch.optim.Adam(p, betas=(0.5, 0.9)), lambda p: torch.optim.Adam(p), "'betas': [0.5, 0.9]"),
        (lambda p: torch.optim.SGD(p, 0.1, 0.9), lambda p: torch.optim.SGD(p, 0.1, 0.5), "'momentum': 0.9"),
        (lambda p: torch.optim.Adam(p), lambda p: torch.optim.SGD(p, 1e-3), "torch.optim.adam.Adam"),
        (lambda p: torch.optim.Adam(p), lambda p: torch.optim.AdamW(p, weight_decay=0), "torch.optim.adam.Adam"),
        (lambda p: torch.optim.Adam(p), lambda p: torch.optim.Adam(p[:2]), "had the shapes"),
        (lambda p: torch.optim.Adam(p), lambda p: torch.optim.Adam([{"params": [w]} for w in p]), "had the shapes"),
        (OPTIMIZERS["groups"], lambda p: torch.optim.Adam([{"params": p[:2]}, {"params": p[2:]}], lr=2e-3), "'lr'"),
        (
            OPTIMIZERS["groups"],
            lambda p: torch.optim.Adam([{"params": p[:2], "lr": 3e-2}, {"params": p[2:]}], lr=1e-3),
            "had {'lr': 0.01}, has {'lr': 0.03}",
        ),
    ],
)
@pytest.mark.parametrize("schedule", ["none", "LinearLR"])
def test_an_optimizer_that_was_built_in_another_way_is_told(
    tmp_path: Path, before: Any, now: Any, words: str, schedule: str, seen: bool
) -> None:
    path, first, again = tmp_path / "run.pt", Small(before, SCHEDULERS[schedule]), Small(now, SCHEDULERS[schedule])
    if seen:
        resume(path, first.parts)
    first.play(2)
    save_run(path, 2, first.parts)
    state = copy.deepcopy({name: part.state_dict() for name, part in again.parts.items()})
    with pytest.raises(ValueError, match=r"another run: optimizer .*Move or delete") as caught:
        resume(path, again.parts)
    assert words in str(caught.value) or (schedule != "none" and "initial_lr" in str(caught.value))
    assert same({name: part.state_dict() for name, part in again.parts.items()}, state)


def test_a_scheduler_that_was_built_in_another_way_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    first = Small(OPTIMIZERS["RMSprop"], lambda o: lr_scheduler.LinearLR(o, total_iters=100))
    resume(path, first.parts)
    first.play(2)
    save_run(path, 2, first.parts)
    for other, words in (
        (lambda o: lr_scheduler.LinearLR(o, total_iters=200), "schedule had {'total_iters': 100}, has"),
        (lambda o: lr_scheduler.ExponentialLR(o, 0.9), "schedule had the kind torch.optim.lr_scheduler.LinearLR"),
    ):
        with pytest.raises(ValueError, match=words):
            resume(path, Small(OPTIMIZERS["RMSprop"], other).parts)


def test_a_run_that_is_taken_up_again_in_the_same_session_goes_back_to_what_was_saved(tmp_path: Path) -> None:
    run = Small(lambda p: torch.optim.SGD(p, 0.1))
    run.play(2, cool=0.5)
    path = save_run(tmp_path / "run.pt", 2, run.parts)
    saved = run.rates()
    run.play(2, cool=0.5)
    assert resume(path, run.parts) == 2
    assert run.rates() == saved == [0.025]
    save_run(path, 2, run.parts)
    assert resume(path, Small(lambda p: torch.optim.SGD(p, 0.1)).parts) == 2


def test_a_checkpoint_of_an_earlier_version_is_read_and_compared(tmp_path: Path) -> None:
    made = partial(Small, lambda p: torch.optim.Adam(p, 1e-2))
    run = made()
    run.play(2)
    path = save_run(tmp_path / "run.pt", 2, run.parts)
    content = torch.load(path, weights_only=True)
    del content["known"], content["random"]["numpy"]
    del content["parts"]["optimizer"]["param_groups"][0]["decoupled_weight_decay"]  # a newer torch has added it
    torch.save(content, path)
    again = made()
    assert resume(path, again.parts) == 2
    again.play(1)
    with pytest.raises(ValueError, match=r"optimizer had \{'lr': 0.01\}, has \{'lr': 0.02\}"):
        resume(path, Small(lambda p: torch.optim.Adam(p, 2e-2)).parts)


class Keeps:
    """A part that keeps whatever it is given."""

    def __init__(self, value: Any = None) -> None:
        self.value = value

    def state_dict(self) -> dict[str, Any]:
        return {"deep": [{"value": self.value}]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["deep"][0]["value"]


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3),
        np.array([], np.int64),
        np.array(3, np.int16),
        np.array(["a", "bc"]),
        np.float32(0.1),
        np.int64(3),
        np.bool_(True),
        np.datetime64("2026-01-01"),
        (1, [np.float64(2.5)], {"a": {1, 2}}),
        torch.bfloat16,
    ],
    ids=repr,
)
def test_numpys_values_come_back_as_they_were(tmp_path: Path, value: Any) -> None:
    path, part = save_run(tmp_path / "run.pt", np.int64(3), {"part": Keeps(value)}), Keeps()  # type: ignore[arg-type]
    assert resume(path, {"part": part}) == 3
    assert type(part.value) is type(value)
    assert getattr(part.value, "dtype", None) == getattr(value, "dtype", None)
    np.testing.assert_equal(part.value, value)


@pytest.mark.parametrize("value", [object(), lambda: 1, Path("a"), losses.minimax, np.array([object()]), io.BytesIO()])
def test_what_no_checkpoint_can_give_back_is_refused_when_saving_and_before_the_first_round(
    tmp_path: Path, value: Any
) -> None:
    path = save_run(tmp_path / "run.pt", 5, {"part": Keeps(1)})
    old = path.read_bytes()
    words = r"part\.deep\[0\]\.value(\[1\])? holds an? \w+, which no checkpoint can give back: keep it out"
    with pytest.raises(ValueError, match=words):
        save_run(path, 6, {"part": Keeps(value)})
    with pytest.raises(ValueError, match=words):
        keep(iter([]), path, {"part": Keeps(value)})
    assert path.read_bytes() == old


def test_numpys_global_generator_goes_on_too(tmp_path: Path) -> None:
    np.random.seed(1)  # noqa: NPY002
    np.random.normal(size=3)  # noqa: NPY002  an odd number: one is left in store
    path = save_run(tmp_path / "run.pt", 5, {})
    expected = np.random.normal(size=5)  # noqa: NPY002
    resume(path, {})
    assert np.array_equal(np.random.normal(size=5), expected)  # noqa: NPY002


SETTINGS: dict[str, Callable[[], Any]] = {
    "objective": losses.smoothed,
    "prior": lambda: noise.gaussian(8),
    "device": lambda: torch.device("cpu"),
    "dtype": lambda: torch.float32,
    "path": lambda: Path("a"),
    "rate": lambda: np.float32(0.1),
    "nan": lambda: float("nan"),
    "partial": lambda: partial(losses.r1, gamma=2.0),
}


@pytest.mark.parametrize("key", SETTINGS)
def test_settings_of_all_kinds_are_known_again(tmp_path: Path, key: str) -> None:
    path = save_run(tmp_path / "run.pt", 5, {}, {key: SETTINGS[key]()})
    assert resume(path, {}, {key: SETTINGS[key]()}) == 5
    with pytest.raises(ValueError, match=f"another run: setting {key} was .*, is 'another'"):
        resume(path, {}, {key: "another"})


def test_a_setting_that_cannot_be_known_again_is_refused_when_saving_and_when_resuming(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    for way in (
        lambda s: save_run(path, 5, {}, s),
        lambda s: resume(path, {}, s),
        lambda s: keep(iter([]), path, {}, s),
    ):
        with pytest.raises(ValueError, match="the setting 'rng' cannot be recognised in another process"):
            way({"rng": torch.Generator()})
    assert not path.exists()


# --- wrapped networks -------------------------------------------------------------------------------------------

compiled: Any = torch.compile
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda G: G,
    "compiled": lambda G: torch.compile(G),
    "a compiled layer": lambda G: nn.Sequential(compiled(G[0]), *G[1:]),
    "autocast": lambda G: layers.Autocast(G, torch.bfloat16),
    "parallel": lambda G: nn.DataParallel(G),
    "averaged": lambda G: torch.optim.swa_utils.AveragedModel(G),
    "all": lambda G: nn.DataParallel(layers.Autocast(compiled(G), torch.bfloat16)),
}


@pytest.mark.parametrize("into", [name for name in WRAPPERS if name != "averaged"])
@pytest.mark.parametrize("of", WRAPPERS)
def test_weights_go_from_any_wrapped_network_into_any_other(tmp_path: Path, of: str, into: str) -> None:
    G, H = models.mlp_generator((8,), 3, 4), models.mlp_generator((8,), 3, 4)
    path = save_weights(tmp_path / "g.safetensors", WRAPPERS[of](G))
    load_weights(path, WRAPPERS[into](H))
    assert same(dict(H.state_dict()), dict(G.state_dict()))
    with pytest.raises(ValueError, match="another network"):
        load_weights(path, WRAPPERS[into](models.mlp_generator((9,), 3, 4)))


@pytest.mark.parametrize("into", [name for name in WRAPPERS if name != "averaged"])
@pytest.mark.parametrize("of", [name for name in WRAPPERS if name != "averaged"])
def test_a_run_goes_on_whether_its_network_is_wrapped_or_not(tmp_path: Path, of: str, into: str) -> None:
    G, H = models.mlp_generator((8,), 3, 4), models.mlp_generator((8,), 3, 4)
    path = save_run(tmp_path / "run.pt", 5, {"G": WRAPPERS[of](G)})
    assert resume(path, {"G": WRAPPERS[into](H)}) == 5
    assert same(dict(H.state_dict()), dict(G.state_dict()))
    with pytest.raises(ValueError, match="another run"):  # the count of an average would be lost
        resume(save_run(path, 5, {"G": WRAPPERS["averaged"](G)}), {"G": WRAPPERS[into](H)})


def test_a_network_with_a_state_of_its_own_is_saved(tmp_path: Path) -> None:
    class Counts(nn.Linear):
        count = 0

        def get_extra_state(self) -> int:
            return self.count

        def set_extra_state(self, state: int) -> None:
            self.count = state

    one, other = Counts(2, 1), Counts(2, 1)
    one.count = 7
    resume(save_run(tmp_path / "run.pt", 5, {"it": one}), {"it": other})
    assert other.count == 7


# --- Ctrl-C after the loop --------------------------------------------------------------------------------------


def a_run() -> Iterator[Any]:
    run = Run()
    p = run.parts
    rounds = {"objective": losses.minimax, "g_optimizer": p["g_optimizer"], "d_optimizer": p["d_optimizer"]}
    return train(run.gan, p["batches"], 10, **rounds)


def interrupted() -> bool:
    """Press Ctrl-C, and say whether it was heard."""
    try:
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.05)
    except KeyboardInterrupt:
        return True
    return False


def naps() -> None:
    """Five seconds at most: a press is heard between two naps, and not in one."""
    for _ in range(500):
        time.sleep(0.01)


def leave_by_an_error(steps: Iterator[Any]) -> None:
    for step in steps:
        _ = step.number / 0


def test_after_a_loop_that_was_left_by_break_the_first_ctrl_c_stops(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    steps = keep(a_run(), tmp_path / "run.pt", {})
    for _ in steps:
        assert not interrupted()  # within the loop it waits
        break
    with pytest.raises(KeyboardInterrupt):  # the press of the last round, which could not be heard in it
        naps()
    assert signal.getsignal(signal.SIGINT) is before
    for step in steps:  # goes on where it stopped
        assert step.number == 2
        break
    assert interrupted()
    assert signal.getsignal(signal.SIGINT) is before
    assert next(steps).number == 3
    assert interrupted()
    with pytest.raises(ZeroDivisionError):
        leave_by_an_error(steps)
    assert interrupted()


def test_weights_too_large_for_a_short_dtype_are_not_stored_as_infinite(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    save_weights(tmp_path / "w.safetensors", network, torch.float16)
    before = (tmp_path / "w.safetensors").read_bytes()
    network.weight.data.fill_(1e6)
    with pytest.raises(ValueError, match=r"weight would be infinite in torch\.float16"):
        save_weights(tmp_path / "w.safetensors", network, torch.float16)
    assert (tmp_path / "w.safetensors").read_bytes() == before
    save_weights(tmp_path / "w.safetensors", network, torch.bfloat16)


def test_a_folder_is_no_checkpoint_and_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder, no checkpoint"):
        resume(tmp_path, {"G": nn.Linear(1, 1)})


def test_an_array_with_named_fields_is_refused_when_saving(tmp_path: Path) -> None:
    class Part:
        def state_dict(self) -> Any:
            return {"table": np.zeros(2, [("a", "f4"), ("b", "i4")])}

    with pytest.raises(ValueError, match=r"x\.table holds a ndarray, which no checkpoint can give back"):
        save_run(tmp_path / "run.pt", 1, {"x": Part()})


def test_a_second_ctrl_c_stops_at_once_and_only_once(tmp_path: Path) -> None:
    gan = GAN(nn.Linear(2, 2), nn.Linear(2, 1), noise.gaussian(2))
    adams: dict[str, Any] = {
        f"{k}_optimizer": torch.optim.Adam(net.parameters()) for k, net in (("g", gan.G), ("d", gan.D))
    }
    played = train(gan, batches(torch.rand(8, 2), 4), 9, objective=losses.non_saturating, **adams)

    def press_twice() -> None:
        for _ in keep(played, tmp_path / "a.pt", {"G": gan.G}):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        time.sleep(0.1)  # a third would come now, in whatever the reader does next
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == []
