"""CUDA graphs: a round of the game is recorded once, then launched as a whole and no longer kernel by kernel.

A GPU computes a small layer faster than Python can ask for it. A graph holds everything that was asked for in one
recorded round, with the places in memory that it reads and writes; to replay it is one request.
"""

import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

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


def recorder(device: str | torch.device) -> Recorder | None:
    """What `train(..., recorder=…)` should use on this device: `cuda_graph` on CUDA, None (no recording) elsewhere."""
    return cuda_graph if torch.device(device).type == "cuda" else None


class Replayed:
    """Work that is played for three calls as it stands, then recorded, then replayed for as long as nothing changed.

    What a recording takes for granted is compared before each call: shapes of the inputs, places of weights and of the
    optimizers' state, what needs a gradient, training or eval mode, learning rates and their like. Where one of these
    changed, the next three calls are played as they stand, and it is recorded anew. Outputs are copies, so they stay
    what they were. Work that cannot be recorded is played as it stands, with one warning that says why.
    """

    warm_up = 3  # until libraries have chosen their kernels and optimizers made their state

    def __init__(
        self, work: Work, networks: Sequence[nn.Module], optimizers: Sequence[Optimizer], recorder: Recorder
    ) -> None:
        self.work, self.networks, self.optimizers, self.recorder = work, networks, optimizers, recorder
        self._assumed: Hashable = None
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
        assumed = (tuple((x.shape, x.dtype, x.device) for x in inputs), *_assumptions(self.networks, self.optimizers))
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
    """Say to the optimizers that they are recorded. Not for longer: a checkpoint with this mark is of no use on a CPU.

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


def _assumptions(networks: Sequence[nn.Module], optimizers: Sequence[Optimizer]) -> tuple[Hashable, ...]:
    weights = chain.from_iterable(chain(network.parameters(), network.buffers()) for network in networks)
    states = (value for optimizer in optimizers for state in optimizer.state.values() for value in state.values())
    settings = (
        (name, value)
        for optimizer in optimizers
        for group in optimizer.param_groups
        for name, value in group.items()
        if name != "params"
    )
    return (
        tuple((tensor.data_ptr(), tensor.requires_grad) for tensor in weights),
        tuple(module.training for network in networks for module in network.modules()),
        tuple(value.data_ptr() for value in states if isinstance(value, Tensor)),
        tuple((name, value.data_ptr() if isinstance(value, Tensor) else value) for name, value in settings),
    )
