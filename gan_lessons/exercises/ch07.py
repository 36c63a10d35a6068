"""Checkers of chapter 07, DCGAN."""

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_lessons.exercises import Verdict, checker, not_yet, right
from gan_lessons.exercises.forms import set_of, several, tensor
from gan_lessons.exercises.rounding import fault
from gan_lessons.exercises.traces import changes
from gan_lessons.exercises.trials import agrees, mentions, misses, told
from gan_lessons.models import convolutions

CONVOLUTIONS = (
    *(f"{name}{d}d" for name in ("conv", "conv_transpose", "Conv", "ConvTranspose") for d in (1, 2, 3)),
    "convolution",
    "_convolution",
    "conv_tbc",
)


@checker(several(int, 3))
def check_1(sides: tuple[int, int, int]) -> Verdict:
    """Sides: transposed (4, 2, 1) on 16 and (5, 3, 1) on 10, and a plain convolution (4, 2, 1) on 64."""
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


@checker(several(float, 2))
def check_2(counts: tuple[float, float]) -> Verdict:
    """Weights without biases of a 4x4 convolution 24 -> 48, and of a linear layer 24x14x14 -> 48x7x7."""
    convolution, linear = counts
    pairs, maps, numbers = 24 * 48, 48, 48 * 7 * 7
    truth = (pairs * 16, 24 * 14 * 14 * numbers)
    with_biases = "that counts the biases too. The question is about weights alone."
    each_pair = "each of the 48 new features has a kernel for each of the 24 old ones."
    turns = [
        (truth[1], "that is the linear layer's. Give both the other way round: (convolution, linear)."),
        (truth[0] + maps, with_biases),
        (24 * 16, each_pair),
        (48 * 16, each_pair),
        (16, each_pair),
        (pairs * 4, "a kernel of 4 x 4 has 16 weights, not 4."),
        (pairs, "that is the number of pairs of features, and each pair has a kernel of 4 x 4 weights."),
        (truth[0] * 49, "that counts a kernel for each of the 7 x 7 places. It is the same one at all of them."),
    ]
    otherwise = "a kernel has 4 x 4 weights for each pair of an old and a new feature, wherever it stands."
    if pointer := fault(convolution, truth[0], turns, otherwise):
        return not_yet(f"The convolution: {pointer}")
    both = "count both stacks in full: one weight for each pair of an old and a new number."
    turns = [
        (truth[0], "that is the convolution's count once more."),
        (pairs * 14 * 14, f"48 features of 7 x 7 are {numbers:,} numbers: {both}"),
        (pairs * 7 * 7, f"24 features of 14 x 14 are {24 * 196:,} numbers: {both}"),
        (24 * 196 + numbers, "that is the sum of both numbers. Each number of the one is joined to each of the other."),
    ]
    if pointer := fault(linear, truth[1], turns, both, exactly=[(truth[1] + numbers, with_biases)]):
        return not_yet(f"The linear layer: {pointer}")
    return right(f"A factor of {truth[1] / truth[0]:.0f}: sharing saves 49 places, looking near by saves the rest.")


@checker(callable)
def check_3(transposed_1d: Callable[[Tensor, Tensor, int], Any]) -> Verdict:
    """x (n,), kernel (k,) and a stride -> ((n - 1) stride + k,), as nn.ConvTranspose1d without padding."""
    if mentions(transposed_1d, *CONVOLUTIONS):
        return not_yet("Write it without PyTorch's convolutions: it is they that you are to explain.")
    for (x, kernel, stride), given, truth in misses(transposed_1d, _transposed, _brushes()):
        n, k = len(x), len(kernel)
        where = f"For n = {n}, k = {k}, stride {stride}"
        if given.numel() != len(truth):
            return not_yet(
                f"{where} the output has {given.numel()} numbers; it should have (n - 1) s + k = {len(truth)}."
            )
        if agrees(given, _transposed(x, kernel.flip(0), stride), torch.float32):
            return not_yet(f"{where} your kernel lies the wrong way round: the brush is put down as it is.")
        overlaps = " Where two brush strokes overlap, they add up." if stride < k else ""
        return not_yet(f"{where} the numbers differ.{overlaps} {told((x, kernel, stride), given, truth)}")
    return right("Gaps, overlaps and touching strokes all come out.")


def _transposed(x: Tensor, kernel: Tensor, stride: int) -> Tensor:
    return F.conv_transpose1d(x[None, None], kernel[None, None], stride=stride).flatten()


def _brushes() -> Iterator[tuple[Tensor, Tensor, int]]:
    """(x, kernel, stride): touching strokes, overlaps, gaps; then one stroke, one-pixel brushes, and extremes."""
    source = torch.Generator().manual_seed(0)
    for dtype in (torch.float32, torch.float64):
        for n, k, stride in ((4, 3, 3), (5, 4, 2), (3, 2, 4), (6, 5, 1), (1, 4, 2), (1, 1, 1), (5, 1, 3), (40, 7, 2)):
            x, kernel = (torch.randn(m, generator=source, dtype=dtype) for m in (n, k))
            yield x, kernel, stride
        far = torch.tensor([100.0, -100.0, 0.0, 1.0], dtype=dtype)
        yield far, torch.tensor([0.0, -100.0, 100.0], dtype=dtype), 2


@checker(set_of(int))
def check_4(kernels: set[int]) -> Verdict:
    """Which kernels of 2 .. 9 touch all inner pixels alike with stride 3."""
    truth = {3, 6, 9}
    if kernels == truth:
        return right("The multiples of the stride: each pixel gets k/s strokes in a row, and as many in a column.")
    if outside := sorted(k for k in kernels if not 2 <= k <= 9):
        return not_yet(f"Only the kernels from 2 to 9 are asked about, and {outside[0]} is none of them.")
    if 2 in kernels:
        return not_yet("With kernel 2 and stride 3 every third pixel gets no stroke at all.")
    missing, extra = sorted(truth - kernels), sorted(kernels - truth)
    return not_yet(
        "Count the strokes along one line. " + (f"{extra[0]} leaves a pattern." if extra else f"Try {missing[0]}.")
    )


@checker(callable, returns=False)
def check_5(initialise: Callable[[nn.Module], object]) -> Verdict:
    """DCGAN's initialisation, in place: N(0, .02), gamma N(1, .02), biases 0."""
    torch.manual_seed(0)
    for network in _networks():
        with torch.no_grad():
            for layer in network.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.bias.fill_(0.3)
        before = [(p, p.detach().clone()) for p in network.parameters()]
        initialise(network)
        after = list(network.parameters())
        if [id(p) for p, _ in before] != [id(p) for p in after]:
            return not_yet(
                "There are other tensors in the network now, and an optimizer that was made before would go on to hold "
                "the old ones. Fill those that are there, as nn.init.normal_ does."
            )
        if all(torch.equal(p, old) for p, old in before):
            return not_yet("The network came out as it went in: write into its own tensors, in place.")
        if not all(p.requires_grad for p in after):
            return not_yet("Some weights take no gradient any more: leave requires_grad as it is.")
        for layer in network.modules():
            if pointer := _badly_begun(layer):
                return not_yet(pointer)
    return right("Convolutions both ways, linear layers, γ around 1, and all biases 0.")


def _networks() -> list[nn.Module]:
    """DCGAN's pair; layers within layers, with biases everywhere; and a bare layer, which is a network too."""
    pair = [build(width=32, init=convolutions.keep_init) for build in _BUILDERS]
    inner = nn.ModuleDict({"up": nn.ConvTranspose2d(8, 16, 4), "norm": nn.BatchNorm2d(512), "act": nn.LeakyReLU()})
    nested = nn.Sequential(nn.Conv2d(3, 64, 4), nn.Sequential(inner, nn.Sequential(nn.Linear(50, 60))))
    return [*pair, nested, nn.Conv2d(16, 32, 3)]


def _badly_begun(layer: nn.Module) -> str:
    """What is wrong with the first weights of one layer; "" where nothing is."""
    kind = type(layer).__name__
    if isinstance(layer, nn.BatchNorm2d):
        gamma = layer.weight.detach().double()
        if abs(float(gamma.mean())) < 0.1:
            return "Batch norm's γ is near 0: it multiplies its feature away. It should begin near 1."
        if _not_normal(gamma - 1):
            return "Batch norm's γ should come from a normal of mean 1 and standard deviation 0.02."
    elif isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        weight = layer.weight.detach().double()
        if words := _not_normal(weight):
            return f"The weights of {kind} {words}; N(0, 0.02²) is wanted there too."
    bias = getattr(layer, "bias", None)
    if isinstance(bias, Tensor) and bool(bias.detach().any()):
        return f"A bias of {kind} is not 0."
    return ""


def _not_normal(values: Tensor, std: float = 0.02) -> str:
    """What tells values from many of N(0, std^2), beyond five standard errors: mean, spread or tails."""
    n, mean, spread = values.numel(), float(values.mean()), float(values.std(correction=0))
    if not abs(spread / std - 1) < 5 / math.sqrt(2 * n):
        return f"have standard deviation {spread:.2g}"
    if not abs(mean) < 5 * std / math.sqrt(n):
        return f"have mean {mean:.2g} and not 0"
    tail = float((values.abs() > 2 * std).double().mean())  # a normal has 4.6 % of its values there, a uniform none
    if abs(tail - 0.0455) > 5 * math.sqrt(0.0455 / n):
        return f"lie beyond ±0.04 in {tail:.1%} of all cases, and not in 4.6 % as those of a normal do"
    return ""


@checker(callable)
def check_6(probability: Callable[[nn.Module, Tensor], Any]) -> Verdict:
    """sigma(D(x)) image by image: evaluation mode, no gradients, and D left as it was found."""
    for D, images in _questions():
        logits = copy.deepcopy(D).eval()(images).detach().double().flatten()
        with changes(D=D, images=images) as changed:
            result = probability(D, images)
        if not torch.is_grad_enabled():
            return not_yet("From here on nobody gets a gradient: put torch.set_grad_enabled back, or use no_grad.")
        if any(isinstance(part, Tensor) and part.requires_grad for part in _parts(result)):
            return not_yet("The answer still carries a graph: ask within torch.no_grad().")
        given = tensor(result).flatten()
        if given.numel() != len(images):
            return not_yet(f"{len(images)} images should get as many answers, but yours holds {given.numel()}.")
        if agrees(given, logits, torch.float32):
            return not_yet("These are logits; some are negative. One function is missing.")
        if any("running" in words or "num_batches" in words for words in changed):
            return not_yet("D's running averages moved: it was asked in training mode. The answer hangs on the batch.")
        if not agrees(given, logits.sigmoid(), torch.float32):
            extreme = " for logits as far out as ±100" if float(logits.abs().max()) >= 90 else ""
            return not_yet(f"The numbers are not σ(D(x)) of a D in evaluation mode{extreme}.")
        if changed:
            return not_yet(f"The numbers are right, but {changed[0]}")
    return right("An estimate for each image, whatever its company, and D is as it was.")


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def _questions() -> Iterator[tuple[nn.Module, Tensor]]:
    """(D, images): in both modes and precisions, one image alone, in mid-game, and with logits as far as ±100."""
    source = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    D = convolutions.dcgan_discriminator(width=4, init=convolutions.keep_init)
    D(2 * torch.rand(64, 1, 28, 28, generator=source) - 1)  # moves the running averages
    for n, training, dtype, times in (
        (12, True, torch.float32, 30),
        (12, False, torch.float32, 30),
        (1, True, torch.float64, 30),
        (12, True, torch.float32, 2_000),
    ):
        twin = copy.deepcopy(D).to(dtype).train(training)
        with torch.no_grad():
            for weight in twin[-1].parameters():
                weight.mul_(times)
        if dtype == torch.float64:  # gradients lie about, and one weight is frozen for good
            twin(torch.randn(8, 1, 28, 28, generator=source, dtype=dtype)).sum().backward()
            next(twin.parameters()).requires_grad_(False)
        yield twin, 1.5 * torch.randn(n, 1, 28, 28, generator=source, dtype=dtype).clamp(-1, 1)


_BUILDERS = (convolutions.dcgan_generator, convolutions.dcgan_discriminator)
