"""Trying a learner's function: at usual inputs, at extremes, in float32 and float64, and whether gradients flow."""

import math
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import Any

import torch
from torch import Tensor

from gan_lessons.exercises.forms import Unfit, tensor
from gan_lessons.exercises.traces import changes

Function = Callable[..., Any]
Miss = tuple[tuple[Any, ...], Tensor, Tensor]
EXTREMES = (0.0, 1.0, -1.0, 30.0, -30.0, 100.0, -100.0)


def logits(*shifts: float, seed: int = 0, sizes: Iterable[int] = (5, 64, 1)) -> Iterator[tuple[Tensor, ...]]:
    """Batches (n, 1) to try: a tuple of len(shifts) a case, ordinary ones of several sizes, float32 and float64, then
    extremes, the k-th tensor's EXTREMES moved on by k places.
    """
    generator = torch.Generator().manual_seed(seed)
    for n in sizes:
        yield tuple(2 * torch.randn(n, 1, generator=generator) + shift for shift in shifts)
        yield tuple(2 * torch.randn(n, 1, generator=generator, dtype=torch.float64) + shift for shift in shifts)
    for dtype in (torch.float32, torch.float64):
        far = torch.tensor(EXTREMES, dtype=dtype)[:, None]
        yield tuple(far.roll(k, 0) for k in range(len(shifts)))


def agrees(given: Tensor, truth: Tensor, dtype: torch.dtype) -> bool:
    """Whether two tensors agree as well as results computed in dtype should; axes of length 1 do not count.

    Infinities must agree, nan agrees with nothing. float64: to 10^-6 of the larger of |truth| and 1; else 10^-4.
    """
    given, truth = given.double().squeeze(), truth.double().squeeze()
    tol = 1e-6 if dtype == torch.float64 else 1e-4
    if given.shape != truth.shape:
        return False
    near = ((given - truth).abs() <= tol * truth.abs().clamp(min=1)) & truth.isfinite()
    return bool((near | (given == truth)).all())


def misses(function: Function, truth: Function, cases: Iterable[tuple[Any, ...]]) -> Iterator[Miss]:
    """The cases (tuples of arguments) for which a learner's function disagrees with the truth: (case, given, truth).

    The function gets copies. Raises Unfit where it returns no numbers, or changes a tensor that it was given.
    """
    for case in cases:
        copies = tuple(one.clone() if isinstance(one, Tensor) else one for one in case)
        with changes(**{f"argument {k}": one for k, one in enumerate(copies, start=1)}) as changed:
            result = function(*copies)
        if changed:
            raise Unfit(f"may be right, but {changed[0]}")
        given, wanted = tensor(result), tensor(truth(*case))
        if not agrees(given, wanted, _precision(result, *case)):
            yield case, given, wanted


def _precision(*values: Any) -> torch.dtype:
    """float64, unless one of the tensors or arrays is coarser."""
    dtypes = [str(getattr(value, "dtype", "")) for value in values]
    coarse = any(name.removeprefix("torch.") in ("float32", "float16", "bfloat16") for name in dtypes)
    return torch.float32 if coarse else torch.float64


def told(case: Any, given: Tensor, truth: Tensor) -> str:
    """A failing case in words: the input, what came out and what should; of a long tensor the worst entry."""
    where = ", ".join(_short(one) for one in (case if isinstance(case, tuple) else (case,)))
    if given.squeeze().shape != truth.squeeze().shape:
        return f"For {where} yours has the shape {tuple(given.shape)}, and it should be {tuple(truth.shape)}."
    if truth.numel() == 1:
        return f"For {where} yours gives {float(given):.4g}, and it should be {float(truth):.4g}."
    off = torch.where(given.flatten() == truth.flatten(), 0.0, given.flatten() - truth.flatten())
    k = int(off.abs().nan_to_num(math.inf).argmax())
    return f"For {where} yours gives {given.flatten()[k]:.4g} as entry {k}, and it should be {truth.flatten()[k]:.4g}."


def _short(value: Any) -> str:
    if isinstance(value, Tensor) and value.numel() > 8:
        return f"a tensor {tuple(value.shape)} of {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, Tensor):
        numbers = ", ".join(f"{one:.4g}" for one in value.flatten().tolist())
        return f"tensor([{numbers}])" if value.dtype != torch.float64 else f"tensor([{numbers}], dtype=float64)"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def slopes(function: Function, *inputs: Tensor) -> tuple[Tensor, ...] | None:
    """Gradients of the sum of what the function returns, for each floating input; None where none flows at all.

    An input that the result does not depend on has the gradient 0.
    """
    copies = [one.detach().clone().requires_grad_() for one in inputs]
    with torch.enable_grad():
        result = function(*copies)
        if not isinstance(result, Tensor) or not result.requires_grad:
            return None
        found = torch.autograd.grad(result.sum(), copies, allow_unused=True)
    return tuple(torch.zeros_like(x) if g is None else g for g, x in zip(found, copies, strict=True))


def flow(function: Function, truth: Function, *inputs: Tensor) -> str:
    """What is wrong with the gradients of a learner's function at these inputs; "" where they are those of truth."""
    given, wanted = slopes(function, *inputs), slopes(truth, *inputs)
    if given is None:
        return "no gradient flows through it: stay in torch, without .item(), float(), .numpy(), .detach() or no_grad."
    for k, (one, other, x) in enumerate(zip(given, wanted or (), inputs, strict=True), start=1):
        if not agrees(one, other, x.dtype):
            if not bool(one.any()):
                return f"no gradient arrives at its input number {k}: is it cut off by .detach() or by a clamp?"
            return f"its gradient is wrong. {told(x, one, other)} (No clamp, and nothing cut off?)"
    return ""


def pointwise(function: Function, x: Tensor) -> Any:
    """function(x), or, where it takes no tensor (as with math.sqrt), the list of its values at each number of x."""
    try:
        return function(x.clone())
    except (TypeError, ValueError, RuntimeError):
        return [function(value) for value in x.tolist()]


def of_numbers(function: Function, *numbers: float) -> Any:
    """function(*numbers), or, where it takes no plain numbers (as with torch.sqrt), of them as tensors of float64."""
    try:
        return function(*numbers)
    except (TypeError, AttributeError):
        return function(*(torch.tensor(value, dtype=torch.float64) for value in numbers))


def mentions(function: Any, *names: str) -> bool:
    """Whether a function's code, or that of one that it calls, uses one of these global or attribute names."""
    pending, seen = [function], set()
    while pending:
        one = pending.pop()
        code = getattr(one, "__code__", one)
        if not isinstance(code, CodeType) or code in seen:
            continue
        seen.add(code)
        if not set(names).isdisjoint(code.co_names):
            return True
        scope = getattr(one, "__globals__", {})
        cells = [cell.cell_contents for cell in getattr(one, "__closure__", None) or ()]
        pending += [*code.co_consts, *cells, *(scope[name] for name in code.co_names if name in scope)]
    return False
