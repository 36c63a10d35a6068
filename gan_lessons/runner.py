"""Run the chapters' notebooks, stamp how their outputs were made, and find those that no longer match their code.

The only file that uses papermill and nbformat, and those only when called; torch it needs only to say what `auto` is. A
run works on a copy in a scratch folder: the notebook in the book is replaced at the very end, whole, or not at all.
"""

import ast
import base64
import csv
import hashlib
import io
import json
import os
import platform
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

from gan_lessons.checks import whole
from gan_lessons.paths import atomic_write, chosen_folder, commit, repository_root, runs_root

MAX_BYTES = 600_000  # of a stored notebook
SMALLER = "use a smaller dpi or fewer figures"
MAX_LINES = 40  # of a code cell
MAX_LETTERS = 50  # of the name of a folded cell
PROBE = "gan-lessons-probe"  # tag of the cell that asks the kernel, at the end of a run, what it used
FOLDED = {"hide-input", "hide-cell"}  # tags of cells whose code the page folds
FOREIGN = {"injected-parameters", "papermill-error-cell-tag", PROBE}  # tags of cells that no author wrote

# `make set-repository` writes the address into the setup cells; that changes no result.
_ADDRESS = re.compile(r"(pip install[^\n]*git\+)[^\s\"']+")
_STILLBORN = re.compile(r"Kernel (didn't respond|died before)")
_MACHINE = re.compile(r"(?<![\w/.~-])/(?:home|root|Users|tmp|private|mnt)/\w+|site-packages| at 0x[0-9a-f]+")


class RunError(RuntimeError):
    """A notebook stopped: the message names the cell, the error, and where the outputs so far lie."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run: the message says where the outputs so far lie."""


def chapters(root: Path | None = None) -> list[Path]:
    """Return the notebooks of the book, in the order of `_toc.yml`; without that file, those of book/ by number."""
    root = root or repository_root() or Path.cwd()
    toc = root / "_toc.yml"
    if not toc.exists():
        return sorted((root / "book").glob("[0-9]*.ipynb"))
    import yaml

    try:
        pages = list(_pages(yaml.safe_load(toc.read_text(encoding="utf-8"))))
    except yaml.YAMLError as error:
        raise ValueError(f"{toc} cannot be read ({error}); restore it from git") from error
    notebooks = [root / f"{page.removesuffix('.ipynb')}.ipynb" for page in pages]
    return [notebook for notebook in notebooks if notebook.exists()]


def _pages(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from [value] if key in ("root", "file") else _pages(value)
    elif isinstance(node, list):
        for value in node:
            yield from _pages(value)


def find(name: str | Path, root: Path | None = None) -> Path:
    """Return the notebook called `name`: a number (5 or 05), a stem (05_mlp_gan), or a path.

    Raises ValueError, with what there is, where nothing matches.
    """
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path
    have = chapters(root)
    wanted = path.name.removesuffix(".ipynb")
    for chapter in have:
        number = chapter.stem.split("_")[0]
        if wanted == chapter.stem or (wanted.isdecimal() and number.isdecimal() and int(wanted) == int(number)):
            return chapter
    raise ValueError(f"no chapter {str(name)!r}; have {', '.join(c.stem for c in have) or 'none in book/'}")


def code_sha256(notebook: Any) -> str:
    """Return the hash of all code cells' sources: not of outputs, prose, metadata or trailing white space.

    The repository's address after `pip install … git+` does not count either.
    """
    sources = [_ADDRESS.sub(r"\1", cell.source) for cell in _code(notebook)]
    tidy = ["\n".join(line.rstrip() for line in source.rstrip().split("\n")) for source in sources]
    return hashlib.sha256(json.dumps(tidy).encode()).hexdigest()


def check(path: str | Path) -> list[str]:
    """Return the faults of a stored notebook, in words; none for one whose outputs were all made by its code."""
    path = Path(path)
    notebook = read(path)
    faults = _stamp_faults(notebook)
    if path.stat().st_size > MAX_BYTES:
        faults.append(f"{path.stat().st_size // 1000} kB, over {MAX_BYTES // 1000}: {SMALLER}")
    if not _tagged(notebook, "parameters"):
        faults.append("no cell is tagged `parameters`: the runner cannot set PROFILE and SEED")
    for number, cell in enumerate(_code(notebook), start=1):
        faults += [f"{_where(number, cell)}: {fault}" for fault in (*_cell_faults(cell), *_fold_faults(cell))]
        if cell.execution_count != number and "gan_lessons" in notebook.metadata:
            fault = f"run as number {cell.execution_count}" if cell.execution_count else "not run"
            faults.append(f"{_where(number, cell)}: {fault}, so the outputs are not of one run from top to bottom")
    names = [fold_name(cell) for cell in _code(notebook) if fold_name(cell)]
    faults += [f"{name!r} is the name of {names.count(name)} folded cells" for name in _twice(names)]
    return faults


def fold_name(cell: Any) -> str:
    """Return the name under which the page folds this cell; "" for a cell without one."""
    return str(cell.metadata.get("mystnb", {}).get("code_prompt_show", "")).strip()


def _twice(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _fold_faults(cell: Any) -> Iterator[str]:
    """What a folded cell lacks to be folded, under a name of its own, on the page, in JupyterLab and in Colab."""
    if not FOLDED & set(cell.metadata.get("tags", [])):
        return
    name = fold_name(cell)
    if not 0 < len(name) <= MAX_LETTERS:
        yield (
            "folded without a name: give it one of its own, of at most "
            f"{MAX_LETTERS} letters, as mystnb.code_prompt_show in its metadata"
        )
    if not cell.metadata.get("jupyter", {}).get("source_hidden"):
        yield "folded on the page and not in JupyterLab: add jupyter.source_hidden = true to its metadata"
    if cell.metadata.get("cellView") != "form":
        yield 'folded on the page and not in Colab: add cellView = "form" to its metadata'


def _stamp_faults(notebook: Any) -> list[str]:
    stamp = notebook.metadata.get("gan_lessons")
    again = "run it again with `python -m gan_lessons run --profile full --in-place`"
    if not stamp:
        return [f"no stamp: {again}"]
    faults = []
    if stamp.get("code_sha256") != code_sha256(notebook):
        faults.append(f"the code is no longer the code that made the outputs: {again}")
    if stamp.get("profile") != "full":
        faults.append(f"its outputs are of a {stamp.get('profile')} run: {again}")
    return faults


def _cell_faults(cell: Any) -> Iterator[str]:
    lines = len(cell.source.splitlines())
    if lines > MAX_LINES:
        yield f"{lines} lines, over {MAX_LINES}: split it"
    if cell.execution_count is None and "nbval-check-output" in cell.metadata.get("tags", []):
        yield "tagged nbval-check-output but never run, so nbval would compare nothing"
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"its output is an error, {output.ename}: {output.evalue}"
        if "image/png" in output.get("data", {}) and not _alt(cell):
            yield "a picture without alt text: add mystnb.image.alt to the cell's metadata"
        text = _text(output)
        if output.get("name") == "stderr" and "Warning" in text:
            yield "its output is a warning: mend its cause"
        if found := _MACHINE.search(text):
            yield f"its output contains a path or address of the machine ({found[0].strip()})"


def _alt(cell: Any) -> str:
    return str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")).strip()


def _text(output: Any) -> str:
    data = {kind: value for kind, value in output.get("data", {}).items() if kind.startswith("text/")}
    return "\n".join([output.get("text", ""), *map(str, data.values())])


def clean(path: str | Path) -> None:
    """Take outputs, execution counts, timestamps and the stamp out of a notebook; tags and captions stay."""
    notebook = read(path)
    write(path, _restored(notebook, [None] * len(notebook.cells)))


def run(
    path: str | Path,
    profile: str = "auto",
    *,
    in_place: bool = False,
    scratch: str | Path | None = None,
    seed: int | None = None,
    timeout: float | None = None,
    position: int = 0,
) -> Path:
    """Execute a notebook from top to bottom, stamp it, and return where it was written.

    Written to the folder `scratch` (by default data/cache/runs/PROFILE), or with in_place over the notebook itself:
    never by the smoke profile; a full run in place also copies its tables of studies (NN-name.csv in the folder of
    runs) to data/results. The notebook's own SEED holds unless one is given. timeout: seconds for one cell;
    position: the line of the progress bar. Raises ValueError for a bad request, RunError for a run that stopped and
    Interrupted for Ctrl-C; then the notebook in the book is untouched and the outputs so far lie in the scratch folder.
    """
    from gan_lessons import profiles

    name = profiles.resolve(profile).name
    path = Path(path).resolve()
    source = read(path)
    if in_place and name == "smoke":
        raise ValueError("a smoke run never writes into the book; leave --in-place out, or take --profile full")
    if not _tagged(source, "parameters"):
        raise ValueError(f"{path.name} has no cell tagged `parameters`, so its profile cannot be set; tag one")
    if seed is not None:
        whole("the seed", seed, 0, 2**32 - 1)
    working = Path(scratch or runs_root() / name).resolve() / path.name
    if working == path:
        raise ValueError(f"the scratch folder is the notebook's own, {path.parent}; choose another")
    if in_place and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise PermissionError(f"{path} may not be written; change its permissions, or leave --in-place out")
    code, started = commit(), time.perf_counter()  # before the run: the package that it imports
    parameters = {"PROFILE": name} | ({} if seed is None else {"SEED": seed})
    executed = _execute(source, path, working, parameters, timeout, position)
    told = json.loads(ast.literal_eval(executed.cells[-1].outputs[-1].data["text/plain"]))
    if told["profile"] not in (name, None):
        raise RunError(f"{path.stem} was told PROFILE = {name!r} but set up {told['profile']!r}: see its setup cell")
    finished = _restored(source, _own_cells(executed))
    finished.metadata["gan_lessons"] = told | {
        "profile": name,
        "code_sha256": code_sha256(source),
        "commit": code,
        "seconds": round(time.perf_counter() - started, 1),
        "date": datetime.now(UTC).date().isoformat(),
    }
    size = write(working, _with_smaller_pngs(finished)).stat().st_size
    if not in_place:
        return working
    if size > MAX_BYTES:
        raise RunError(
            f"{path.stem} has grown to {size // 1000} kB, over {MAX_BYTES // 1000}, and was not put into the book: "
            f"{SMALLER}. This run lies in {working}"
        )
    atomic_write(path, lambda stream: stream.write(working.read_bytes()))
    working.unlink()
    if name == "full":
        _record_tables(path.stem.split("_")[0], path.parent.parent / "data" / "results")
    return path


def _record_tables(number: str, results: Path) -> None:
    """Copy the tables that the full run of a chapter left to data/results of its book.

    They are those of its own studies (NN-name.csv), and of the unchanged games that chapters share (base-GAME.csv)
    those against which its studies changed one thing.
    """
    folder = runs_root() / "full"
    own = sorted(folder.glob(f"{number}-*.csv"))
    shared = {folder / f"base-{game}.csv" for table in own for game in _games(table)}
    for table in (*own, *sorted(path for path in shared if path.exists())):
        results.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(table, results / table.name)


def _games(table: Path) -> set[str]:
    """The base games that the settings of a table name, if any."""
    with table.open(newline="", encoding="utf-8") as stream:
        settings = [json.loads(row.get("settings") or "{}") for row in csv.DictReader(stream)]
    return {str(told["game"]) for told in settings if "game" in told}


def _execute(
    source: Any, path: Path, working: Path, parameters: dict[str, Any], timeout: float | None, position: int
) -> Any:
    """Run a copy of `source`, with the probe at its end, through papermill, and return the executed copy."""
    try:
        import papermill
        from nbformat.v4 import new_code_cell
    except ImportError as error:
        raise RunError(f"running a chapter needs papermill ({error}); `make run` installs it") from error

    probe = "from gan_lessons import runner as _runner\n_runner.facts(globals())"
    prepared = deepcopy(source)
    prepared.cells.append(new_code_cell(probe, metadata={"tags": [PROBE]}))
    write(working, prepared)
    literal = str(working).replace("{", "{{").replace("}", "}}")  # papermill formats its paths
    live = sys.stderr.isatty()
    play = partial(
        papermill.execute_notebook,
        literal,
        literal,
        parameters,
        kernel_name="python3",
        language="python",
        cwd=path.parent,
        execution_timeout=timeout,
        coalesce_streams=True,
        extra_arguments=["--log-level=CRITICAL"],  # the kernel's own words, not the notebook's
        stdout_file=_Echo(),
        progress_bar={"desc": path.stem, "position": position if live else 0, "mininterval": 0.1 if live else 30},
    )
    try:
        with _environment(parameters["PROFILE"]):
            try:
                return play()
            except RuntimeError as error:
                if not _STILLBORN.match(str(error)):
                    raise
                write(working, prepared)  # another process took one of its ports first: once more
                return play()
    except (Exception, KeyboardInterrupt) as error:
        cells = _own_cells(read(working))
        write(working, _restored(source, cells))
        kept = f"The outputs so far lie in {working}"
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"{path.stem} was interrupted; the book is untouched. {kept}") from None
        raise RunError(f"{path.stem} stopped at {_reason(cells, error)}\n  {kept}") from error


def _reason(cells: list[Any], error: Exception) -> str:
    """Where and why a run stopped: at the cell that raised, or else at the one that was under way."""
    kind, place = type(error).__name__, "its start"
    for number, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), start=1):
        for output in cell.outputs if kind == "PapermillExecutionError" else []:
            if output.output_type == "error":
                return f"{_where(number, cell)}: {output.ename}: {output.evalue}"
        if cell.metadata.get("papermill", {}).get("start_time"):
            place = _where(number, cell)
    words = {
        "DeadKernelError": "the kernel died; most likely its memory ran out",
        "NoSuchKernel": f"{error}; install ipykernel",
    }
    return f"{place}: {words.get(kind) or f'{kind}: {error}'.strip()}"


class _Echo:
    """Passes on what cells print, above the progress bar."""

    def write(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr, end="")

    def flush(self) -> None:
        sys.stderr.flush()


@contextmanager
def _environment(profile: str) -> Iterator[None]:
    """Let kernels inherit: inline figures, this very package, and one thread a process in smoke."""
    before = dict(os.environ)
    for variable in ("GAN_LESSONS_DATA", "GAN_LESSONS_RUNS"):  # a kernel works beside its notebook
        if folder := chosen_folder(variable):
            os.environ[variable] = str(folder)
    os.environ.pop("MPLBACKEND", None)
    # else torch tells, with its path, of a machine that has CUDA's compiler and no GPU
    os.environ.setdefault("TORCH_LOGS", "-torch.utils.cpp_extension")
    if profile == "smoke":
        os.environ["OMP_NUM_THREADS"] = "1"
    if root := repository_root():
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), before.get("PYTHONPATH")]))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _own_cells(executed: Any) -> list[Any]:
    return [cell for cell in executed.cells if not FOREIGN & set(cell.metadata.get("tags", []))]


def _restored(source: Any, executed: list[Any]) -> Any:
    """Return the source with the outputs of the executed cells, numbered from 1, and without stamp and timestamps."""
    notebook = deepcopy(source)
    notebook.cells = _own_cells(notebook)
    for entry in ("gan_lessons", "papermill", "widgets"):
        notebook.metadata.pop(entry, None)
    number = 0
    for cell, done in zip(notebook.cells, executed, strict=True):
        for entry in ("papermill", "execution"):
            cell.metadata.pop(entry, None)
        if cell.cell_type != "code":
            continue
        number += 1
        cell.outputs = _without_progress(deepcopy(done.outputs)) if done else []
        cell.execution_count = number if done and done.execution_count else None
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return notebook


def _without_progress(outputs: list[Any]) -> list[Any]:
    """Leave of each printed line what a terminal would show at the end: a bar that was wiped leaves nothing."""
    for output in outputs:
        if output.output_type == "stream":
            lines = output.text.split("\n")
            output.text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1].rstrip() for line in lines)
    return [output for output in outputs if output.output_type != "stream" or output.text.strip()]


def _with_smaller_pngs(notebook: Any, most: int = MAX_BYTES) -> Any:
    """Store each still picture with a palette of 256 colours where that is smaller; a film stays as it is.

    Where the notebook is over `most` bytes even so, pictures get 64 colours, and figures with more pixels than they are
    wide on the page fewer of these: 1.5 for each, then 1.2, then 1; at last 32 colours.
    """
    drawn = _figures(notebook)
    for pixels, colours in ((9.0, 256), (9.0, 64), (1.5, 64), (1.2, 64), (1.0, 64), (1.0, 32)):
        for figure, png in drawn:
            width = figure.get("metadata", {}).get("image/png", {}).get("width")
            narrow = round(pixels * width) if width and pixels * width < int.from_bytes(png[16:20], "big") else None
            small = _quantised(png, colours, narrow)
            figure["data"]["image/png"] = base64.b64encode(small if narrow else min(png, small, key=len)).decode()
        if len(_text_of(notebook).encode()) <= most:
            break
    return notebook


def _figures(notebook: Any) -> list[tuple[Any, bytes]]:
    """The outputs that hold a PNG, and its bytes."""
    outputs = [output for cell in _code(notebook) for output in cell.outputs if "image/png" in output.get("data", {})]
    return [(output, base64.b64decode(output["data"]["image/png"])) for output in outputs]


def _quantised(png: bytes, colours: int = 256, width: int | None = None) -> bytes:
    """A still picture in a palette of so many colours, and of another width; a film or a transparent one as it is."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        if getattr(image, "n_frames", 1) > 1 or image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
            return png
        picture = image.convert("RGB")
        if width:
            picture = picture.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
        palette = picture.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=1)
    stream = io.BytesIO()
    palette.save(stream, "PNG", optimize=True, dpi=image.info.get("dpi", (72, 72)))
    return stream.getvalue()


def facts(names: Mapping[str, Any]) -> str:
    """Return what a run used, as one line of JSON: asked in the kernel, with its global names, after the last cell.

    A chapter says so by the names SEED, profile, device and dataset_name. peak_memory: bytes of the kernel process;
    processor: seconds that it computed, which a busy machine does not stretch as it does the stamp's `seconds`. kept:
    seconds of its long games (`runs.watched`) that an earlier run had played and kept, so that they are in neither.
    """
    packages = ("torch", "numpy", "torchvision", "matplotlib", "gan_lessons")
    return json.dumps(
        {
            "profile": getattr(names.get("profile"), "name", None),
            "seed": names.get("SEED"),
            "dataset": names.get("dataset_name", "none"),
            "device": _device(str(names.get("device", "cpu"))),
            "versions": {"python": platform.python_version()} | {name: _version(name) for name in packages},
            "peak_memory": _peak_memory(),
            "processor": round(time.process_time(), 1),
            "kept": round(_kept(names), 1),
        },
        default=str,
    )


def _kept(names: Mapping[str, Any]) -> float:
    """Seconds that the files of the watched runs among these names, or in their lists and dicts, held already."""
    if (runs := sys.modules.get("gan_lessons.runs")) is None:
        return 0.0
    inner = (
        one.values() if isinstance(one, dict) else one if isinstance(one, list | tuple) else ()
        for one in names.values()
    )
    found = {id(one): one.kept for one in (*names.values(), *chain(*inner)) if isinstance(one, runs.Run)}
    return float(sum(found.values()))


def _device(name: str) -> str:
    torch, kind = sys.modules.get("torch"), name.partition(":")[0]
    if kind == "cuda" and torch:
        return f"cuda ({torch.cuda.get_device_name(name)})"
    threads = torch.get_num_threads() if torch else 1
    model = platform.processor() or platform.machine()
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8", "replace"), re.MULTILINE)
        model = found[1].strip() if found else model
    return f"{kind} ({threads} thread{'s' * (threads != 1)}, {model})"


def _version(package: str) -> str:
    if loaded := getattr(sys.modules.get(package), "__version__", None):
        return str(loaded)
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _peak_memory() -> int | None:
    """Bytes that this process held at most; None where the system does not tell."""
    with suppress(OSError, StopIteration):  # Linux: getrusage would count the parent's memory before exec
        lines = Path("/proc/self/status").read_text("utf-8", "replace").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    with suppress(ImportError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    return None


def _tagged(notebook: Any, tag: str) -> list[Any]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _where(number: int, cell: Any) -> str:
    """A code cell by the number that Jupyter shows at its side after a run, and its first line."""
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f"cell [{number}] ({first[:50]})"


def read(path: str | Path) -> Any:
    """Return a notebook; ValueError, with the remedy, for a file that is none."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            _ = cell.source, cell.metadata, cell.cell_type != "code" or (cell.outputs, cell.execution_count)
            _refuse_kinds(cell.metadata, {"tags": list, "mystnb": dict, "jupyter": dict, "papermill": dict})
        _refuse_kinds(notebook.metadata, {"gan_lessons": dict})
        return notebook
    except OSError:
        raise
    except Exception as error:  # nbformat raises many kinds, and lets some faults pass
        raise ValueError(f"{path} is no readable notebook ({error}); restore it from git") from error


def _refuse_kinds(metadata: Any, kinds: Mapping[str, type]) -> None:
    for key, kind in kinds.items():
        if not isinstance(metadata.get(key, kind()), kind):
            raise TypeError(f"its metadata {key!r} is {metadata[key]!r}, no {kind.__name__}")


def write(path: str | Path, notebook: Any) -> Path:
    """Write a notebook, whole or not at all, in the layout in which the book stores it."""
    return atomic_write(path, lambda stream: stream.write(_text_of(notebook).encode()))


def _text_of(notebook: Any) -> str:
    import nbformat

    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"
