"""What a learner's code leaves changed is seen, and told; what it leaves alone is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_lessons.exercises.traces import changes, unplayable


def network() -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    made[0](torch.ones(1, 2)).sum().backward()  # the first layer has a gradient, the last has none
    return made


def stepped(optimizer: torch.optim.Optimizer) -> None:
    optimizer.param_groups[0]["lr"] = 1.0


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda D: D[0].weight.data.add_(1), "your function changed D.0.weight, which it was given"),
        (lambda D: D[1].running_mean.add_(1), "your function changed D.1.running_mean"),
        (lambda D: D(torch.eye(2)).square().sum().backward(), "D.0.weight was left with a changed gradient"),
        (lambda D: D[2](torch.ones(2, 3)).sum().backward(), "D.2.weight was left with a gradient"),
        (lambda D: D.zero_grad(), "the gradient that D.0.weight had before is gone"),
        (lambda D: D.eval(), "D was left in eval mode"),
        (lambda D: D[1].eval(), "D.1 was left in eval mode"),
        (lambda D: D.requires_grad_(False), "D.0.weight was left unable to learn"),
        (lambda D: D.append(nn.Linear(1, 1)), "your function added D.3"),
        (lambda D: D.pop(2), "took D.2"),
    ],
)
def test_each_change_of_a_network_is_told(act: Callable[[Any], object], words: str) -> None:
    D = network()
    with changes(D=D) as changed:
        act(D)
    assert any(words in change for change in changed), changed


def test_a_network_that_was_only_used_is_unchanged() -> None:
    D = network().eval()
    x = torch.ones(4, 2, requires_grad=True)
    with changes(D=D, x=x) as changed:
        torch.autograd.grad(D(x).sum(), x)
        D.train().eval()
        D.requires_grad_(False).requires_grad_(True)
    assert changed == []


@pytest.mark.parametrize(
    ("thing", "act"),
    [
        (torch.ones(2), lambda x: x.add_(1)),
        (torch.ones(2), lambda x: x.requires_grad_()),
        (torch.ones(2), lambda x: x.resize_(1)),
        ([1, 2], lambda items: items.append(3)),
        ([1, 2], lambda items: items.reverse()),
        ([torch.ones(2)], lambda items: items[0].zero_()),
        ({"a": 1}, lambda entries: entries.clear()),
        ({"a": 1}, lambda entries: entries.update(a=2)),
        (np.ones(2), lambda array: array.fill(0)),
        (torch.optim.SGD([torch.ones(1)], lr=0.1), stepped),
    ],
)
def test_each_change_of_other_things_is_told(thing: Any, act: Callable[[Any], object]) -> None:
    with changes(thing=thing) as changed:
        pass
    assert changed == []
    with changes(thing=thing) as changed:
        act(thing)
    assert changed
    assert "thing" in changed[0]


def test_nan_is_no_change() -> None:
    x: Tensor = torch.tensor([float("nan")])
    with changes(x=x, array=np.array([np.nan])) as changed:
        x.clone()
    assert changed == []


def test_a_network_that_cannot_learn_on_is_named() -> None:
    G, D = network(), network()
    assert unplayable(G=G, D=D) == ""
    D[1].eval()  # type: ignore[index]
    assert "D is left in eval mode" in unplayable(G=G, D=D)
    G[2].bias.requires_grad_(False)  # type: ignore[index]
    assert "G is left unable to learn" in unplayable(G=G, D=D)
