"""MyST, in which the chapters are written, as the plain Markdown that Colab and JupyterLab show.

Labels go, roles become text (links, where there is an address), directives become block quotes. What this file does not
know is an error that names it: nothing reaches a reader half translated.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

KINDS = {
    "prf:theorem": "Theorem",
    "prf:lemma": "Lemma",
    "prf:corollary": "Corollary",
    "prf:definition": "Definition",
    "prf:algorithm": "Algorithm",
    "prf:example": "Example",
    "prf:remark": "Remark",
    "prf:proof": "Proof",
    "note": "Note",
    "tip": "Tip",
    "hint": "Hint",
    "important": "Important",
    "warning": "Warning",
    "caution": "Caution",
    "seealso": "See also",
    "admonition": "",
    "live": "Live on the page of the book",
}
FENCE = re.compile(r"( *)(:{3,}|`{3,}|~{3,})(?:\{([\w:.-]+)\})?[ ]*(.*)")
LABEL = re.compile(r"^\(([\w-]+)\)=[ ]*\n?", re.MULTILINE)
EQUATION = re.compile(r"(\$\$(?:(?!\$\$).)+?)(\s*)\$\$[ ]*\(([\w-]+)\)", re.DOTALL)
ROLE = re.compile(r"\{([\w:.-]+)\}`([^`]+)`")
VERBATIM = re.compile(r"(\$\$.*?\$\$|\$[^$]+\$|`[^`]+`)", re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s]+)\)")


class Work(NamedTuple):
    """A work that chapters cite: its authors as a text names them, its year, its address ("" without one)."""

    authors: str
    year: str
    address: str


class References(NamedTuple):
    """What labels mean, over all chapters."""

    equations: Mapping[str, str]  # "eq-03-best" -> "3.8"
    figures: Mapping[str, str]  # "fig-12-digits" -> "12.9"
    titles: Mapping[str, str]  # "sec-11-clinic" -> "9 · The clinic"; of theorems too
    works: Mapping[str, Work]


def plain(text: str, references: References, address: Callable[[str], str] = str) -> str:
    """Return a text of MyST as plain Markdown; `address` says where a file that it links to lies.

    Raises ValueError for a role or directive that is not known here, KeyError for a label that leads nowhere.
    """
    parts = []
    for kind, argument, block in _blocks(text.split("\n")):
        if kind == "code":
            parts.append(block)
        elif kind == "text":
            parts.append(_links(_roles(_equations(LABEL.sub("", block), references), references), address))
        else:
            parts.append(_quoted(kind, argument, plain(block, references, address)))
    return "\n".join(parts)


def plain_code(source: str, references: References) -> str:
    """Return code whose strings hold roles, as in Markdown(f"… {{cite:p}}`key` …"), with these as plain text."""
    known = "|".join(map(re.escape, ROLES))
    return re.sub(rf"\{{+({known})\}}+`([^`]+)`", lambda found: _role(found[1], found[2], references), source)


def labelled_equations(text: str) -> list[str]:
    """Return the labels of a text's equations, in their order."""
    return [found[3] for found in EQUATION.finditer(text)]


def labelled_titles(text: str) -> dict[str, str]:
    """Return the titles that have a label: of sections, and of theorems and their like."""
    sections = re.findall(r"^\(([\w-]+)\)=\s*\n#+ (.+)$", text, re.MULTILINE)
    proven = re.findall(r"^:{3,}\{(prf:\w+)\} *(.*)\n:label: *([\w-]+)$", text, re.MULTILINE)
    return dict(sections) | {label: _title(kind, argument) for kind, argument, label in proven}


def _blocks(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    """Cut a text into (kind, argument, lines): "text", "code" (a fence, whole), or a directive by its name."""
    text: list[str] = []
    while lines:
        line, *lines = lines
        fence = FENCE.fullmatch(line)
        if not fence or (fence[2][0] == ":" and not fence[3]):
            text.append(line)
            continue
        if text:
            yield "text", "", "\n".join(text)
            text = []
        closing = re.compile(rf" *{re.escape(fence[2][0])}{{{len(fence[2])},}} *")
        end = next((k for k, other in enumerate(lines) if closing.fullmatch(other)), len(lines))
        inside, lines = lines[:end], lines[end + 1 :]
        if fence[3]:
            yield fence[3], fence[4], "\n".join(_without_options(inside))
        else:
            yield "code", "", "\n".join([line, *inside, fence[1] + fence[2]])
    if text:
        yield "text", "", "\n".join(text)


def _without_options(lines: list[str]) -> list[str]:
    first = next((k for k, line in enumerate(lines) if not re.match(r":[\w-]+:", line)), len(lines))
    return lines[first:]


def _title(kind: str, argument: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"plain copies know no directive {{{kind}}}; have {', '.join(KINDS)}")
    return f"{KINDS[kind]} ({argument})" if KINDS[kind] and argument else KINDS[kind] or argument


def _quoted(kind: str, argument: str, body: str) -> str:
    lines = [f"**{_title(kind, argument)}.**", "", *body.strip().split("\n")]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _equations(text: str, references: References) -> str:
    return EQUATION.sub(lambda found: rf"{found[1]}{found[2]}\tag{{{references.equations[found[3]]}}}$$", text)


def _roles(text: str, references: References) -> str:
    return ROLE.sub(lambda found: _role(found[1], found[2], references), text)


def _role(name: str, body: str, references: References) -> str:
    if name not in ROLES:
        raise ValueError(f"plain copies know no role {{{name}}}`{body}`; have {', '.join(ROLES)}")
    return ROLES[name](body, references)


def _cite_in_text(keys: str, references: References) -> str:
    works = [references.works[key.strip()] for key in keys.split(",")]
    return "; ".join(_linked(f"{work.authors} ({work.year})", work.address) for work in works)


def _cite_in_brackets(keys: str, references: References) -> str:
    works = [references.works[key.strip()] for key in keys.split(",")]
    return f"({'; '.join(_linked(f'{work.authors}, {work.year}', work.address) for work in works)})"


def _linked(text: str, address: str) -> str:
    return f"[{text}]({address})" if address else text


def _numbered_figure(body: str, references: References) -> str:
    words, label = re.fullmatch(r"(?:(.*?)\s*<)?([\w-]+)>?", body, re.DOTALL).groups()  # type: ignore[union-attr]
    return (words or "Figure %s").replace("%s", references.figures[label])


def _reference(body: str, references: References) -> str:
    words, label = re.fullmatch(r"(?:(.*?)\s*<)?([\w-]+)>?", body, re.DOTALL).groups()  # type: ignore[union-attr]
    return words or f"“{references.titles[label]}”"


def _links(text: str, address: Callable[[str], str]) -> str:
    """Links to files lead where `address` says; links to a label (no file) are their text alone."""
    parts = VERBATIM.split(text)
    for k in range(0, len(parts), 2):  # between them stand maths and code, where [a](b) is no link
        part = re.sub(r"(?<!!)\[([^\]]*)\]\(([\w-]+)\)", r"\1", parts[k])
        parts[k] = LINK.sub(lambda found: f"]({address(found[1])})", part)
    return "".join(parts)


ROLES: dict[str, Callable[[str, References], str]] = {
    "cite:t": _cite_in_text,
    "cite:p": _cite_in_brackets,
    "eq": lambda body, references: f"({references.equations[body]})",
    "numref": _numbered_figure,
    "ref": _reference,
    "prf:ref": _reference,
}
