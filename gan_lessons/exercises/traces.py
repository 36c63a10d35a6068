"""Nothing left changed: what a learner's code did to the things it was given, and putting back what is ours."""

import copy
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@contextmanager
def global_state_kept() -> Iterator[None]:
    """Put back, at the end, the random states of torch, NumPy and Python, torch's default dtype and its grad mode."""
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002 - the global one, which learners use
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_grad_enabled(grad)
            np.random.set_state(numpys)  # noqa: NPY002
            random.setstate(pythons)


@contextmanager
def networks_kept(*answers: object) -> Iterator[None]:
    """Put back, at the end, weights, buffers, gradients, flags and modes of those answers that are networks."""
    before = [_kept(answer) for answer in answers if isinstance(answer, nn.Module)]
    try:
        yield
    finally:
        for modes, tensors in before:
            for module, training in modes:
                module.training = training
            for tensor, values, needs_grad, grad in tensors:
                with torch.no_grad():
                    tensor.copy_(values)
                tensor.requires_grad_(needs_grad).grad = grad


def _kept(network: nn.Module) -> tuple[list[tuple[nn.Module, bool]], list[tuple[Tensor, Tensor, bool, Tensor | None]]]:
    tensors = [*network.parameters(), *network.buffers()]
    grads = [None if tensor.grad is None else tensor.grad.clone() for tensor in tensors]
    return (
        [(module, module.training) for module in network.modules()],
        [(t, t.detach().clone(), t.requires_grad, grad) for t, grad in zip(tensors, grads, strict=True)],
    )


def unplayable(**networks: nn.Module) -> str:
    """What keeps networks from learning on: "D is left unable to learn: …", or in eval mode; "" where nothing does."""
    for name, network in networks.items():
        if not all(weight.requires_grad for weight in network.parameters()):
            return f"{name} is left unable to learn: put requires_grad back to True."
        if not all(module.training for module in network.modules()):
            return f"{name} is left in eval mode: put it back with .train()."
    return ""


@contextmanager
def changes(**things: Any) -> Iterator[list[str]]:
    """Watch tensors, networks, optimizers, lists and dicts; at the end the list holds, in words, what was changed.

        with changes(D=D, x=x) as changed:
            given = advice(D, x)
        if changed:
            return not_yet(f"The arrows may be right, but {changed[0]}")

    Values, shape, gradient and requires_grad of each tensor count, and the mode of each network.
    """
    before = {key: value for name, thing in things.items() for key, value in _facts(name, thing)}
    words: list[str] = []
    yield words
    after = {key: value for name, thing in things.items() for key, value in _facts(name, thing)}
    for (name, fact), value in before.items():
        if (name, fact) not in after:
            words.append(f"your function took {name} away.")
        elif not _same(value, after[name, fact]):
            words.append(_in_words(name, fact, value, after[name, fact]))
    words.extend(f"your function added {name}." for name, _ in after.keys() - before.keys())


def _facts(name: str, thing: Any) -> Iterator[tuple[tuple[str, str], Any]]:
    """(name of a part, what about it) -> a copy that later changes do not reach."""
    if isinstance(thing, Tensor):
        yield (name, "values"), thing.detach().clone()
        yield (name, "requires_grad"), thing.requires_grad
        yield (name, "grad"), None if not thing.is_leaf or thing.grad is None else thing.grad.clone()
    elif isinstance(thing, nn.Module):
        for part, module in thing.named_modules():
            yield (f"{name}.{part}".rstrip("."), "mode"), module.training
        for part, tensor in [*thing.named_parameters(), *thing.named_buffers()]:
            yield from _facts(f"{name}.{part}", tensor)
    elif isinstance(thing, torch.optim.Optimizer):
        yield (name, "values"), copy.deepcopy(thing.state_dict())
    elif isinstance(thing, Mapping):
        for key, part in thing.items():
            yield from _facts(f"{name}[{key!r}]", part)
    elif isinstance(thing, (list, tuple)):
        for k, part in enumerate(thing):
            yield from _facts(f"{name}[{k}]", part)
    else:
        yield (name, "values"), copy.deepcopy(thing)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and one.dtype == other.dtype and torch.allclose(one, other, 0, 0, True)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")
    return type(one) is type(other) and bool(one == other)


def _in_words(name: str, fact: str, before: Any, after: Any) -> str:
    if fact == "mode":
        return f"{name} was left in {'training' if after else 'eval'} mode: put it back with .train({before})."
    if fact == "requires_grad":
        return f"{name} was left {'un' * (not after)}able to learn: put requires_grad back to {before}."
    if fact == "grad":
        if after is None:
            return f"the gradient that {name} had before is gone: leave .grad alone."
        return f"{name} was left with a {'gradient' if before is None else 'changed gradient'}: leave .grad alone."
    return f"your function changed {name}, which it was given: work on a copy."
