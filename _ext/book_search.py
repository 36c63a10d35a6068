"""Sphinx extension: a search that finds "Frechet" where the book says "Fréchet", and says which chapter it is in."""

import unicodedata
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish


def without_accents(word: str) -> str:
    """'Fréchet' -> 'Frechet'."""
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))


class English(SearchEnglish):
    """English, in which a word with accents is found without them too."""

    def split(self, input: str) -> list[str]:
        found = super().split(input)
        return found + [plain for word in found if (plain := without_accents(word)) != word]


def number_chapters(app: Sphinx) -> list[Any]:
    """Put the chapter's number before its name in the index, from which the results are written; adds no page."""
    indexer: Any = getattr(app.builder, "indexer", None)
    if indexer is None:
        return []
    for page, numbers in app.env.toc_secnumbers.items():
        if page in indexer._titles and numbers.get(""):
            plain = app.env.titles[page].astext()
            named = f"{numbers[''][0]}. {plain}"
            indexer._titles[page] = named
            titles = indexer._all_titles.get(page, [])
            indexer._all_titles[page] = [(named if title == plain else title, anchor) for title, anchor in titles]
    return []


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_search_language(English)
    app.connect("html-collect-pages", number_chapters)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
