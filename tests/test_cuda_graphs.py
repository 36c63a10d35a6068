"""What can be tested without a GPU goes through a recorder that remembers the work in place of its kernels."""

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_lessons import GAN, Step, cuda_graphs, losses, models, noise, profiles, train
from gan_lessons.cuda_graphs import Recorder, Recording
from gan_lessons.models import convolutions, layers

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


class Remembered:
    """Like a CUDA graph it keeps the settings of the optimizers as they were, and writes outputs to the same place."""

    def __init__(self) -> None:
        self.recordings = 0
        self.replays = 0

    def __call__(self, work: Callable[[], tuple[Tensor, ...]], optimizers: Sequence[torch.optim.Optimizer]) -> Any:
        self.recordings += 1
        groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        then = [{k: v for k, v in group.items() if k != "params"} for group in groups]
        outputs = tuple(torch.empty(()) for _ in range(2))

        def replay() -> None:
            self.replays += 1
            now = [dict(group) for group in groups]
            for group, old in zip(groups, then, strict=True):
                group.update(old)
            for place, value in zip(outputs, work(), strict=True):
                place.copy_(value)
            for group, new in zip(groups, now, strict=True):
                group.update(new)

        return Recording(outputs, replay)


def pair(device: str = "cpu") -> GAN:
    torch.manual_seed(0)
    G, D = models.mlp_generator((16,), z_dim=5, outputs=9), models.mlp_discriminator((16,), inputs=9, slope=0.2)
    return GAN(G.to(device), D.to(device), noise.gaussian(5))


def dcgan(device: str = "cpu") -> GAN:
    torch.manual_seed(0)
    dtype = profiles.convolution_dtype(torch.device(device))
    networks = (convolutions.dcgan_generator(28, 8, 1, 5), convolutions.dcgan_discriminator(28, 8))
    G, D = (layers.prepared(net, torch.device(device), dtype) for net in networks)
    return GAN(G, D, noise.gaussian(5))


def endless(*shape: int, device: str = "cpu") -> Iterator[tuple[Tensor]]:
    generator = torch.Generator().manual_seed(1)
    while True:
        yield (torch.rand(8, *shape, generator=generator).to(device),)


def play(
    gan: GAN,
    rounds: int = 12,
    real: Iterator[tuple[Tensor]] | None = None,
    body: Callable[[Step, dict[str, Any]], object] = lambda step, adams: None,
    recorder: Recorder | None = None,
    **options: Any,
) -> list[float]:
    """All losses of a game, read at its end, so that outputs written over would show."""
    adams: dict[str, Any] = {
        name: torch.optim.Adam(net.parameters(), 1e-2, fused=True)
        for name, net in (("g_optimizer", gan.G), ("d_optimizer", gan.D))
    }
    torch.manual_seed(5)
    seen = []
    game: Any = partial(cuda_graphs.train, recorder=recorder) if recorder else train
    for step in game(gan, real or endless(9), rounds, objective=losses.non_saturating, **adams, **options):
        seen.append(step)
        body(step, adams)
    return [float(loss) for step in seen for loss in step[1:]]


def weights(gan: GAN) -> Tensor:
    return torch.cat([p.detach().flatten().cpu() for net in gan[:2] for p in (*net.parameters(), *net.buffers())])


@pytest.mark.parametrize(("d_steps", "g_steps"), [(1, 1), (3, 1), (1, 2), (2, 3)])
def test_a_replayed_game_is_the_same_game(d_steps: int, g_steps: int) -> None:
    recorder, ours, plain = Remembered(), pair(), pair()
    counts: dict[str, Any] = {"d_steps": d_steps, "g_steps": g_steps}
    assert play(ours, recorder=recorder, **counts) == play(plain, **counts)
    assert torch.equal(weights(ours), weights(plain))
    assert (recorder.recordings, recorder.replays) == (
        1,
        12 - 4,
    )  # the first round makes the state of the optimizers, three more warm up


def test_real_batches_from_the_same_generator_as_the_noise_come_in_the_same_order() -> None:
    def drawn() -> Iterator[tuple[Tensor]]:
        while True:
            yield (torch.rand(8, 9),)

    ours, plain = pair(), pair()
    assert play(ours, real=drawn(), recorder=Remembered(), d_steps=2) == play(plain, real=drawn(), d_steps=2)


def test_a_dcgan_keeps_its_batch_statistics_when_replayed() -> None:
    ours, plain = dcgan(), dcgan()
    play(ours, real=endless(1, 28, 28), recorder=Remembered())
    play(plain, real=endless(1, 28, 28))
    assert torch.equal(weights(ours), weights(plain))


def test_a_rate_changed_between_rounds_counts_from_the_next_round_on() -> None:
    def cool(step: Step, adams: dict[str, Any]) -> None:
        if step.number == 6:
            adams["g_optimizer"].param_groups[0]["lr"] = 1e-4

    recorder, ours, plain = Remembered(), pair(), pair()
    assert play(ours, body=cool, recorder=recorder) == play(plain, body=cool)
    assert torch.equal(weights(ours), weights(plain))
    assert (recorder.recordings, recorder.replays) == (2, 2 + 3)


@pytest.mark.parametrize("what", ["weights", "buffers", "mode", "moments"])
def test_whatever_a_recording_takes_for_granted_makes_a_new_one_when_it_changes(what: str) -> None:
    gan = dcgan()
    norm = next(layer for layer in gan.G.modules() if isinstance(layer, nn.BatchNorm2d))

    def change(step: Step, adams: dict[str, Any]) -> None:
        if step.number != 6:
            return
        if what == "weights":
            norm.weight.data = norm.weight.data.clone()
        elif what == "buffers":
            norm.running_mean = torch.zeros_like(norm.bias)
        elif what == "mode":
            gan.D.eval()
        else:
            adams["d_optimizer"].load_state_dict(copy.deepcopy(adams["d_optimizer"].state_dict()))

    recorder = Remembered()
    play(gan, real=endless(1, 28, 28), body=change, recorder=recorder)
    assert (recorder.recordings, recorder.replays) == (2, 2 + 3)


def test_a_weight_that_is_frozen_between_rounds_is_refused_as_it_is_without_a_recorder() -> None:
    def freeze(step: Step, adams: dict[str, Any]) -> None:
        if step.number == 6:
            next(gan.D.parameters()).requires_grad_(False)

    for recorder in (Remembered(), None):
        gan = pair()
        with pytest.raises(RuntimeError, match="does not require grad"):
            play(gan, body=freeze, recorder=recorder)


def test_what_a_body_only_looks_at_makes_no_new_recording() -> None:
    gan, recorder = pair(), Remembered()
    play(gan, body=lambda step, adams: gan.sample(4), recorder=recorder)
    assert recorder.recordings == 1


def test_a_smaller_batch_is_played_and_recorded_at_its_own_size() -> None:
    def shrinking() -> Iterator[tuple[Tensor]]:
        for number, (real,) in enumerate(endless(9)):
            yield (real if number < 6 else real[:5],)

    recorder, ours, plain = Remembered(), pair(), pair()
    assert play(ours, real=shrinking(), recorder=recorder) == play(plain, real=shrinking())
    assert recorder.recordings == 2


def test_work_that_cannot_be_recorded_is_played_with_one_warning() -> None:
    def refuses(work: Callable[[], tuple[Tensor, ...]], optimizers: Sequence[torch.optim.Optimizer]) -> Recording:
        raise RuntimeError("operation not permitted when stream is capturing")

    ours, plain = pair(), pair()
    with pytest.warns(UserWarning, match=r"cannot be recorded .* not permitted when stream is capturing") as told:
        found = play(ours, recorder=refuses)
    assert len(told) == 1
    assert found == play(plain)


def test_a_loss_that_is_nan_stops_a_replayed_game_too() -> None:
    def poisoned() -> Iterator[tuple[Tensor]]:
        for number, (real,) in enumerate(endless(9)):
            yield (real * (float("nan") if number == 8 else 1),)

    with pytest.raises(FloatingPointError, match="at step 9 "):
        play(pair(), real=poisoned(), recorder=Remembered())


def test_a_graph_that_computes_nan_stops_the_game_though_nothing_in_it_is_looked_at() -> None:
    def broken(work: Callable[[], tuple[Tensor, ...]], optimizers: Sequence[torch.optim.Optimizer]) -> Recording:
        return Recording((torch.tensor(float("nan")), torch.tensor(0.0)), lambda: None)

    with pytest.raises(FloatingPointError, match="at step 5 "):  # the first round that is replayed
        play(pair(), recorder=broken)


def test_a_penalty_counts_in_a_replayed_game_too() -> None:
    ours, plain, without = pair(), pair(), pair()
    penalised = play(ours, recorder=Remembered(), penalty=losses.r1)
    assert penalised == play(plain, penalty=losses.r1)
    assert penalised != play(without)


@pytest.mark.parametrize(
    ("make", "takes"),
    [
        (lambda p: torch.optim.Adam(p, fused=True), True),
        (lambda p: torch.optim.Adam(p), False),
        (lambda p: torch.optim.Adagrad(p), False),
        (lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), True),
    ],
)
def test_only_optimizers_that_count_on_the_device_are_recorded(make: Callable[..., Any], takes: bool) -> None:
    """meta stands for the GPU here: not the CPU, and enough for a step to have a place."""
    optimizer = make([nn.Parameter(torch.ones(3))])
    optimizer.param_groups[0]["params"][0].grad = torch.ones(3)
    optimizer.step()
    if takes:
        for state in optimizer.state.values():
            state.update({k: v.to("meta") for k, v in state.items() if k == "step"})
    before = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    if takes:
        with cuda_graphs._recordable([optimizer]):
            assert optimizer.param_groups[0].get("capturable", True)
    else:
        with (
            pytest.raises(ValueError, match=rf"{type(optimizer).__name__} counts its steps on the CPU.*fused=True"),
            cuda_graphs._recordable([optimizer]),
        ):
            pass
    assert {k: v for k, v in optimizer.param_groups[0].items() if k != "params"} == before


def test_the_mark_for_recording_is_taken_away_even_if_recording_fails() -> None:
    adam = torch.optim.Adam([nn.Parameter(torch.ones(3))], fused=True)
    with pytest.raises(RuntimeError, match="reason"), cuda_graphs._recordable([adam]):
        raise RuntimeError("reason")
    assert adam.param_groups[0]["capturable"] is False


def test_the_recorder_of_a_device_is_cudas_or_none() -> None:
    assert cuda_graphs.recorder_of("cpu") is None
    assert cuda_graphs.recorder_of(torch.device("cuda")) is cuda_graphs.cuda_graph


@needs_cuda
@pytest.mark.parametrize("make", [pair, dcgan])
@pytest.mark.parametrize(("d_steps", "g_steps"), [(1, 1), (2, 3)])
def test_on_a_gpu_a_recorded_game_has_the_bits_of_the_played_one(
    make: Callable[[str], GAN], d_steps: int, g_steps: int
) -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    shape = (9,) if make is pair else (1, 28, 28)
    games, losses_of = [make("cuda") for _ in range(2)], []
    try:
        for gan, recorder in zip(games, (cuda_graphs.cuda_graph, None), strict=True):
            counts: dict[str, Any] = {"d_steps": d_steps, "g_steps": g_steps, "recorder": recorder}
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message="this round cannot be recorded")
                losses_of.append(play(gan, 40, endless(*shape, device="cuda"), **counts))
    finally:
        torch.use_deterministic_algorithms(False)
    assert losses_of[0] == losses_of[1]
    assert torch.equal(*(weights(gan) for gan in games))


@needs_cuda
def test_on_a_gpu_a_rate_changed_between_rounds_counts() -> None:
    def cool(step: Step, adams: dict[str, Any]) -> None:
        if step.number == 20:
            adams["g_optimizer"].param_groups[0]["lr"] = 1e-4

    ended = []
    for recorder in (cuda_graphs.cuda_graph, None):
        gan = pair("cuda")
        play(gan, 40, endless(9, device="cuda"), cool, recorder=recorder)
        ended.append(weights(gan))
    assert torch.allclose(ended[0], ended[1], atol=1e-6)


@needs_cuda
def test_on_a_gpu_a_penalty_that_waits_for_a_number_is_played_with_one_warning() -> None:
    def waits(D: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        return real.new_tensor(float(real.mean()))

    ended = []
    for recorder in (cuda_graphs.cuda_graph, None):
        gan = pair("cuda")
        options: dict[str, Any] = {"penalty": waits, "recorder": recorder}
        if recorder:
            with pytest.warns(UserWarning, match="cannot be recorded"):
                play(gan, 20, endless(9, device="cuda"), **options)
        else:
            play(gan, 20, endless(9, device="cuda"), **options)
        ended.append(weights(gan))
    assert torch.allclose(ended[0], ended[1], atol=1e-6)
