"""The D that may lie beside a stored generator: stored with its game, and in the page the same as in PyTorch."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import keep_discriminator
import numpy as np
import pytest
import torch
from torch import nn

from gan_lessons import averaging, base, live, models, noise, zoo
from gan_lessons.__main__ import main
from gan_lessons.checkpoints import packed_weights, save_run
from gan_lessons.models import convolutions

SCRIPTS = Path(__file__).parent.parent / "_static" / "live"
Z = 6
TINY = base.DCGAN._replace(
    generator=partial(convolutions.dcgan_generator, width=4, z_dim=Z, deep=True, init=convolutions.keep_init),
    discriminator=partial(
        convolutions.dcgan_discriminator, width=4, deep=True, norm=False, init=convolutions.keep_init
    ),
    prior=noise.gaussian(Z),
)
MLP: dict[str, Any] = {"hidden": (8,), "inputs": 48, "slope": 0.2}


def save(folder: Path, G: nn.Module, prior: noise.Prior, **facts: Any) -> None:
    """Store a generator as "small", with the facts that no test here asks for."""
    rest: dict[str, Any] = {"chapter": "mine", "data": "mine", "steps": 1, "seconds": 1, "scores": {}}
    zoo.save("small", G, prior, range=(-1, 1), folder=folder, **rest, **facts)


def stored(folder: Path, seed: int = 0, z_dim: int = Z) -> nn.Module:
    """A generator stored as "small", in black and white; returns it."""
    torch.manual_seed(seed)
    arguments: dict[str, Any] = {"size": 28, "width": 4, "channels": 1, "z_dim": z_dim, "deep": True}
    G = convolutions.dcgan_generator(**arguments, init=convolutions.keep_init)
    save(folder, G, noise.gaussian(z_dim), builder=convolutions.dcgan_generator, arguments=arguments)
    return G


def in_colour(folder: Path) -> None:
    """Rows of numbers on both sides: an image of 4 x 4 x 3 lies by channels there."""
    arguments: dict[str, Any] = {"hidden": (16,), "z_dim": Z, "outputs": 48, "slope": 0.2, "signed": True}
    G, prior = models.mlp_generator(**arguments), noise.gaussian(Z)
    save(folder, G, prior, builder=models.mlp_generator, arguments=arguments, shape=(3, 4, 4))


def sure(D: nn.Module) -> nn.Module:
    """The same D with opinions that differ."""
    torch.manual_seed(1)
    with torch.no_grad():
        for part in D.modules():
            if isinstance(part, nn.Linear | nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, 0.2)
                if part.bias is not None:
                    nn.init.normal_(part.bias, 0, 0.3)
    return D


def store_d(folder: Path, D: nn.Module | None = None, **arguments: Any) -> zoo.Opinion:
    given: dict[str, Any] = {"width": 4, "deep": True, "norm": False} | arguments
    D = D or sure(convolutions.dcgan_discriminator(**given))
    return zoo.save_discriminator(
        "small", D.state_dict(), builder=convolutions.dcgan_discriminator, arguments=given, folder=folder
    )


@pytest.fixture(scope="module")
def believed(browser: Any) -> Iterator[Callable[[str, torch.Tensor], list[float]]]:
    """What D says in a page to the samples that it draws from z."""
    page = browser.new_page()
    page.add_script_tag(content=(SCRIPTS / "networks.js").read_text(encoding="utf-8"))

    def run(text: str, z: torch.Tensor) -> list[float]:
        return list(
            page.evaluate(
                """({facts, z}) => { const generator = ganLessons.networks.ready(facts)
                    return z.map(each => generator.believed(generator.draw(each))) }""",
                {"facts": json.loads(text.partition(" = ")[2]), "z": z.tolist()},
            )
        )

    yield run
    page.close()


@pytest.mark.parametrize("kind", ["tiny", "as large as chapter 07's", "rows in colour"])
def test_d_says_in_the_page_what_it_says_in_pytorch(
    kind: str, tmp_path: Path, believed: Callable[[str, torch.Tensor], list[float]]
) -> None:
    if kind == "rows in colour":
        in_colour(tmp_path)
        D = sure(models.mlp_discriminator(**MLP))
        zoo.save_discriminator(
            "small", D.state_dict(), builder=models.mlp_discriminator, arguments=MLP, folder=tmp_path
        )
    else:
        stored(tmp_path)
        store_d(tmp_path, width=4 if kind == "tiny" else 32)
    ready, D_read = zoo.load("small", tmp_path), zoo.discriminator("small", tmp_path)
    assert D_read is not None
    z = ready.prior.sample(50, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = D_read(ready.G(z)).sigmoid().flatten().numpy()
    assert expected.std() > 1e-3
    said = np.array(believed(zoo.script("small", tmp_path), z))
    assert np.abs(said - expected).max() < 1e-3


def test_a_pair_too_large_for_halves_is_rounded_together_and_stays_under_its_limit(tmp_path: Path) -> None:
    """Chapter 07's two networks: G of 300,000 weights, D of 110,000."""
    G, D = base.DCGAN.generator(), sure(base.DCGAN.discriminator())
    facts = {"layers": live.plan(G), "shape": [1, 28, 28], "range": [-1, 1], "prior": {"name": "gaussian", "dim": 64}}
    weights, of_d = (packed_weights(network.state_dict(), torch.float16) for network in (G, D))
    text = live.script("x", facts | {"sha256": "1"}, weights, ({"of": "1", "layers": live.plan(D)}, of_d))
    made = json.loads(text.partition(" = ")[2])
    assert 12 <= made["bits"] < 16
    assert len(text) < 930_000
    assert "opinion" not in json.loads(live.script("x", facts, weights).partition(" = ")[2])


def test_the_stored_d_is_as_float16_left_it_and_does_not_change_what_else_is_stored(tmp_path: Path) -> None:
    stored(tmp_path)
    assert zoo.discriminator("small", tmp_path) is None
    before = zoo.script("small", tmp_path)
    D = sure(convolutions.dcgan_discriminator(width=4, deep=True, norm=False))
    kept = store_d(tmp_path, D)
    read = zoo.discriminator("small", tmp_path)
    assert read is not None
    assert not read.training
    for here, there in zip(D.parameters(), read.parameters(), strict=True):
        assert torch.equal(there, here.half().float())
    assert kept.of == zoo.card("small", tmp_path).sha256
    assert zoo.names(tmp_path) == ["small"]
    assert zoo.script("small", tmp_path) != before
    assert main(["export", str(tmp_path / "small"), "--out", str(tmp_path / "x.js")]) == 0
    assert (tmp_path / "x.js").read_text() == zoo.script("small", tmp_path)


def test_a_d_of_another_game_is_refused_with_the_remedy(tmp_path: Path) -> None:
    stored(tmp_path)
    store_d(tmp_path)
    stored(tmp_path, seed=1)  # a new game
    for use in (zoo.discriminator, zoo.script):
        with pytest.raises(ValueError, match=r"of another game .* remove discriminators/small\.json"):
            use("small", tmp_path)


def test_what_could_not_be_used_is_not_stored(tmp_path: Path) -> None:
    stored(tmp_path)
    D = convolutions.dcgan_discriminator(width=4, deep=True, norm=False)
    with pytest.raises(ValueError, match="another network than D"):
        store_d(tmp_path, D, width=5)
    with pytest.raises(ValueError, match="builder must be one of"):
        zoo.save_discriminator("small", D.state_dict(), builder=nn.Linear, arguments={}, folder=tmp_path)
    with pytest.raises(ValueError, match="cannot draw the layer 1, AvgPool2d"):
        store_d(tmp_path, strides=False)
    with pytest.raises(ValueError, match="no stored generator 'other'"):
        zoo.save_discriminator("other", {}, builder=models.mlp_discriminator, arguments={}, folder=tmp_path)
    with torch.no_grad():
        next(D.parameters()).fill_(1e6)
    with pytest.raises(ValueError, match="weights beyond float16"):
        store_d(tmp_path, D)
    assert not (tmp_path / zoo.OPINIONS).exists()


def test_the_d_of_a_run_is_stored_beside_its_averaged_generator_and_beside_no_other(tmp_path: Path) -> None:
    G, D = stored(tmp_path), TINY.discriminator()
    average = averaging.average_of(G, 0.999)
    run = save_run(tmp_path / "run.pt", 3, {"G": TINY.generator(), "D": D, "average": average})
    keep_discriminator.keep(run, "small", TINY, tmp_path)
    read = zoo.discriminator("small", tmp_path)
    assert read is not None
    for here, there in zip(D.parameters(), read.parameters(), strict=True):
        assert torch.equal(there, here.half().float())
    stored(tmp_path, seed=1)
    with pytest.raises(ValueError, match="is not small: give the run that it was stored from"):
        keep_discriminator.keep(run, "small", TINY, tmp_path)
