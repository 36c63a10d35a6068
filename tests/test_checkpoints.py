import copy
import errno
import io
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gan_lessons import GAN, History, losses, models, noise, train
from gan_lessons.checkpoints import keep, load_weights, resume, save_run, save_weights
from gan_lessons.data import batches


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


PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import torch
from test_checkpoints import Run, resume, seeded

torch.set_num_threads(1)
run, path, pause = Run(), Path(sys.argv[2]), 0.05 if sys.argv[3] == "slow" else 0
seeded()
start = resume(path, run.parts)
print("start", start, flush=True)
log = run.parts["history"].log

def slowly(step, **values):
    log(step, **values)
    print("step", step, flush=True)
    time.sleep(pause)

run.parts["history"].log = slowly
run.play(40, path, start=start)
torch.save(run.state(), sys.argv[4])
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_resumes_bit_exactly(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    path, out = tmp_path / "run.pt", tmp_path / "out.pt"
    command = [sys.executable, str(tmp_path / "program.py"), str(Path(__file__).parent), str(path)]
    process = subprocess.Popen([*command, "slow", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line == "step 12\n":
            process.send_signal(how)
            break
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert not out.exists()
    done = subprocess.run([*command, "fast", str(out)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("start 10\n" if how == signal.SIGKILL else "start 1")
    assert "start 0" not in done.stdout

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
    with pytest.raises(ValueError, match=r"damaged or no checkpoint.*Move or delete"):
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
    with pytest.raises(ValueError, match=r"damaged.*fetch or make it again"):
        load_weights(path, other)
    with pytest.raises(FileNotFoundError, match="no weights at"):
        load_weights(tmp_path / "none.safetensors", other)
    assert same(dict(other.state_dict()), before)


def test_every_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(keep(iter([]), tmp_path / "run.pt", {}, every=0))
