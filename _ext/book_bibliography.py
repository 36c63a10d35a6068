"""Sphinx extension: entries of the bibliography are labelled as the text cites them: Goodfellow et al. 2014."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style as Unsorted
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting.author_year_title import SortingStyle
from sphinx.application import Sphinx

STYLE = "book_author_year"


def label(entry: Entry) -> str:
    """'Arjovsky and Bottou 2017', 'Heusel et al. 2017': last names, as many as the text gives."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join([*person.prelast_names, *person.last_names]) for person in people]
    names = [Text.from_latex(name).render_as("text") for name in names]
    who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return f"{who or entry.fields.get('title', entry.key)} {entry.fields.get('year', '')}".strip()


class AuthorYear(BaseLabelStyle):
    """Labels of authors and year; a, b, c where two entries would have the same."""

    def format_labels(self, sorted_entries: Iterable[Entry]) -> Iterator[str]:
        labels = [label(entry) for entry in sorted_entries]
        all_of, before = Counter(labels), Counter[str]()
        for one in labels:
            yield one + (chr(ord("a") + before[one]) if all_of[one] > 1 else "")
            before[one] += 1


class Style(Unsorted):
    """Plain references, labelled and sorted by author and year."""

    default_label_style = AuthorYear
    default_sorting_style = SortingStyle


def setup(app: Sphinx) -> dict[str, Any]:
    register_plugin("pybtex.style.formatting", STYLE, Style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
