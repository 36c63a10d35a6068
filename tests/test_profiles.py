import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from gan_lessons import profiles, runner
from gan_lessons.profiles import PROFILES


def test_full_spends_exactly_what_the_chapter_states_and_smoke_a_handful() -> None:
    assert PROFILES["full"].steps(20_000) == 20_000
    assert PROFILES["quick"].steps(20_000) == 6_000
    assert PROFILES["smoke"].steps(20_000) == 4
    assert PROFILES["full"].seeds(5) == [0, 1, 2, 3, 4]
    assert PROFILES["quick"].seeds(5) == PROFILES["smoke"].seeds(5) == [0, 1]
    assert PROFILES["quick"].samples(10_000) == 2_000
    assert [PROFILES[name].batch(64) for name in ("full", "quick", "smoke")] == [64, 64, 16]


def test_a_small_budget_is_never_scaled_up_nor_to_nothing() -> None:
    for profile in PROFILES.values():
        assert profile.steps(1) == 1
        assert profile.steps(5) >= 2
        assert profile.batch(8) == 8


def test_only_smoke_replaces_the_dataset() -> None:
    assert [PROFILES[name].dataset("mnist") for name in ("smoke", "quick", "full")] == ["digits", "mnist", "mnist"]


def test_the_parameter_wins_over_the_environment_which_wins_over_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_LESSONS_PROFILE", "smoke")
    assert profiles.resolve("full").name == "full"
    assert profiles.resolve("auto").name == "smoke"
    monkeypatch.delenv("GAN_LESSONS_PROFILE")
    assert profiles.resolve("auto").name == ("full" if torch.cuda.is_available() else "quick")


@pytest.mark.parametrize("name", ["fast", "", "FULL"])
def test_an_unknown_profile_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"unknown profile.*'full', 'quick', 'smoke'"):
        profiles.setup(name)


def test_an_unknown_profile_in_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_LESSONS_PROFILE", "fst")
    with pytest.raises(ValueError, match="unknown profile 'fst'"):
        profiles.resolve()


@pytest.mark.parametrize("seed", ["0", 1.0, None, -1, 2**32, True])
def test_a_seed_that_is_no_whole_number_in_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="SEED must be a whole number"):
        profiles.setup("smoke", seed=seed)


def test_setup_seeds_torch_numpy_and_python() -> None:
    def drawn(seed: int) -> tuple[float, float, float]:
        profiles.setup("smoke", seed=seed)
        return random.random(), float(torch.rand(())), float(np.random.rand())  # noqa: NPY002

    first, again, other = drawn(7), drawn(7), drawn(8)
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("full", [0, -3, 2.5, True])
def test_a_budget_that_is_no_positive_whole_number_is_refused(full: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        PROFILES["full"].steps(full)


def test_convolutions_compute_in_short_numbers_only_where_the_processor_gains_by_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpu = torch.device("cpu")
    for has, wanted in (
        ({"avx512_f": True}, torch.float32),
        ({"avx512_f": True, "avx512_bf16": True, "cpu_name": "AMD EPYC"}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": True, "cpu_name": "Intel Xeon"}, torch.float32),
        ({"amx_bf16": True, "avx512_bf16": True, "cpu_name": "Intel Xeon"}, torch.bfloat16),
        ({"amx_bf16": True, "avx512_bf16": False}, torch.bfloat16),
        ({"amx_bf16": False, "avx512_bf16": False, "cpu_name": "AMD EPYC"}, torch.float32),
        ({"amx_bf16": False, "avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: has, raising=False)
        assert profiles.convolution_dtype(cpu) is wanted
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert profiles.convolution_dtype(cpu) is torch.float32  # an older torch cannot say
    for capability, wanted in (((7, 5), torch.float32), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _, found=capability: found)
        assert profiles.convolution_dtype(torch.device("cuda")) is wanted
    assert profiles.convolution_dtype(torch.device("meta")) is torch.float32


# --- the device -------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No choice of a device from outside, and no GPU tried before."""
    monkeypatch.delenv("GAN_LESSONS_DEVICE", raising=False)
    profiles._trouble.cache_clear()
    yield
    profiles._trouble.cache_clear()


BROKEN = "CUDA error: no kernel image is available for execution on the device\nCompile with TORCH_USE_CUDA_DSA"


def a_gpu(monkeypatch: pytest.MonkeyPatch, works: bool) -> list[str]:
    """Stand in for a GPU that computes, on the CPU, or whose first kernel fails; returns what was made there."""
    real, made = torch.ones, list[str]()

    def ones(*size: int, device: str, **options: Any) -> torch.Tensor:
        made.append(device)
        if not works:
            raise RuntimeError(BROKEN)
        return real(*size, **options)

    monkeypatch.setattr(torch, "ones", ones)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: made.append(f"set {device}"))
    return made


def test_a_gpu_that_computes_is_taken_and_one_that_does_not_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        made = a_gpu(patch, works=True)
        profile, device = profiles.setup()
        assert (profile.name, device) == ("full", torch.device("cuda"))
        assert set(made) == {"cuda"}
        assert capsys.readouterr().out == "profile full, device cuda, seed 0\n"
        tried = len(made)
        assert profiles.setup(device="cpu")[1].type == "cpu"
        assert profiles.setup()[1].type == "cuda"
        assert len(made) == tried  # tried once
        assert profiles.setup(device="cuda:1")[1] == torch.device("cuda:1")
        assert made[-1] == "set cuda:1"
    profiles._trouble.cache_clear()
    capsys.readouterr()
    a_gpu(monkeypatch, works=False)
    profile, device = profiles.setup()
    assert (profile.name, device) == ("quick", torch.device("cpu"))
    first, word = capsys.readouterr().out.splitlines()
    assert first == "profile quick, device cpu, seed 0"
    assert "no kernel image is available for execution on the device). The CPU is taken" in word
    assert 'setup(PROFILE, seed=SEED, device="cpu")' in word
    assert "GAN_LESSONS_DEVICE=cpu" in word
    assert profiles.convolution_dtype(device) is profiles.convolution_dtype(torch.device("cpu"))
    assert '"device": "cpu (' in runner.facts({"device": device})
    assert profiles.resolve().name == "quick"  # as the runner asks, before there is a kernel


def test_a_gpu_that_computes_wrongly_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    a_gpu(monkeypatch, works=True)
    monkeypatch.setattr(torch.nn.functional, "conv2d", lambda images, weight: torch.zeros(4, 2, 6, 6) * images.sum())
    with pytest.raises(ValueError, match="its sums are wrong"):
        profiles.setup(device="cuda")


def test_the_device_is_the_arguments_then_the_environments_then_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    a_gpu(monkeypatch, works=True)
    assert profiles.setup()[1].type == "cuda"
    monkeypatch.setenv("GAN_LESSONS_DEVICE", "cpu")
    profile, device = profiles.setup()
    assert (profile.name, device.type) == ("quick", "cpu")
    assert profiles.setup(device="cuda")[1].type == "cuda"
    assert profiles.setup(device=torch.device("cuda", 0))[1].index == 0
    monkeypatch.setenv("GAN_LESSONS_DEVICE", "auto")
    assert profiles.setup()[1].type == "cuda"


def test_a_gpu_that_was_asked_for_and_is_not_there_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert profiles.setup()[1].type == "cpu"
    monkeypatch.setenv("GAN_LESSONS_DEVICE", "cuda")
    with pytest.raises(ValueError, match=r"cuda cannot be used \(torch sees no GPU here\).*GAN_LESSONS_DEVICE=cpu"):
        profiles.setup()
    with pytest.raises(ValueError, match="torch sees no GPU here"):
        profiles.setup(device="cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    a_gpu(monkeypatch, works=False)
    profiles._trouble.cache_clear()
    with pytest.raises(ValueError, match="no kernel image"):
        profiles.setup(device="cuda")


@pytest.mark.parametrize("device", ["gpu", "CUDA", "cuda:", "cuda:-1", "meta", "", None, 0])
def test_an_unknown_device_is_refused_with_what_there_is(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"unknown device .*have 'cpu', 'cuda'"):
        profiles.setup(device=device)
    if device:
        monkeypatch.setenv("GAN_LESSONS_DEVICE", str(device))
        with pytest.raises(ValueError, match="unknown device"):
            profiles.setup()


# --- figures ----------------------------------------------------------------------------------------------------


def kernel(backend: str, *sources: str) -> list[tuple[str, bool]]:
    """Of cells that a kernel runs which was started where MPLBACKEND was set: what each prints, and has it a figure."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    environment = os.environ | {
        "GAN_LESSONS_DEVICE": "cpu",
        "MPLBACKEND": backend,
        "PYTHONPATH": str(Path(profiles.__file__).parent.parent),
    }
    NotebookClient(notebook, kernel_name="python3").execute(env=environment)
    return [
        (
            "".join(output.get("text", "") for output in cell.outputs),
            any("image/png" in output.get("data", {}) for output in cell.outputs),
        )
        for cell in notebook.cells
    ]


@pytest.mark.usefixtures("warm_kernel")
def test_figures_are_shown_though_mplbackend_is_set_where_jupyter_was_started() -> None:
    draw = "plt.plot([1, 2]);"
    cells = kernel(
        "Agg",
        "import matplotlib.pyplot as plt\nfrom gan_lessons import setup\nsetup('smoke');",
        "setup('smoke');",
        draw,
    )
    words = "profile smoke, device cpu, seed 0\n"
    assert cells == [
        (f"{words}MPLBACKEND=Agg would show no figure in a notebook; they are shown inline.\n", False),
        (words, False),  # said once
        ("", True),
    ]


def test_outside_a_notebook_mplbackend_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    profiles.setup("smoke", device="cpu")
    assert os.environ["MPLBACKEND"] == "Agg"
    assert capsys.readouterr().out == "profile smoke, device cpu, seed 0\n"
