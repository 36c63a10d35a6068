"""CUDA graphs: a round of the game is recorded once, then launched as a whole and no longer kernel by kernel.

A GPU computes a small layer faster than Python can launch it. A graph holds all launches of one recorded round, with
the memory that they read and write; replaying it costs one launch. `train` here is `training.train`, recorded.
"""

import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from gan_lessons import training
from gan_lessons.losses import Objective
from gan_lessons.noise import Prior
from gan_lessons.training import GAN, Penalty, Step

Work = Callable[[Sequence[Tensor]], tuple[Tensor, ...]]  # computes outputs from inputs, and may move weights


class Recording(NamedTuple):
    """What was recorded: `replay()` computes `outputs` anew, in place, from what the inputs' memory holds by then."""

    outputs: tuple[Tensor, ...]
    replay: Callable[[], object]


Recorder = Callable[[Callable[[], tuple[Tensor, ...]], Sequence[Optimizer]], Recording]


def cuda_graph(work: Callable[[], tuple[Tensor, ...]], optimizers: Sequence[Optimizer]) -> Recording:
    """Record work() on the current CUDA device; the recording itself computes nothing and moves no weight.

    Raises RuntimeError (CUDA's, with its reason) for work that waits for a number from the GPU, and ValueError for an
    optimizer that keeps its state elsewhere: Adam and its kin need fused=True.
    """
    graph = torch.cuda.CUDAGraph()
    with _recordable(optimizers), torch.cuda.graph(graph, capture_error_mode="thread_local"):
        outputs = work()
    return Recording(outputs, graph.replay)


def recorder_of(device: str | torch.device) -> Recorder | None:
    """The recorder that `train` takes on this device: `cuda_graph` on CUDA, None (no recording) elsewhere."""
    return cuda_graph if torch.device(device).type == "cuda" else None


def train(
    gan: GAN,
    batches: Iterator[tuple[Tensor, ...]],
    steps: int,
    *,
    objective: Objective,
    g_optimizer: Optimizer,
    d_optimizer: Optimizer,
    d_steps: int = 1,
    g_steps: int = 1,
    penalty: Penalty | None = None,
    start: int = 0,
    recorder: Recorder | None = None,
) -> Iterator[Step]:
    """Play as `training.train` does, each round as one recorded graph: the same game, and the same errors.

    All batches of a round are drawn before its moves, so layers and losses that draw numbers themselves may draw
    others. Without a `recorder` that of G's device is taken (see `recorder_of`); on a CPU nothing is recorded.
    """
    (G, D, prior), number = gan, start
    players: dict[str, Any] = {"g_optimizer": g_optimizer, "d_optimizer": d_optimizer}
    game: dict[str, Any] = players | {"objective": objective, "d_steps": d_steps, "g_steps": g_steps}
    game |= {"penalty": penalty}
    plain = training.train(gan, batches, steps, start=start, **game)
    if (chosen := recorder or recorder_of(next(G.parameters()).device)) is None:
        return plain

    def one_round(drawn: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        ready = iter(drawn[d_steps:])
        canned = GAN(G, D, Prior(prior.name, prior.dim, lambda n, dim, **where: next(ready)))
        reals = ((real,) for real in drawn[:d_steps])
        (step,) = training.train(canned, reals, number, start=number - 1, **game)
        return step.d_loss, step.g_loss

    replayed = Replayed(one_round, (G, D), (g_optimizer, d_optimizer), chosen)

    def rounds() -> Iterator[Step]:
        nonlocal number
        for number in range(start + 1, steps + 1):
            reals, noise = [], []
            for k in range(d_steps + g_steps - 1):
                if k < d_steps:
                    reals.append(next(batches)[0])
                noise.append(prior.sample(len(reals[-1]), device=reals[-1].device))
            d_loss, g_loss = replayed([*reals, *noise])
            training.refuse_nan(number, d_loss, g_loss)
            yield Step(number, d_loss, g_loss)

    return rounds()


class Replayed:
    """Work that runs eagerly three times, is then recorded, and then replayed for as long as nothing changed.

    The `Assumptions` of the recording are compared before each call. Where one changed, the next three calls run
    eagerly, and the work is recorded anew. Outputs are copies, so they stay what they were. Work that cannot be
    recorded runs eagerly, with one warning that says why.
    """

    warm_up = 3  # until libraries have chosen their kernels and optimizers made their state

    def __init__(
        self, work: Work, networks: Sequence[nn.Module], optimizers: Sequence[Optimizer], recorder: Recorder
    ) -> None:
        self.work, self.networks, self.optimizers, self.recorder = work, networks, optimizers, recorder
        self._assumed: Assumptions | None = None
        self._played = 0
        self._refused = False
        self._recording: Recording | None = None
        self._inputs: list[Tensor] = []

    def __call__(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return what work(inputs) returns, and move what it moves."""
        if self._refused or not self._ready(inputs):
            return self.work(inputs)
        assert self._recording is not None
        for place, given in zip(self._inputs, inputs, strict=True):
            place.copy_(given)
        self._recording.replay()
        return tuple(output.clone() for output in self._recording.outputs)

    def _ready(self, inputs: Sequence[Tensor]) -> bool:
        assumed = assumptions(inputs, self.networks, self.optimizers)
        if assumed != self._assumed:
            self._assumed, self._played, self._recording = assumed, 0, None
        if self._recording is None:
            if self._played < self.warm_up:
                self._played += 1
                return False
            self._inputs = [x.clone() for x in inputs]
            try:
                self._recording = self.recorder(lambda: self.work(self._inputs), self.optimizers)
            except (RuntimeError, ValueError, AssertionError) as error:
                self._refused = True
                warnings.warn(
                    f"this round cannot be recorded and is played step by step, which is slower: {error}", stacklevel=2
                )
                return False
        return True


@contextmanager
def _recordable(optimizers: Sequence[Optimizer]) -> Iterator[None]:
    """Mark the optimizers as capturable while recording; a checkpoint with this mark would be of no use on a CPU.

    Raises ValueError for one whose steps a graph would not count: its state does not lie beside the weights.
    """
    groups = [group for optimizer in optimizers for group in optimizer.param_groups if "capturable" in group]
    for optimizer in optimizers:
        counted = [state["step"] for state in optimizer.state.values() if isinstance(state.get("step"), Tensor)]
        known = isinstance(optimizer, SGD) or all("capturable" in group for group in optimizer.param_groups)
        if not known or any(step.device.type == "cpu" for step in counted):
            raise ValueError(f"{type(optimizer).__name__} counts its steps on the CPU; give it fused=True")
    before = [group["capturable"] for group in groups]
    try:
        for group in groups:
            group["capturable"] = True
        yield
    finally:
        for group, value in zip(groups, before, strict=True):
            group["capturable"] = value


class Assumptions(NamedTuple):
    """What a recording takes for granted, in values that can be compared."""

    inputs: Hashable  # shapes, dtypes, devices
    weights: Hashable  # places in memory of parameters and buffers, and whether they need a gradient
    modes: Hashable  # training or eval, layer by layer
    states: Hashable  # places in memory of the optimizers' state
    settings: Hashable  # learning rates and their like


def assumptions(
    inputs: Sequence[Tensor], networks: Sequence[nn.Module], optimizers: Sequence[Optimizer]
) -> Assumptions:
    """Look at everything that a recording of work on these inputs, networks and optimizers takes for granted."""
    weights = chain.from_iterable(chain(network.parameters(), network.buffers()) for network in networks)
    states = (value for optimizer in optimizers for state in optimizer.state.values() for value in state.values())
    groups = (group for optimizer in optimizers for group in optimizer.param_groups)
    settings = ((name, value) for group in groups for name, value in group.items() if name != "params")
    return Assumptions(
        inputs=tuple((x.shape, x.dtype, x.device) for x in inputs),
        weights=tuple((tensor.data_ptr(), tensor.requires_grad) for tensor in weights),
        modes=tuple(module.training for network in networks for module in network.modules()),
        states=tuple(value.data_ptr() for value in states if isinstance(value, Tensor)),
        settings=tuple((name, value.data_ptr() if isinstance(value, Tensor) else value) for name, value in settings),
    )
