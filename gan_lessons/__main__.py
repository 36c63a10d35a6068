"""The command line: `python -m gan_lessons COMMAND`, as `--help` lists them. Heavy imports wait until needed.

Exit codes: 0 all well, 1 a chapter failed or has faults, 2 a request that cannot be met, 130 Ctrl-C, 141 nobody reads
what is printed (`| head`).
"""

import argparse
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan_lessons import runner
from gan_lessons.paths import at_home, atomic_write

MAX_IMAGES = 100_000
MAX_SCORED = 1_000_000  # in all draws
JUDGED = "the stored judge reads digits, uint8 (n, 28, 28), white on black"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; argparse itself leaves with 2 for wrong usage."""
    for stream in (sys.stdout, sys.stderr):  # None where it was closed
        if getattr(stream, "errors", "") == "strict":
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a place that has no ± still gets its table
    options = _parser().parse_args(arguments)
    try:
        code = int(options.command(options))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt as error:
        print(f"\n{error or 'interrupted'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _print_no_more()
        return 141
    except ImportError as error:
        remedy = "install what the package needs, in a checkout with `pip install -e .`"
        print(f"gan_lessons: {error}; {remedy}", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"gan_lessons: {error}", file=sys.stderr)
        _print_no_more()
        return 2


def _print_no_more() -> None:
    """Drop what is still to be printed where that is impossible: a closed pipe, a full disk."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):  # a stream of a test has no number
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m gan_lessons",
        description="Run and check the chapters; draw samples, score them, put them into a page.",
    )
    commands = parser.add_subparsers(required=True, metavar="run | check | clean | notebooks | sample | score | export")

    run = commands.add_parser("run", help="execute chapters; outputs go to data/cache/runs/PROFILE")
    run.add_argument("--profile", default="auto", help="smoke, quick, full, or auto: full with CUDA, else quick")
    run.add_argument("--jobs", type=_positive, default=1, metavar="N", help="how many chapters at once")
    run.add_argument("--in-place", action="store_true", help="write the outputs into the book (not in smoke)")
    run.add_argument("--seed", type=_seed, metavar="S", help="instead of the chapter's own SEED")
    run.add_argument("--position", type=int, default=0, help=argparse.SUPPRESS)  # line of the progress bar
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="find stored outputs that no longer match their code")
    check.set_defaults(command=_check)
    clean = commands.add_parser("clean", help="take all outputs out of chapters")
    clean.set_defaults(command=_clean)
    for command in (run, check, clean):
        command.add_argument("chapters", nargs="*", metavar="CHAPTER", help="05, 05_mlp_gan or a path; all without")

    copies = commands.add_parser("notebooks", help="write plain copies for Colab and JupyterLab, to _build/notebooks")
    copies.add_argument(
        "--out", type=Path, default=Path("_build/notebooks"), metavar="FOLDER", help="(_build/notebooks)"
    )
    copies.add_argument("--keep", action="store_true", help="leave those that are there, with what you did in them")
    copies.add_argument("--published", action="store_true", help="with the links of the branch that is published")
    copies.set_defaults(command=_notebooks)

    sample = commands.add_parser("sample", help="draw images from a stored generator")
    sample.add_argument("name", metavar="NAME", help="one of the generators in data/weights")
    sample.add_argument("--n", type=_number_of_images, help=f"how many images (64) or lines (1), at most {MAX_IMAGES}")
    ordered = sample.add_mutually_exclusive_group()
    ordered.add_argument("--label", type=int, metavar="K", help="all of this class, from a conditional generator")
    ordered.add_argument("--text", metavar="DIGITS", help="write this number, from a conditional generator of digits")
    sample.add_argument("--seed", type=_seed, default=0, metavar="S")
    sample.add_argument(
        "--out", type=_picture_or_arrays, metavar="FILE", help=".png: a grid; .npz: uint8 `images`, and `labels` if any"
    )
    sample.add_argument("--columns", type=_positive, metavar="K", help="of the grid; about square without")
    sample.set_defaults(command=_sample)

    score = commands.add_parser("score", help="print the report card of a stored generator, or of your own images")
    score.add_argument("name", metavar="NAME | FILE.npz", help="a stored generator of digits, or uint8 `images`")
    score.add_argument("--n", type=_number_of_images, default=10_000, help="images in a draw (10000)")
    score.add_argument("--draws", type=_positive, default=3, help="independent draws of a stored generator (3)")
    score.add_argument("--dataset", choices=["mnist", "digits"], default="mnist", help="what they are held against")
    score.add_argument("--keep", action="store_true", help="write the report into the stored generator's card too")
    score.set_defaults(command=_score)

    export = commands.add_parser(
        "export", help="write a stored generator as a script that a page of the book draws from"
    )
    export.add_argument("name", metavar="NAME | FOLDER/NAME", help="one in data/weights, or in a folder of your own")
    export.add_argument("--out", type=_script, metavar="FILE", help="a .js (NAME.js)")
    export.add_argument(
        "--keep", action="store_true", help="write its layers into its card: the book is built from them"
    )
    export.set_defaults(command=_export)
    return parser


def _run(options: argparse.Namespace) -> int:
    from gan_lessons import profiles

    profile = profiles.resolve(options.profile).name
    paths = _chosen(options.chapters)
    if options.jobs > 1 and len(paths) > 1:
        return _run_at_once(paths, profile, options, min(options.jobs, len(paths)))
    failed = 0
    for path in paths:
        started = time.perf_counter()
        try:
            written = runner.run(path, profile, in_place=options.in_place, seed=options.seed, position=options.position)
        except runner.RunError as error:
            print(error, file=sys.stderr)
            failed = 1
        else:
            size, seconds = written.stat().st_size / 1000, time.perf_counter() - started
            print(f"{path.stem}: {profile} run, {seconds:.0f} s, {size:.0f} kB: {written}")
    return failed


def _run_at_once(paths: list[Path], profile: str, options: argparse.Namespace, jobs: int) -> int:
    """One process a chapter, `jobs` at a time. They get Ctrl-C from us, once, and not from the terminal."""
    common = [sys.executable, "-m", "gan_lessons", "run", "--profile", profile]
    common += ["--in-place"] * options.in_place + (["--seed", str(options.seed)] if options.seed is not None else [])
    waiting, running, codes = list(paths), dict[int, subprocess.Popen[bytes]](), list[int]()
    try:
        while waiting or running:
            for position in set(range(jobs)) - set(running):
                if waiting:
                    command = [*common, "--position", str(position), str(waiting.pop(0))]
                    running[position] = subprocess.Popen(command, process_group=0)
            time.sleep(0.1)
            ended = [position for position, process in running.items() if process.poll() is not None]
            codes += [running.pop(position).returncode for position in ended]
    except KeyboardInterrupt:
        for process in running.values():
            process.send_signal(signal.SIGINT)
        for process in running.values():
            process.wait()
        raise KeyboardInterrupt(f"{len(codes)} of {len(paths)} chapters had ended") from None
    return int(any(codes))


def _check(options: argparse.Namespace) -> int:
    faults = {path: runner.check(path) for path in _chosen(options.chapters)}
    for path, found in faults.items():
        print(f"{path.stem}: {len(found) or 'no'} fault{'s' * (len(found) != 1)}")
        for fault in found:
            print(f"  {fault}")
    return int(any(faults.values()))


def _clean(options: argparse.Namespace) -> int:
    for path in _chosen(options.chapters):
        runner.clean(path)
        print(f"{path.stem}: outputs and stamp taken out")
    return 0


def _notebooks(options: argparse.Namespace) -> int:
    from gan_lessons import plain_copies

    written = plain_copies.write(options.out, keep=options.keep, published=options.published)
    kept = len(runner.chapters()) - len(written)
    print(
        f"{len(written)} plain cop{'y' if len(written) == 1 else 'ies'}: {options.out}"
        + f"; {kept} were there and are kept as they are" * bool(kept)
    )
    return 0


def _sample(options: argparse.Namespace) -> int:
    import numpy as np
    from PIL import Image

    from gan_lessons import zoo
    from gan_lessons.plotting import tile

    generator = zoo.load(options.name)
    n, labels = _ordered(options, generator)
    images = generator.sample(n, options.seed, labels)
    out: Path = options.out or Path(f"{options.name}.png")
    if out.suffix.lower() == ".npz":
        arrays: dict[str, Any] = {
            "images": images.squeeze(1).numpy() if images.shape[1] == 1 else images.permute(0, 2, 3, 1).numpy()
        }
        if generator.prior.classes:
            arrays["labels"] = np.asarray(generator.labels(n, options.seed) if labels is None else labels)
        atomic_write(out, lambda stream: np.savez_compressed(stream, **arrays))
    else:
        columns = options.columns or (len(options.text) if options.text else math.isqrt(n - 1) + 1)
        sheet = Image.fromarray((tile(images, columns) * 255).round().astype(np.uint8))
        atomic_write(out, lambda stream: sheet.save(stream, "PNG", optimize=True))
    print(f"{n} image{'s' * (n != 1)} of {options.name}, seed {options.seed}: {out}")
    return 0


def _ordered(options: argparse.Namespace, generator: Any) -> tuple[int, list[int] | None]:
    """How many images to draw, and of which labels: None leaves them to chance. ValueError for what cannot be drawn."""
    if options.text is None:
        n = options.n or 64
        return n, None if options.label is None else [options.label] * n
    if not options.text or not set(options.text) <= set("0123456789"):
        raise ValueError(f"--text takes digits from 0 to 9, such as 2026, not {options.text!r}")
    labels = [int(digit) for digit in options.text] * (options.n or 1)
    if len(labels) > MAX_IMAGES:
        raise ValueError(f"{len(labels)} images are over {MAX_IMAGES}: ask for fewer lines, or a shorter text")
    return len(labels), labels


def _score(options: argparse.Namespace) -> int:
    from gan_lessons import data, judges, metrics, zoo

    if options.keep and _is_file(options.name):
        raise ValueError(f"{options.name} is a file and has no card: leave --keep out, or name a stored generator")
    draws, asked = _draws(options)
    train, test = (data.load(options.dataset, split) for split in ("train", "test"))
    judge, second = judges.load("mnist"), judges.load(judges.SECOND)
    print("Scoring real images and frauds first, then yours: some minutes for 10,000 of them.", file=sys.stderr)
    against = metrics.reference(judge, test.images, train.images, options.n, second=second)
    report = metrics.report(draws, against, Path(options.name).stem)
    shares = metrics.class_shares(judge.probabilities(data.unit(draws[0]))) / against.shares.clamp(min=1e-9)
    rare, common = int(shares.argmin()), int(shares.argmax())
    shas = [judges.card(name).sha256 for name in ("mnist", judges.SECOND)]
    ordered = _by_label(draws, asked, test, (judge, second)) if asked is not None else {}
    if options.keep:  # before anything is printed, which may fail
        facts = report.facts(
            judge=shas[0],
            second_judge=shas[1],
            against=f"{options.dataset}, test",
            rarest_class=round(float(shares.min()), 2),
            commonest_class=round(float(shares.max()), 2),
            **ordered,
        )
        zoo.grade(options.name, facts)
    print(report, end="\n\n")
    print(f"Rarest digit: {rare}, {shares[rare]:.2f} times its share among real images.")
    print(f"Commonest digit: {common}, {shares[common]:.2f} times.")
    if ordered:
        print(f"Read as the label that was asked for: {ordered['alignment']:.2%}, {ordered['second_alignment']:.2%}.")
        print("Fréchet distance within the classes 0 to 9, by each judge:")
        for key in ("class_distances", "second_class_distances"):
            print("  " + "  ".join(f"{value:.1f}" if math.isfinite(value) else "–" for value in ordered[key]))
    print(f"Judges {shas[0][:12]} and {shas[1][:12]}, test images of {options.dataset}.")
    print(f"Draws: {len(draws)} of {options.n:,}.")
    print("± is a 95 % interval over draws; chapter 06 explains the rows.")
    if options.keep:
        print(f"Kept in the card of {options.name}.")
    return 0


def _export(options: argparse.Namespace) -> int:
    from gan_lessons import zoo

    place, _, name = options.name.rpartition("/")
    folder = at_home(place) if place else None
    if folder is not None and not folder.is_dir():
        raise ValueError(
            f"there is no folder {place}; give FOLDER/NAME as zoo.save stored it, or {' or '.join(zoo.names())}"
        )
    name = name.removesuffix(".json")
    text = zoo.script(name, folder)
    out: Path = options.out or Path(f"{name}.js")
    atomic_write(out, lambda stream: stream.write(text.encode()))
    if options.keep:
        zoo.describe(name, folder)
    print(f"{name}, {len(text) / 1000:.0f} kB: {out}" + "; its layers stand in its card" * options.keep)
    return 0


def _is_file(name: str) -> bool:
    return Path(name).suffix.lower() == ".npz"


def _by_label(draws: list[Any], asked: list[Any], test: Any, jury: tuple[Any, ...]) -> dict[str, Any]:
    """Alignment and the distance within each class by both judges, means over draws; what a card keeps of labels."""
    from gan_lessons import data, metrics

    facts: dict[str, Any] = {}
    for prefix, judge in zip(("", "second_"), jury, strict=True):
        real = judge.features(test.images)
        ours = [judge.features(data.unit(draw)) for draw in draws]
        aligned = [
            metrics.alignment(judge.head(features).softmax(1), labels)
            for features, labels in zip(ours, asked, strict=True)
        ]
        within = [
            metrics.class_distances(features, labels, real, test.labels)
            for features, labels in zip(ours, asked, strict=True)
        ]
        facts[f"{prefix}alignment"] = round(sum(aligned) / len(aligned), 4)
        facts[f"{prefix}class_distances"] = [round(sum(each) / len(each), 2) for each in zip(*within, strict=True)]
    return facts


def _draws(options: argparse.Namespace) -> tuple[list[Any], list[Any] | None]:
    """The images to score, uint8 (n, 1, 28, 28) each, and their labels, if any: of a file one draw, its first n."""
    import numpy as np
    import torch

    from gan_lessons import zoo
    from gan_lessons.labels import checked

    if not _is_file(options.name):
        if options.n * options.draws > MAX_SCORED:
            raise ValueError(f"{options.draws} draws of {options.n} are over {MAX_SCORED:,} images: ask for fewer")
        generator = zoo.load(options.name)
        if generator.card.shape != [1, 28, 28]:
            raise ValueError(f"{options.name} draws images of shape {generator.card.shape}; {JUDGED}")
        seeds = range(options.draws)
        asked = [generator.labels(options.n, seed) for seed in seeds] if generator.prior.classes else None
        return [generator.sample(options.n, seed) for seed in seeds], asked
    path = at_home(options.name)
    if not path.is_file():
        raise ValueError(f"there is no file {options.name}; give an .npz file, or one of {', '.join(zoo.names())}")
    try:
        with np.load(path) as file:
            images = np.asarray(file["images"])
            labels = torch.from_numpy(np.asarray(file["labels"])) if "labels" in file else None
    except Exception as error:  # what is damaged, pickled or no archive raises errors of many kinds
        reason = str(error) or type(error).__name__
        raise ValueError(f"{options.name} is no sound .npz file with an array called images ({reason})") from error
    if images.dtype != np.uint8 or images.shape[1:] not in ((28, 28), (1, 28, 28)):
        raise ValueError(f"{options.name} holds {images.dtype} images of shape {images.shape}; {JUDGED}")
    if len(images) < options.n:
        fewer = f", or ask for --n {len(images)}" if len(images) >= 5 else ""  # metrics.reference needs five
        raise ValueError(f"{options.name} holds {len(images)} images; draw more{fewer}")
    asked = None if labels is None else [checked(labels, len(images), 10)[: options.n]]
    return [torch.from_numpy(images[: options.n]).reshape(-1, 1, 28, 28)], asked


def _chosen(names: list[str]) -> list[Path]:
    """The notebooks of these names, or all; each once. ValueError for an unknown one, before anything is done."""
    paths = [runner.find(name) for name in names] if names else runner.chapters()
    if not paths:
        raise ValueError("no chapters here: run this in a checkout of GAN Lessons, or give a notebook's path")
    return list(dict.fromkeys(path.resolve() for path in paths))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def _number_of_images(text: str) -> int:
    if _positive(text) > MAX_IMAGES:
        raise argparse.ArgumentTypeError(f"must be at most {MAX_IMAGES}, not {text}; draw more with other seeds")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 2^32 - 1, not {text!r}")
    return int(text)


def _picture_or_arrays(text: str) -> Path:
    if Path(text).suffix.lower() not in (".png", ".npz"):
        raise argparse.ArgumentTypeError(f"must end in .png or .npz, not {text!r}")
    return at_home(text)


def _script(text: str) -> Path:
    if Path(text).suffix.lower() != ".js":
        raise argparse.ArgumentTypeError(f"must end in .js, not {text!r}")
    return at_home(text)


if __name__ == "__main__":
    sys.exit(main())
