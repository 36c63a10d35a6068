"""A running average of a generator: its decay warmed up, its batch-norm statistics measured anew.

average = averaging.average_of(G)
for step in train(gan, ...):
    average.update_parameters(G)
better = averaging.averaged(gan, average)        # a GAN to draw from
"""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from gan_lessons.checks import whole
from gan_lessons.training import GAN

Tensors = tuple[Tensor, ...] | list[Tensor]
BATCH = 500  # images in a batch of those that measure the statistics


def average_of(G: nn.Module, decay: float = 0.999) -> AveragedModel:
    """Return an exponential moving average of G's weights, which `update_parameters(G)` tells of each round.

    Of the old average the t-th update keeps min(decay, (1 + t) / (10 + t)), so that the untrained copy is forgotten
    within some rounds: a constant .995 keeps 22 % of it after 300. Buffers are copied. A checkpoint can hold it.
    Raises ValueError for a decay outside [0, 1).
    """
    if not 0 <= decay < 1:
        raise ValueError(f"the decay of an average lies in [0, 1), not {decay!r}; .999 is usual")

    def update(averages: Tensors, weights: Tensors, t: Tensor | int) -> None:
        now = min(decay, (1 + int(t)) / (10 + int(t)))  # t lies on the CPU
        get_ema_multi_avg_fn(now)(averages, weights, t)

    return AveragedModel(G, multi_avg_fn=update)


def averaged(gan: GAN, average: AveragedModel, n: int = 10_000, generator: torch.Generator | None = None) -> GAN:
    """Return the pair with its averaged generator, in eval mode, the statistics of its batch norm measured anew.

    An average of weights goes with none of the statistics that were recorded on the way, so n noise vectors pass
    through it in training mode, at most 500 at a time. `average.module` itself is returned, and the next update
    overwrites these statistics. Where G has no batch norm, no noise is drawn. Raises ValueError for n under 2, of
    which there are no statistics.
    """
    device = next(gan.G.parameters()).device
    n = whole("n", n, 2)
    parts = -(-n // BATCH)
    sizes = [(n + k) // parts for k in range(parts)]  # about equal: no batch of one image, which has no variance
    update_bn((gan.prior.sample(size, device=device, generator=generator) for size in sizes), average.module)
    return gan._replace(G=average.module.eval())
