"""A stored generator as a script that a page of the book runs: `python -m gan_lessons export NAME`.

No torch here: the book is built without it. A card says of which layers its generator consists (`layers`, written by
`zoo.save` from `plan`), `tensors` reads the weights, and `script` writes both as one line of JavaScript,

    ganLessons.generators["NAME"] = {"format": 1, "name", "shape", "range", "prior", "layers": [{"kind", …}, …],
                                     perhaps "opinion": {"layers"}, those of D}

which _static/live/networks.js reads. CONTRIBUTING ("Live pieces") has the table of kinds and the forms of a tensor.
"""

import json
import math
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

FORMAT = 1
MAX_TEXT = 970_000  # characters of a script's weights: a page's pieces stay under 1 MB
MAX_PAIR = 900_000  # of G's and D's together: they are many, and less is enough for them
FEWEST_BITS = 8
Layer = dict[str, Any]

# Layers without weights -> (their kind in a script, what it is told of them).
PLAIN: dict[str, tuple[str, dict[str, str]]] = {
    "Flat": ("flat", {}),
    "LeakyReLU": ("leaky", {"slope": "negative_slope"}),
    "Maps": ("maps", {"side": "side"}),
    "Sigmoid": ("sigmoid", {}),
    "Tanh": ("tanh", {}),
}
CONVOLUTIONS = {
    "Conv2d": "conv",
    "ThinConv2d": "conv",
    "ConvTranspose2d": "transposed",
    "ThinConvTranspose2d": "transposed",
}
USUAL = {"groups": 1, "dilation": (1, 1), "padding_mode": "zeros", "output_padding": (0, 0)}


class Values(NamedTuple):
    """A tensor without torch: its numbers, row by row."""

    shape: tuple[int, ...]
    values: Sequence[float]


def plan(G: Any) -> list[Layer]:
    """The layers of a network (nn.Sequential) as JSON can hold them, each with the address `at` of its weights.

    Raises ValueError for a layer that a page cannot draw.
    """
    layers = [_layer(at, part) for at, part in G.named_modules() if not any(True for _ in part.children())]
    return [layer for layer in layers if layer["kind"] != "nothing"]


def _layer(at: str, part: Any) -> Layer:
    name = type(part).__name__
    if name in PLAIN:
        kind, told = PLAIN[name]
        return {"kind": kind} | {ours: getattr(part, theirs) for ours, theirs in told.items()}
    if name == "ReLU":
        return {"kind": "leaky", "slope": 0}
    if name == "Linear":
        return {"kind": "linear", "inputs": part.in_features, "outputs": part.out_features, "at": at}
    if name in ("BatchNorm1d", "BatchNorm2d") and part.running_var is not None:
        return {"kind": "affine", "epsilon": part.eps, "at": at}
    if name == "Upsample" and part.scale_factor in (2, 3, 4):
        if part.mode == "nearest":
            return {"kind": "upsample", "factor": int(part.scale_factor)}
        if part.mode == "bilinear" and not part.align_corners:
            return {"kind": "bilinear", "factor": int(part.scale_factor)}
    if name in ("Dropout", "Identity"):
        return {"kind": "nothing"}
    if name in CONVOLUTIONS and all(getattr(part, key) == value for key, value in USUAL.items()):
        sides = {
            key: getattr(part, f"{key}{end}") for key, end in (("kernel", "_size"), ("stride", ""), ("padding", ""))
        }
        if all(not isinstance(value, str) and value[0] == value[1] for value in sides.values()):
            square = {key: value[0] for key, value in sides.items()}
            return {
                "kind": CONVOLUTIONS[name],
                "inputs": part.in_channels,
                "outputs": part.out_channels,
                **square,
                "at": at,
            }
    known = ", ".join(sorted({*PLAIN, *CONVOLUTIONS, "ReLU", "Linear", "BatchNorm1d", "BatchNorm2d", "Upsample"}))
    raise ValueError(f"a page cannot draw the layer {at}, {part}; it knows {known}, with square kernels and no groups")


def script(
    name: str, card: Mapping[str, Any], weights: bytes, opinion: tuple[Mapping[str, Any], bytes] | None = None
) -> str:
    """The script of a stored generator, from its card and the content of its .safetensors; `opinion` are those of D.

    Weights stay float16 where the text has room for them; else matrices and kernels are rounded, row by row, to as many
    bits as fit. Raises ValueError for a card without layers, for weights that do not fit them, for a D of another game,
    and where 8 bits are too many.
    """
    if not card.get("layers"):
        raise ValueError(f"the card of {name} has no layers: `python -m gan_lessons export {name} --keep` writes them")
    stored = [tensors(weights)]
    if opinion is not None:
        same_game(name, card, opinion[0])
        stored += [tensors(opinion[1])]
    size = sum(math.prod(tensor.shape) for part in stored for tensor in part.values())
    bits = min(16, int((MAX_TEXT if opinion is None else MAX_PAIR) * 6 / size))
    if bits < FEWEST_BITS:
        raise ValueError(f"{name} has {size:,} weights, too many for a page; train a smaller one")
    try:
        layers = [_filled(layer, stored[0], bits) for layer in card["layers"]]
        of_d = [_filled(layer, stored[1], bits) for layer in opinion[0]["layers"]] if opinion else []
    except KeyError as error:
        raise ValueError(
            f"the card of {name} names weights {error} that its file does not have; store both again"
        ) from error
    facts = {"format": FORMAT, "name": name, "bits": bits}
    facts |= {key: card[key] for key in ("shape", "range", "prior")} | {"layers": layers}
    if card.get("directions"):
        facts["directions"] = card["directions"]
    if of_d:
        facts["opinion"] = {"layers": of_d}
    text = json.dumps(facts, separators=(",", ":"))
    key = json.dumps(name)
    return f"((globalThis.ganLessons ??= {{}}).generators ??= {{}})[{key}] = {text}\n"


def same_game(name: str, card: Mapping[str, Any], opinion: Mapping[str, Any]) -> None:
    """Raise ValueError where a stored D (its card: `opinion`) is not of the game of the generator with this card."""
    if opinion["of"] != card["sha256"]:
        raise ValueError(
            f"the D stored for {name} is of another game than the generator: store it again, or remove "
            f"discriminators/{name}.json and discriminators/{name}.safetensors"
        )


def tensors(content: bytes) -> dict[str, Values]:
    """Read a .safetensors file of float16 or float32: eight bytes with the header's length, the header, the numbers.

    Raises ValueError where it is damaged. Counters (whole numbers) are left out.
    """
    letters = {"F16": "e", "F32": "f"}
    try:
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        header.pop("__metadata__", None)
        found = {}
        for name, entry in header.items():
            if entry["dtype"] in letters:
                count = math.prod(entry["shape"])
                numbers = struct.unpack_from(
                    f"<{count}{letters[entry['dtype']]}", content, 8 + length + entry["data_offsets"][0]
                )
                found[name] = Values(tuple(entry["shape"]), numbers)
        return found
    except (struct.error, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"this is no sound file of weights ({error})") from error


def _filled(layer: Layer, stored: Mapping[str, Values], bits: int) -> Layer:
    """A layer with its weights in place of their address."""
    at = layer.get("at")
    facts = {key: value for key, value in layer.items() if key not in ("at", "epsilon")}
    if at is None:
        return facts
    if layer["kind"] == "affine":
        scale, shift = _normalisation({key: stored[f"{at}.{key}"].values for key in NORM}, layer["epsilon"])
        return facts | {"scale": _text(scale), "shift": _text(shift)}
    facts["weight"] = _text(stored[f"{at}.weight"], bits)
    if f"{at}.bias" in stored:
        bias = stored[f"{at}.bias"]
        facts["bias"] = _text(bias, 16 if _are_halves(bias.values) else 32)
    return facts


def _are_halves(values: Sequence[float]) -> bool:
    """Whether float16 holds these numbers exactly, as it does those of a stored generator."""
    if max(map(abs, values)) > 65_504:
        return False
    letters = f"<{len(values)}e"
    return list(struct.unpack(letters, struct.pack(letters, *values))) == list(values)


NORM = ("weight", "bias", "running_mean", "running_var")


def _normalisation(parts: Mapping[str, Sequence[float]], epsilon: float) -> tuple[Values, Values]:
    """Batch normalisation in evaluation mode, gamma (x - mean) / sqrt(var + epsilon) + beta, as scale and shift."""
    rows = list(zip(*(parts[key] for key in NORM), strict=True))
    scale = [gamma / math.sqrt(var + epsilon) for gamma, _, _, var in rows]
    shift = [beta - mean * factor for (_, beta, mean, _), factor in zip(rows, scale, strict=True)]
    return Values((len(rows),), scale), Values((len(rows),), shift)


def _text(tensor: Values, bits: int = 32) -> dict[str, Any]:
    """A tensor for a script: base64 of float32, float16, or of `bits` a number with a scale for each row."""
    shape, values = tensor
    facts: dict[str, Any] = {"shape": list(shape), "bits": bits}
    if bits in (16, 32):
        data = struct.pack(f"<{len(values)}{'e' if bits == 16 else 'f'}", *values)
        return facts | {"data": b64encode(data).decode()}
    row, top = len(values) // shape[0], 2 ** (bits - 1) - 1
    rows = [values[k : k + row] for k in range(0, len(values), row)]
    scales, held = _scales([max(map(abs, each)) / top or 1.0 for each in rows])
    whole = [round(value / scale) + top + 1 for each, scale in zip(rows, scales, strict=True) for value in each]
    data = b"".join(_packed(whole, bits))
    return facts | {"scale": _text(Values((shape[0],), scales), held), "data": b64encode(data).decode()}


def _scales(exact: Sequence[float]) -> tuple[list[float], int]:
    """The scales of rows, and in how many bits they are written: 16 where each is a normal half.

    Halves are rounded up, so that a row's largest number still fits its bits.
    """
    if min(exact) < 2**-14 or max(exact) > 60_000:
        return list(exact), 32
    halves = []
    for scale in exact:
        (bits,) = struct.unpack("<H", struct.pack("<e", scale))
        (half,) = struct.unpack("<e", struct.pack("<H", bits))
        halves += [half if half >= scale else struct.unpack("<e", struct.pack("<H", bits + 1))[0]]
    return halves, 16


def _packed(whole: Sequence[int], bits: int) -> Iterator[bytes]:
    """Numbers of `bits` bits each, one after the other from the lowest bit on: eight of them are `bits` bytes."""
    for start in range(0, len(whole), 8):
        eight = whole[start : start + 8]
        held = sum(number << (bits * k) for k, number in enumerate(eight))
        yield held.to_bytes(-(-bits * len(eight) // 8), "little")
