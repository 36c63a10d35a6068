"""Batch deviation: one more feature, by which a discriminator can see that all images of a batch are alike."""

import torch
from torch import Tensor, nn


class BatchDeviation(nn.Module):
    """Append to each row the batch's mean deviation: (n, c, ...) -> (n, c + 1, ...), e.g. (n, c, h, w) or (n, c).

    The standard deviation over the batch of each feature at each place, averaged to one number, written into a new
    feature that is constant over the batch (Karras et al. 2018, section 3; features of a batch: Salimans et al. 2016,
    section 3.2). In training mode the number comes from the batch at hand, with its gradient; in evaluation mode from
    its running average, as in batch normalisation, so that an image's features do not hang on its company. The sources
    have no running average; `momentum` None takes it away, and the batch at hand counts in both modes.
    """

    sees_the_batch = True  # training.discriminator_step keeps real and fake batches apart
    usual: Tensor

    def __init__(self, momentum: float | None = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("usual", torch.tensor(1.0))

    def forward(self, features: Tensor) -> Tensor:
        if self.training or self.momentum is None:
            number = deviation(features)
            if self.momentum is not None:
                with torch.no_grad():
                    self.usual.lerp_(number, self.momentum)
        else:
            number = self.usual
        new = number.to(features.dtype).expand_as(features[:, :1])
        if features.ndim == 4 and features.is_contiguous(memory_format=torch.channels_last):
            new = new.contiguous(memory_format=torch.channels_last)  # or else the result is not
        return torch.cat([features, new], 1)


def deviation(features: Tensor, epsilon: float = 1e-8) -> Tensor:
    """Mean over features and places of the standard deviation over the batch; a scalar, in float32 at least.

    The deviation divides by n. `epsilon` under the root keeps the gradient finite where a whole batch is one image.
    """
    wide = features if features.dtype == torch.float64 else features.float()  # variances need more digits than bfloat16
    centred = wide - wide.mean(0)  # half the time of var
    return (centred.square().mean(0) + epsilon).sqrt().mean()
