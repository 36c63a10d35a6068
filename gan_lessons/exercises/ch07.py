"""Checkers of chapter 07, DCGAN."""

import copy
from collections.abc import Callable, Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons.exercises import Verdict, checker, close, not_yet, right, whole
from gan_lessons.models import convolutions


@checker((tuple, list))
def check_1(sides: Collection[int]) -> Verdict:
    """Sides: transposed (4, 2, 1) on 16 and (5, 3, 1) on 10, and a plain convolution (4, 2, 1) on 64."""
    if len(sides) != 3 or not all(whole(side) for side in sides):
        return not_yet("Give three whole numbers: (a, b, c).")
    a, b, c = sides
    if (a, b, c) == (32, 30, 32):
        return right("With (4, 2, 1) the way down and the way up are exact mirrors.")
    if a == 31 or b == 29:
        return not_yet("Almost: the kernel's width is added whole, (n - 1) s + k - 2p.")
    if b == 32 or a == 34:
        return not_yet("Padding cuts p pixels from both ends of a transposed convolution.")
    wrong = [letter for letter, side, truth in zip("abc", (a, b, c), (32, 30, 32), strict=True) if side != truth]
    hint = "(n - 1) s + k - 2p for a and b" if wrong != ["c"] else "floor((n + 2p - k) / s) + 1 for c"
    return not_yet(f"Look at {', '.join(wrong)}: {hint}.")


@checker((tuple, list))
def check_2(counts: Collection[int]) -> Verdict:
    """Weights without biases of a 4x4 convolution 24 -> 48, and of a linear layer 24x14x14 -> 48x7x7."""
    if len(counts) != 2:
        return not_yet("Give two numbers: (convolution, linear).")
    convolution, linear = counts
    truth = (24 * 48 * 16, 24 * 14 * 14 * 48 * 7 * 7)
    if close(convolution, truth[0], 1e-9) and close(linear, truth[1], 1e-9):
        return right(f"A factor of {truth[1] / truth[0]:.0f}: sharing saves 49 places, looking near by saves the rest.")
    if close(convolution, 24 * 16, 1e-9) or close(convolution, 48 * 16, 1e-9):
        return not_yet("Each of the 48 new features has a kernel for each of the 24 old ones.")
    if not close(convolution, truth[0], 1e-9):
        return not_yet("A kernel has 4 x 4 weights for each pair of an old and a new feature, wherever it stands.")
    return not_yet("A linear layer has one weight for each pair of an input and an output number: count both in full.")


@checker(callable)
def check_3(transposed_1d: Callable[[Tensor, Tensor, int], Tensor]) -> Verdict:
    """x (n,), kernel (k,) and a stride -> ((n - 1) stride + k,), as nn.ConvTranspose1d without padding."""
    source = torch.Generator().manual_seed(0)
    for n, k, stride in ((4, 3, 3), (5, 4, 2), (3, 2, 4), (6, 5, 1)):
        x, kernel = torch.randn(n, generator=source), torch.randn(k, generator=source)
        truth = F.conv_transpose1d(x[None, None], kernel[None, None], stride=stride).flatten()
        found = torch.as_tensor(transposed_1d(x, kernel, stride)).flatten()
        where = f"For n = {n}, k = {k}, stride {stride}"
        if found.shape != truth.shape:
            return not_yet(f"{where} the output has {len(found)} numbers; it should have (n - 1) s + k = {len(truth)}.")
        if close(found, truth, 1e-4):
            continue
        if close(found, F.conv_transpose1d(x[None, None], kernel.flip(0)[None, None], stride=stride).flatten(), 1e-4):
            return not_yet(f"{where} your kernel lies the wrong way round: the brush is put down as it is.")
        return not_yet(f"{where} the numbers differ. Where two brush strokes overlap, they add up.")
    return right("Gaps, overlaps and touching strokes all come out.")


@checker((set, frozenset, list, tuple))
def check_4(kernels: Collection[int]) -> Verdict:
    """Which kernels of 2 .. 9 touch all inner pixels alike with stride 3."""
    truth = {3, 6, 9}
    found = set(kernels)
    if found == truth:
        return right("The multiples of the stride: each pixel gets k/s strokes in a row, and as many in a column.")
    if found & {2}:
        return not_yet("With kernel 2 and stride 3 every third pixel gets no stroke at all.")
    missing, extra = sorted(truth - found), sorted(found - truth)
    return not_yet(
        "Count the strokes along one line. " + (f"{extra[0]} leaves a pattern." if extra else f"Try {missing[0]}.")
    )


@checker(callable, returns=False)
def check_5(initialise: Callable[[nn.Module], object]) -> Verdict:
    """DCGAN's initialisation, in place: N(0, .02), gamma N(1, .02), biases 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = [build(width=32, init=convolutions.keep_init) for build in _BUILDERS]
        for network in networks:
            with torch.no_grad():
                for layer in network.modules():
                    if isinstance(layer, nn.BatchNorm2d):
                        layer.bias.fill_(0.3)
            initialise(network)
    for layer in (layer for network in networks for layer in network.modules()):
        kind = type(layer).__name__
        if isinstance(layer, nn.BatchNorm2d):
            gamma = layer.weight.detach()
            if abs(float(gamma.mean())) < 0.1:
                return not_yet("Batch norm's γ is near 0: it multiplies its feature away. It should begin near 1.")
            if abs(float(gamma.mean()) - 1) > 0.02 or not 0.012 < float(gamma.std()) < 0.028:
                return not_yet("Batch norm's γ should come from a normal of mean 1 and standard deviation 0.02.")
        elif isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)) and layer.weight.numel() > 300:
            spread, mean = float(layer.weight.detach().std()), float(layer.weight.detach().mean())
            if not 0.017 < spread < 0.023 or abs(mean) > 0.005:
                return not_yet(f"The weights of {kind} have standard deviation {spread:.3f}; 0.02 is wanted there too.")
        bias = getattr(layer, "bias", None)
        if isinstance(bias, Tensor) and float(bias.detach().abs().max()) > 0:
            return not_yet(f"A bias of {kind} is not 0.")
    return right("Convolutions both ways, linear layers, γ around 1, and all biases 0.")


@checker(callable)
def check_6(probability: Callable[[nn.Module, Tensor], Tensor]) -> Verdict:
    """sigma(D(x)) image by image: evaluation mode, no gradients, and D left as it was found."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        D = convolutions.dcgan_discriminator(width=4, init=convolutions.keep_init)
        D(2 * torch.rand(64, 1, 28, 28) - 1)  # moves the running averages
        images = 1.5 * torch.randn(12, 1, 28, 28).clamp(-1, 1)
    truth = torch.sigmoid(copy.deepcopy(D).eval()(images)).detach().flatten()
    logits = copy.deepcopy(D).eval()(images).detach().flatten()
    for training in (True, False):
        D.train(training)
        before = {k: v.clone() for k, v in D.state_dict().items()}
        found = torch.as_tensor(probability(D, images))
        if found.requires_grad:
            return not_yet("The answer still carries a graph: ask within torch.no_grad().")
        if close(found.flatten(), logits, 1e-4):
            return not_yet("These are logits; some are negative. One function is missing.")
        if any(not torch.equal(v, before[k]) for k, v in D.state_dict().items()):
            return not_yet("D's running averages moved: it was asked in training mode. The answer hangs on the batch.")
        if not close(found.flatten(), truth, 1e-4):
            return not_yet("The numbers are not σ(D(x)) of a D in evaluation mode.")
        if D.training != training or any(m.training != training for m in D.modules()):
            return not_yet(
                f"D was in {'training' if training else 'evaluation'} mode before and is not now: put it back."
            )
        if not all(p.requires_grad for p in D.parameters()):
            return not_yet("D's weights no longer ask for gradients: torch.no_grad() does without touching them.")
    return right("An estimate for each image, whatever its company, and D is as it was.")


_BUILDERS = (convolutions.dcgan_generator, convolutions.dcgan_discriminator)
