from typing import Any

import numpy as np
import pytest
import torch

from gan_lessons.checks import text, unit_range, whole


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_a_whole_number_of_any_kind_is_an_int(value: Any) -> None:
    found = whole("n", value, 3, 3)
    assert found == 3
    assert type(found) is int


@pytest.mark.parametrize("value", [True, np.bool_(True), 2.0, "3", None, 0, 6, float("nan")])
def test_what_is_no_whole_number_in_range_is_named_with_the_range(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^n must be a whole number from 1 to 5, not "):
        whole("n", value, 1, 5)


def test_the_range_is_said_as_it_is() -> None:
    with pytest.raises(ValueError, match=r"^steps must be a whole number of at least 2, not 1$"):
        whole("steps", 1, 2)
    with pytest.raises(ValueError, match=r"from 1 to the 20 items, not 21$"):
        whole("batch_size", 21, 1, 20, "the 20 items")


@pytest.mark.parametrize(
    "images",
    [
        torch.rand(3, 4),
        torch.zeros(1, 1, 2, 2),
        torch.ones(2, 3) + 5e-5,
        np.array([0.0, 1.0]),
        torch.ones(2).bfloat16(),
    ],
)
def test_images_in_the_range_pass(images: Any) -> None:
    unit_range(images)
    unit_range((images * 255).to(torch.uint8) if isinstance(images, torch.Tensor) else (images * 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.tensor([-1.0, 1.0]), r"lie in \[-1.00, 1.00\], not in \[0, 1\]; .*\(images \+ 1\) / 2"),
        (torch.tensor([0.0, 255.0]), r"lie in \[0.00, 255.00\].* images / 255"),
        (np.array([0.0, 1.001]), "not in"),
        (torch.tensor([-0.001, 1.0]), "not in"),
        (torch.tensor([0.5, float("nan")]), "NaN or infinite"),
        (np.array([0.5, float("nan")]), "NaN or infinite"),
        (torch.tensor([0.5, float("inf")]), "NaN or infinite"),
        (torch.zeros(0, 784), "no images here"),
        (torch.zeros(2, 784, dtype=torch.int64), "bytes .* or floats"),
        (np.zeros((2, 4), bool), "bytes .* or floats"),
    ],
)
def test_images_of_another_range_are_refused_with_the_remedy(images: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        unit_range(images)


def test_text_is_printable_and_no_number() -> None:
    assert text("a name", np.str_("α b")) == "α b"
    assert type(text("a name", np.str_("a"))) is str
    for value in (1, None, b"a", "a\n", "\x00", "\ud800"):
        with pytest.raises(ValueError, match="a name must be printable text"):
            text("a name", value)
