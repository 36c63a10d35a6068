import random

import numpy as np
import pytest
import torch

from gan_lessons import profiles
from gan_lessons.profiles import PROFILES


def test_full_spends_exactly_what_the_chapter_states_and_smoke_a_handful() -> None:
    assert PROFILES["full"].steps(20_000) == 20_000
    assert PROFILES["quick"].steps(20_000) == 6_000
    assert PROFILES["smoke"].steps(20_000) == 4
    assert PROFILES["full"].seeds(5) == [0, 1, 2, 3, 4]
    assert PROFILES["quick"].seeds(5) == PROFILES["smoke"].seeds(5) == [0, 1]
    assert PROFILES["quick"].samples(10_000) == 2_000


def test_a_small_budget_is_never_scaled_up_nor_to_nothing() -> None:
    for profile in PROFILES.values():
        assert profile.steps(1) == 1
        assert profile.steps(5) >= 2


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


def test_convolutions_compute_in_short_numbers_only_where_the_processor_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpu = torch.device("cpu")
    for has, wanted in (
        ({"avx512_f": True}, torch.float32),
        ({"avx512_f": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True, "avx512_bf16": False}, torch.bfloat16),
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
