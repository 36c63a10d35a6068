"""The stored generators: small weights with a card that says where they come from, checked before they are used.

`NAME.safetensors` (float16) and `NAME.json` lie side by side in data/weights, and travel with the package. The D of
the same game may lie in data/weights/discriminators, under the same name: pages show its opinion of the samples.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gan_lessons import live, models, noise, stored, strokes
from gan_lessons.checkpoints import load_weights, matched, packed_weights
from gan_lessons.checks import black_and_white, finite, whole
from gan_lessons.data.batching import to_bytes
from gan_lessons.data.downloads import DamagedFile
from gan_lessons.labels import Labels, checked
from gan_lessons.models import classic, colour, convolutions
from gan_lessons.noise import NO_CLASSES, Prior
from gan_lessons.paths import commit, shipped

MAX_BYTES = 2_000_000  # of one file of weights
CHUNK = 1000  # images made at once
OPINIONS = "discriminators"  # the folder of each D, below that of the generators

# The functions that a card may name; a card can make nothing else run.
BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "mlp_generator": models.mlp_generator,
    "dcgan_generator": convolutions.dcgan_generator,
    "colour_generator": colour.colour_generator,
    "classic_generator": classic.classic_generator,
}
D_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "mlp_discriminator": models.mlp_discriminator,
    "dcgan_discriminator": convolutions.dcgan_discriminator,
}
PRIORS: dict[str, Callable[[int], Prior]] = {
    "gaussian": noise.gaussian,
    "uniform": noise.uniform,
    "uniform01": noise.uniform01,
    "sphere": noise.sphere,
}


class Card(NamedTuple):
    """What a stored generator is and where it comes from."""

    name: str
    chapter: str  # the notebook that trained it
    architecture: dict[str, Any]  # {"builder": a key of BUILDERS, "arguments": {...}}
    prior: dict[str, Any]  # {"name": a key of PRIORS, "dim": ...}, and "classes" of the labels beside z, if any
    shape: list[int]  # (c, h, w) of one image
    range: list[float]  # the values of black and white in G's output
    data: str  # the dataset it was trained on
    steps: int
    seconds: float
    scores: dict[str, float]
    dtype: str
    sha256: str
    date: str
    commit: str
    report: dict[str, Any] | None = None  # what `grade` added: how it was judged, measures with floor and interval
    layers: list[live.Layer] | None = (
        None  # of what it consists, for those who read it without torch; [] if no page can
    )
    directions: dict[str, list[float]] | None = None  # in z, of a generator of digits by label: slant and thickness


class Opinion(NamedTuple):
    """What the stored D of a generator's game is."""

    name: str  # the generator's
    of: str  # sha256 of the weights of the generator whose game it was
    architecture: dict[str, Any]  # {"builder": a key of D_BUILDERS, "arguments": {...}}
    layers: list[live.Layer]
    dtype: str
    sha256: str
    date: str
    commit: str


class Generator(NamedTuple):
    """A stored generator, ready to draw from: G, prior, card = zoo.load(name)."""

    G: nn.Module
    prior: Prior
    card: Card

    def sample(self, n: int, seed: int = 0, labels: Labels | None = None) -> Tensor:
        """Draw n images, uint8 (n, c, h, w): the same ones for the same n and seed, whatever torch's defaults are.

        A conditional generator draws these `labels`, (n,) or one for all, or without any those of `labels(n, seed)`.
        Raises ValueError for labels that do not fit, and for labels where the generator takes none.
        """
        if n < 1:
            raise ValueError(f"the number of images must be at least 1, not {n}")
        source = torch.Generator("cpu").manual_seed(seed)
        if not (classes := self.prior.classes):
            if labels is not None:
                raise ValueError(NO_CLASSES)
        else:
            labels = self.labels(n, seed) if labels is None else checked(labels, n, classes).cpu()
        chunks = []
        for start in range(0, n, CHUNK):
            size = min(CHUNK, n - start)
            some = labels[start : start + size] if isinstance(labels, Tensor) else None
            z = self.prior.sample(size, some, device="cpu", dtype=torch.float32, generator=source)
            chunks.append(to_bytes(self.images(z)))
        return torch.cat(chunks)

    def images(self, z: Tensor) -> Tensor:
        """What G makes of its input (n, …), float32 (n, c, h, w) from 0 to 1. ValueError for NaN and infinity."""
        black, white = self.card.range
        with torch.no_grad():
            values = self.G(z).reshape(len(z), *self.card.shape)
        finite("the images", values)
        return (values - black).div_(white - black).clamp_(0, 1)

    def labels(self, n: int, seed: int = 0) -> Tensor:
        """The labels of sample(n, seed), int64 (n,), drawn with equal chances; ValueError where there are none."""
        if not self.prior.classes:
            raise ValueError(f"{self.card.name} was trained without labels")
        source = torch.Generator("cpu").manual_seed(seed)
        return torch.randint(self.prior.classes, (n,), generator=source, device="cpu")


def names(folder: Path | None = None) -> list[str]:
    """Return the names of the stored generators, sorted."""
    return stored.names(_home(folder))


def card(name: str, folder: Path | None = None) -> Card:
    """Return the card of a stored generator. Raises ValueError for an unknown name, DamagedFile for a damaged card."""
    have = names(folder)
    if name not in have:
        raise ValueError(f"no stored generator {name!r}; have {', '.join(have) or 'none'}")
    try:
        return Card(**stored.card(_home(folder), name))
    except TypeError as error:
        raise stored.damaged_card(_home(folder) / f"{name}.json", error) from error


def load(name: str, folder: Path | None = None) -> Generator:
    """Return a stored generator on the CPU in float32, in evaluation mode, whatever torch's defaults are.

    Raises ValueError for an unknown name or weights of another network, DamagedFile for damaged weights or a damaged
    card, FileNotFoundError for no weights.
    """
    facts = card(name, folder)
    path = stored.weights(_home(folder), name, facts.sha256)
    try:
        builder = _known(BUILDERS, facts.architecture.get("builder"), path)
        prior = _known(PRIORS, facts.prior.get("name"), path)
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):  # initial weights are drawn, and overwritten
            G = builder(**facts.architecture["arguments"]).float()
        drawn = prior(facts.prior["dim"])
        if "classes" in facts.prior:
            drawn = noise.labelled(drawn, facts.prior["classes"])
        ready = Generator(G.eval().requires_grad_(False), drawn, facts)
        black_and_white(*facts.range)
        _sides(facts.shape)
    except DamagedFile:
        raise
    except (TypeError, AttributeError, KeyError, ValueError, RuntimeError) as error:  # a builder's or prior's words
        raise stored.damaged_card(_home(folder) / f"{name}.json", error) from error
    load_weights(path, G)
    return ready


def save(
    name: str,
    G: nn.Module,
    prior: Prior,
    *,
    builder: Callable[..., nn.Module],
    arguments: Mapping[str, Any],
    chapter: str,
    data: str,
    steps: int,
    seconds: float,
    scores: Mapping[str, float],
    shape: Sequence[int] = (1, 28, 28),
    range: Sequence[float] = (0.0, 1.0),
    folder: Path | None = None,
) -> Card:
    """Store a generator as float16 with its card; `builder(**arguments)` must make a network of its shape.

    Raises ValueError, and writes nothing, for what `load` could not use: another builder or prior, other arguments,
    images of another shape or range, weights beyond float16, more than 2 MB.
    """
    known = next((key for key, function in BUILDERS.items() if function is builder), None)
    if known is None or prior.name not in PRIORS:
        raise ValueError(f"builder must be one of {sorted(BUILDERS)} and the prior one of {sorted(PRIORS)}")
    plain = _plain(builder, arguments)
    weights = _halves("G", G.state_dict(), plain, f"{known}(**{dict(arguments)})")
    sides = _sides(shape)
    _try(G, prior, sides, range)
    facts = Card(
        name=name,
        chapter=chapter,
        architecture={"builder": known, "arguments": dict(arguments)},
        prior={"name": prior.name, "dim": prior.dim} | ({"classes": prior.classes} if prior.classes else {}),
        shape=sides,
        range=list(range),
        data=data,
        steps=steps,
        seconds=round(float(seconds), 1),
        scores=dict(scores),
        dtype="float16",
        sha256=stored.checksum(weights),
        date=datetime.now(UTC).date().isoformat(),
        commit=commit(),
        layers=_layers(plain),
    )
    return Card(**stored.save(_home(folder), name, weights, facts._asdict()))


def save_discriminator(
    name: str,
    state: Mapping[str, Tensor],
    *,
    builder: Callable[..., nn.Module],
    arguments: Mapping[str, Any],
    folder: Path | None = None,
) -> Opinion:
    """Store the weights of the D of a stored generator's game as float16: `builder(**arguments)` makes such a network.

    Raises ValueError, and writes nothing, for an unknown generator, what `discriminator` could not use, weights beyond
    float16, more than 2 MB, and layers that no page can compute.
    """
    known = next((key for key, function in D_BUILDERS.items() if function is builder), None)
    if known is None:
        raise ValueError(f"builder must be one of {sorted(D_BUILDERS)}")
    generator, plain = card(name, folder), _plain(builder, arguments)
    weights = _halves("D", state, plain, f"{known}(**{dict(arguments)})")
    facts = Opinion(
        name=name,
        of=generator.sha256,
        architecture={"builder": known, "arguments": dict(arguments)},
        layers=live.plan(plain),
        dtype="float16",
        sha256=stored.checksum(weights),
        date=datetime.now(UTC).date().isoformat(),
        commit=commit(),
    )
    return Opinion(**stored.save(_home(folder) / OPINIONS, name, weights, facts._asdict()))


def discriminator(name: str, folder: Path | None = None) -> nn.Module | None:
    """Return the stored D of a generator's game, on the CPU in float32, in evaluation mode; None where there is none.

    Raises what `load` does, and ValueError for a D of another game than that of the stored generator.
    """
    home, generator = _home(folder) / OPINIONS, card(name, folder)
    if name not in stored.names(home):
        return None
    try:
        facts = Opinion(**stored.card(home, name))
    except TypeError as error:
        raise stored.damaged_card(home / f"{name}.json", error) from error
    live.same_game(name, generator._asdict(), facts._asdict())
    path = stored.weights(home, name, facts.sha256)
    builder = _known(D_BUILDERS, facts.architecture.get("builder"), path)
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        D = builder(**facts.architecture["arguments"]).float()
    load_weights(path, D)
    return D.eval().requires_grad_(False)


def grade(name: str, report: Mapping[str, Any], folder: Path | None = None) -> Card:
    """Write a report into the card of a stored generator, in place of an earlier one, and return the card.

    `report` is what JSON can hold: `report_card.Report.facts` makes one. Raises ValueError, and writes nothing, for an
    unknown name, a damaged card, or a report that JSON cannot hold, NaN and infinity included.
    """
    stored.save_card(_home(folder), name, card(name, folder)._replace(report=dict(report))._asdict())
    return card(name, folder)


def script(name: str, folder: Path | None = None) -> str:
    """Return a stored generator as a script for a page (`live.script`), by the layers of the network itself.

    Raises what `load` does, and ValueError for a network that no page can draw.
    """
    ready = load(name, folder)
    weights = stored.weights(_home(folder), name, ready.card.sha256).read_bytes()
    facts, D = ready.card._asdict() | {"layers": live.plan(ready.G)}, discriminator(name, folder)
    if D is None:
        return live.script(name, facts, weights)
    home = _home(folder) / OPINIONS
    told = stored.card(home, name)
    return live.script(name, facts, weights, (told, stored.weights(home, name, told["sha256"]).read_bytes()))


def describe(name: str, folder: Path | None = None) -> Card:
    """Write a stored generator's layers into its card, and return the card: the book is built from them.

    One that draws digits by label gets its directions of slant and thickness, too: the page's sliders go along them.
    """
    ready = load(name, folder)
    facts = ready.card._replace(layers=live.plan(ready.G))
    if ready.prior.classes and facts.shape[0] == 1:
        facts = facts._replace(directions=_directions(ready))
    stored.save_card(_home(folder), name, facts._asdict())
    return card(name, folder)


def _directions(ready: Generator, n: int = 6_000) -> dict[str, list[float]]:
    labels, source = ready.labels(n), torch.Generator("cpu").manual_seed(0)
    z = ready.prior.sample(n, labels, device="cpu", dtype=torch.float32, generator=source)
    images = torch.cat([ready.images(part) for part in z.split(CHUNK)])
    ways = strokes.directions(images, z[:, : ready.prior.dim], labels)
    return {name: [round(float(number), 5) for number in way] for name, way in ways.items()}


def _plain(builder: Callable[..., nn.Module], arguments: Mapping[str, Any]) -> nn.Module:
    with torch.device("meta"):
        return builder(**arguments)


def _halves(name: str, given: Mapping[str, Tensor], plain: nn.Module, made_by: str) -> bytes:
    """The weights of a network as a file of float16; ValueError where they are not those of `plain`, or too large."""
    built = plain.state_dict()
    state = {key: value.detach().cpu() for key, value in matched(built, given).items()}
    if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in built.items()}:
        raise ValueError(f"{made_by} makes another network than {name}; give the arguments that made {name}")
    if not all(bool(v.to(torch.float16).isfinite().all()) for v in state.values() if v.is_floating_point()):
        raise ValueError(f"{name} holds NaN, infinity or weights beyond float16; store an earlier checkpoint")
    size = sum(v.numel() * (2 if v.is_floating_point() else v.element_size()) for v in state.values())
    if size > MAX_BYTES:
        raise ValueError(f"{name} takes {size / 1e6:.1f} MB, over {MAX_BYTES / 1e6:.0f}; only small ones are stored")
    return packed_weights(state, torch.float16)


def _layers(G: nn.Module) -> list[live.Layer]:
    try:
        return live.plan(G)
    except ValueError:
        return []


def _home(folder: Path | None) -> Path:
    return folder or shipped("weights")


def _try(G: nn.Module, prior: Prior, shape: Sequence[int], bounds: Sequence[float]) -> None:
    """Draw two images, and raise ValueError where they are not of this shape and between these limits."""
    black, white = bounds
    black_and_white(black, white)
    weight, modes = next(G.parameters()), {part: part.training for part in G.modules()}
    source = torch.Generator(weight.device).manual_seed(0)
    try:
        with torch.no_grad():
            images = G.eval()(prior.sample(2, device=weight.device, dtype=weight.dtype, generator=source))
    finally:
        for part, training in modes.items():
            part.training = training
    finite("G's images", images)
    if images[0].numel() != math.prod(shape):
        raise ValueError(f"G makes images of {images[0].numel()} values, not of shape {tuple(shape)}")
    if images.min() < black - 1e-3 or images.max() > white + 1e-3:
        raise ValueError(f"G's values lie in [{images.min():.2f}, {images.max():.2f}], outside {(black, white)}")


def _sides(shape: Sequence[int]) -> list[int]:
    """The shape (c, h, w) of an image, as whole numbers; else ValueError."""
    if len(shape) != 3:
        raise ValueError(f"the shape of an image is (c, h, w), not {tuple(shape)}")
    return [whole("a side of an image", side) for side in shape]


def _known(table: Mapping[str, Any], key: Any, path: Path) -> Any:
    if key not in table:
        raise DamagedFile(f"the card of {path.name} names {key!r}, but we know {sorted(table)}; update the package")
    return table[key]
