"""Write the repository's address wherever it stands: `make set-repository URL=https://github.com/YOU/NAME`.

The address that stands now is read from _config.yml, its one home. Needs nothing but Python.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ADDRESS = re.compile(r"https://github\.com/([A-Za-z0-9-]+)/([A-Za-z0-9._-]+?)(?:\.git)?/?")
CONFIGURED = re.compile(r"^repository:\n(?:[ #].*\n)*?  url: (\S+)$", re.MULTILINE)
SKIPPED = {".git", ".venv", "_build", "cache", "node_modules", "__pycache__"}


def parse(url: str) -> tuple[str, str]:
    """'https://github.com/you/name' -> ('you', 'name'); ValueError for what Colab and Binder could not open."""
    found = ADDRESS.fullmatch(url.strip())
    if found is None:
        raise ValueError(f"not a GitHub address: {url!r}; write URL=https://github.com/YOU/NAME")
    return found[1], found[2]


def configured(root: Path) -> tuple[str, str]:
    """The (owner, name) that _config.yml names."""
    found = CONFIGURED.search((root / "_config.yml").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("_config.yml has no repository: url: line; restore it from git")
    return parse(found[1])


def text_files(root: Path) -> Iterator[tuple[Path, str]]:
    """Every file of the checkout that is text, with its text; not the environment, the build or the data cache."""
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if name not in SKIPPED)
        for name in sorted(names):
            path = Path(folder, name)
            try:
                yield path, path.read_bytes().decode("utf-8")
            except (UnicodeDecodeError, OSError):
                continue


def set_repository(root: Path, url: str) -> list[Path]:
    """Replace the configured address by `url` in every text file, and return the files that changed."""
    (owner, name), (new_owner, new_name) = configured(root), parse(url)
    here = re.compile(rf"(?<![\w.-]){re.escape(owner)}/{re.escape(name)}(?![\w-])")
    pages = re.compile(rf"(?<![\w.-]){re.escape(owner)}\.github\.io/{re.escape(name)}(?![\w-])")
    changed = []
    for path, text in text_files(root):
        new = here.sub(f"{new_owner}/{new_name}", text)
        new = pages.sub(f"{new_owner}.github.io/{new_name}", new)
        if new != text:
            path.write_bytes(new.encode("utf-8"))
            changed.append(path)
    return changed


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parent.parent
    try:
        changed = set_repository(root, arguments[0] if arguments else "")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for path in changed:
        print(path.relative_to(root))
    print(f"{len(changed)} files changed" if changed else "the address stood there already")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
