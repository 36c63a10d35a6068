"""Store the D of a stored generator's game: `.venv/bin/python tools/keep_discriminator.py CHECKPOINT.pt dcgan-mnist`.

CHECKPOINT is what `runs.watched` left of the game whose averaged generator was stored under this name. Its D goes to
data/weights/discriminators as float16, and the pages of the book show its opinion of each sample. `--game` names the
game in gan_lessons.base (DCGAN), which knows how D was built.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from gan_lessons import base, zoo  # noqa: E402
from gan_lessons.checkpoints import matched  # noqa: E402


def keep(checkpoint: Path, name: str, game: base.Game, folder: Path | None = None) -> zoo.Opinion:
    """Store the D of a checkpoint; ValueError where its averaged G is not the stored generator."""
    parts: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)["parts"]
    G = zoo.load(name, folder).G.state_dict()
    average = matched(G, parts["average"])
    same = average.keys() == G.keys() and all(
        torch.equal(average[key].to(torch.float16).to(value), value) for key, value in G.items()
    )
    if not same:
        raise ValueError(f"the averaged generator in {checkpoint} is not {name}: give the run that it was stored from")
    build = game.discriminator
    if not isinstance(build, partial):
        raise ValueError(f"the game {game.name} does not say how its D is built")
    arguments = {key: value for key, value in build.keywords.items() if not callable(value)}
    return zoo.save_discriminator(name, parts["D"], builder=build.func, arguments=arguments, folder=folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("name", help="the stored generator")
    parser.add_argument("--game", default="DCGAN", help="its game in gan_lessons.base (DCGAN)")
    parser.add_argument("--folder", type=Path, help="where the generator is stored (data/weights)")
    options = parser.parse_args()
    try:
        kept = keep(options.checkpoint, options.name, getattr(base, options.game), options.folder)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"the D of {kept.name}, {kept.sha256[:12]}, is stored: build the book again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
