"""A second device for machines without a GPU: its tensors lie in the CPU's memory, and refuse to meet the CPU's own.

`python -m tests.second_device 07 15` runs chapters in smoke on it, cell by cell, and names the cells that mix devices.
It stands in for places alone, not for speed, precision or CUDA's own errors. What is saved is saved as the CPU's;
checkpoints are left out: they look at each tensor's class. It is built on PyTorch's experimental Python backends and
changes PyTorch for good, so `register` belongs into a process of its own.
"""

import argparse
import json
import linecache
import os
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as trees
from torch.utils import backend_registration
from torch.utils._python_dispatch import return_and_correct_aliasing

NAME = "standin"
AVAILABLE = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")  # a recent PyTorch
# The operations that may take tensors of both: copies, and the CPU's numbers as an index.
MIXING = {"_copy_from", "_copy_from_and_resize", "_index_put_impl_", "_to_copy", "copy_", "index", "index_put", "set_"}
_libraries: list[Any] = []  # registrations last as long as these


class There(Tensor):
    """A tensor of the second device: `raw` holds its numbers."""

    raw: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, raw: Tensor) -> "There":
        """Wrap a tensor of the CPU."""
        layout: dict[str, Any] = {"strides": raw.stride(), "storage_offset": raw.storage_offset(), "dtype": raw.dtype}
        here = Tensor._make_wrapper_subclass(cls, raw.shape, device=torch.device(NAME, 0), **layout)
        here.raw = raw
        return here

    @classmethod
    def __torch_dispatch__(cls, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        """Compute on the CPU, if all tensors lie on this device."""
        return compute(op, *args, **(kwargs or {}))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """Copy as PyTorch copies the tensors of a real device."""
        if id(self) not in memo:
            new = self.detach().clone()
            weight = isinstance(self, nn.Parameter) or getattr(self, "_is_param", False)
            memo[id(self)] = nn.Parameter(new, self.requires_grad) if weight else new.requires_grad_(self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Save the CPU's tensor: a file knows no class of one's own."""
        return self.raw.__reduce_ex__(protocol)

    def __getitem__(self, index: Any) -> Tensor:
        """A list of rows as a tensor: PyTorch does not take a list from a class of one's own."""
        parts = index if isinstance(index, tuple) else (index,)
        return super().__getitem__(tuple(torch.tensor(part) if isinstance(part, list) else part for part in parts))

    def tolist(self) -> list[Any]:
        """Plain numbers, as of any device."""
        return self.raw.tolist()

    def __format__(self, spec: str) -> str:
        """Print a tensor of one number as that number."""
        return format(self.raw, spec)


def compute(op: Any, *args: Any, **kwargs: Any) -> Any:
    """Run an operation of PyTorch on the numbers. Raises RuntimeError where tensors of both devices meet."""
    name, flat = op._schema.name.removeprefix("aten::"), trees.tree_leaves((args, kwargs))
    own = [x for x in flat if isinstance(x, There)]
    strangers = [x for x in flat if isinstance(x, Tensor) and not isinstance(x, There) and x.dim()]
    if (own and strangers and name not in MIXING) or (name == "index" and not isinstance(args[0], There)):
        raise RuntimeError(f"{name}: expected all tensors to be on the same device, but found {NAME}:0 and cpu")
    dice: Any = kwargs.get("generator")
    device = kwargs.get("device")
    to_cpu = device is not None and torch.device(device).type == "cpu"
    if dice is not None and dice._cdata not in _dice and (own or not to_cpu):
        raise RuntimeError(f"{name}: expected a '{NAME}' device type for generator but found 'cpu'")
    if name == "_copy_from":
        _raw(args[1]).copy_(_raw(args[0]))
        return args[1]
    raw_args, raw_kwargs = trees.tree_map(_raw, (args, kwargs))
    raw_kwargs |= {"pin_memory": False} if "pin_memory" in kwargs else {}
    out = op(*raw_args, **raw_kwargs)
    if name == "_to_copy" and to_cpu:
        return out
    out = trees.tree_map(lambda x: There(x) if isinstance(x, Tensor) else x, out)
    return return_and_correct_aliasing(op, args, kwargs, out) if own else out


def _raw(x: Any) -> Any:
    if isinstance(x, torch.device):
        return torch.device("cpu") if x.type == NAME else x
    return x.raw if isinstance(x, There) else x


_dice: set[int] = set()  # where those of the second device lie in memory
_kept: list[torch.Generator] = []  # and they, so that no other comes to lie there


class _Dice(type):
    """Stands for `torch.Generator`, which knows no device of ours."""

    real = torch.Generator

    def __call__(cls, device: Any = "cpu") -> torch.Generator:
        if torch.device(device).type != NAME:
            return _Dice.real(device)
        _kept.append(own := _Dice.real())
        _dice.add(own._cdata)  # type: ignore[attr-defined]
        return own

    def __instancecheck__(cls, x: object) -> bool:
        return isinstance(x, _Dice.real)


class _Backend:
    """What PyTorch asks a device's module."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(backend_registration._DummyBackendModule(), name)

    def get_rng_state(self, device: Any = None) -> Tensor:
        return torch.get_rng_state()

    def set_rng_state(self, state: Tensor, device: Any = None) -> None:
        """The CPU's own is put back by whoever forks it."""

    def manual_seed_all(self, seed: int) -> None:
        """Its numbers come from the CPU's generator, which is seeded already."""

    def device_count(self) -> int:
        return 1

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


def register() -> torch.device:
    """Make the device known to PyTorch, and to `setup`, which takes it from now on."""
    from gan_lessons import profiles

    backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Backend())
    for key, fallback in (("PrivateUse1", compute), ("AutocastPrivateUse1", torch.library.fallthrough_kernel)):
        _libraries.append(torch.library.Library("_", "IMPL"))
        _libraries[-1].fallback(fallback, dispatch_key=key)
    torch.Generator = _Dice("Generator", (), {})  # type: ignore[misc, assignment]
    there = torch.device(NAME, 0)

    def placed(device: torch.device | str) -> tuple[torch.device, str]:
        return there, ""

    profiles._place = placed
    return there


def faults(notebook: Path) -> list[str]:
    """Run a chapter in smoke on the second device, to its end, and return what went wrong: cell, error."""
    from gan_lessons import checkpoints

    module: Any = checkpoints
    module.keep, module.save_run = (lambda rounds, *others: rounds), (lambda *others: None)
    wrong: list[str] = []
    space = {"__name__": "__main__"}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).replace("    %pip", "    pass  # %pip")
            file = f"<{cell['id']}>"
            linecache.cache[file] = (len(lines), None, lines.splitlines(keepends=True), file)  # for inspect.getsource
            try:
                exec(compile(lines, file, "exec"), space)
            except Exception as error:
                wrong.append(f"{cell['id']}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    return wrong


def main() -> int:
    """Run the chapters that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("chapters", nargs="+", help="numbers or names, such as 07")
    import matplotlib

    from gan_lessons import runner

    notebooks = [runner.find(name) for name in parser.parse_args().chapters]
    os.environ["GAN_LESSONS_PROFILE"] = "smoke"
    matplotlib.use("agg")
    register()
    wrong = [f"{notebook.stem} {fault}" for notebook in notebooks for fault in faults(notebook)]
    print("\n".join(wrong) or "no cell mixes devices")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
