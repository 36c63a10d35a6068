"""MyST as plain Markdown, piece by piece."""

import pytest

from gan_lessons.plain_markdown import (
    References,
    Work,
    labelled_equations,
    labelled_titles,
    plain,
    plain_code,
)
from tests.chapters import leftovers

KNOWN = References(
    equations={"eq-03-best": "3.8"},
    figures={"fig-12-digits": "12.9"},
    titles={"sec-11-clinic": "9 · The clinic", "thm-03-best": "Theorem (The best)"},
    works={"one": Work("Lin", "1991", "https://doi.org/1"), "many": Work("Shah et al.", "2020", "")},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain *words*, `code` and {braces}", "plain *words*, `code` and {braces}"),
        ("{cite:t}`one` says", "[Lin (1991)](https://doi.org/1) says"),
        ("so {cite:p}`one, many`.", "so ([Lin, 1991](https://doi.org/1); Shah et al., 2020)."),
        ("the rule {eq}`eq-03-best` does", "the rule (3.8) does"),
        ("as in {numref}`fig-12-digits`", "as in Figure 12.9"),
        ("{numref}`the picture %s <fig-12-digits>`", "the picture 12.9"),
        ("{ref}`sec-11-clinic`, {ref}`there <sec-11-clinic>`", "“9 · The clinic”, there"),
        ("by {prf:ref}`thm-03-best`", "by “Theorem (The best)”"),
        ("(sec-11-clinic)=\n## 9 · The clinic", "## 9 · The clinic"),
        ("$$ x $$ (eq-03-best)", "$$ x \\tag{3.8}$$"),
        ("$$\n{aligned}\nx\n$$ (eq-03-best)", "$$\n{aligned}\nx\n\\tag{3.8}$$"),
        ("$$ a $$ and $$ b $$ (eq-03-best)", "$$ a $$ and $$ b \\tag{3.8}$$"),
        ("see [the clinic](sec-11-clinic)", "see the clinic"),
        ("[05](05_mlp_gan.ipynb), ![a](figures/a.svg)", "[05](<05_mlp_gan.ipynb>), ![a](<figures/a.svg>)"),
        ("$E[x](n)$, $$\na[k](b)\n$$ and `f[0](x)`", "$E[x](n)$, $$\na[k](b)\n$$ and `f[0](x)`"),
        ("[home](https://example.org) [here](#x)", "[home](https://example.org) [here](#x)"),
        (
            ":::{prf:theorem} The best\n:label: thm-a\n\nBy {eq}`eq-03-best`.\n\n$$ x $$ (eq-03-best)\n:::\nAfter.",
            "> **Theorem (The best).**\n>\n> By (3.8).\n>\n> $$ x \\tag{3.8}$$\nAfter.",
        ),
        (":::{prf:proof}\nShort.\n:::", "> **Proof.**\n>\n> Short."),
        (
            "```{live} ring\n:preset: circles\n:still: a.png\n\nIt plays.\n```",
            "> **Live on the page of the book (ring).**\n>\n> It plays.",
        ),
        ("```{admonition} My own title\nText.\n```", "> **My own title.**\n>\n> Text."),
        ("::::{note}\n:::{tip}\nInside.\n:::\n::::", "> **Note.**\n>\n> > **Tip.**\n> >\n> > Inside."),
        ("```python\nx = {cite:t}`one`\n(a)=\n```", "```python\nx = {cite:t}`one`\n(a)=\n```"),
        ("<details>\n\n{eq}`eq-03-best`\n\n</details>", "<details>\n\n(3.8)\n\n</details>"),
    ],
)
def test_each_piece_of_myst_becomes_plain(text: str, expected: str) -> None:
    assert plain(text, KNOWN, lambda name: f"<{name}>") == expected


def test_code_keeps_everything_but_the_roles_in_its_strings() -> None:
    code = 'Markdown(f"""{x}`y` {{cite:p}}`one`; {{eq}}`eq-03-best`""")\ny = {eq: 1}'
    expected = 'Markdown(f"""{x}`y` ([Lin, 1991](https://doi.org/1)); (3.8)""")\ny = {eq: 1}'
    assert plain_code(code, KNOWN) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{doc}`05`", r"no role \{doc\}`05`; have cite:t"),
        ("```{figure} a.png\n```", r"no directive \{figure\}; have prf:theorem"),
    ],
)
def test_what_nobody_has_taught_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plain(text, KNOWN)


@pytest.mark.parametrize("text", ["{eq}`nowhere`", "{cite:t}`nobody`", "$$ x $$ (eq-none)", "{numref}`fig-none`"])
def test_a_label_that_leads_nowhere_is_an_error(text: str) -> None:
    with pytest.raises(KeyError):
        plain(text, KNOWN)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a {role}`x` b", 1),
        ("{{cite:p}}`x`", 1),
        ("(sec-a)=\n# A", 1),
        (":::{note}\nx\n:::", 2),
        ("```{note}\nx\n```", 1),
        ("$$ x $$ (eq-a)", 1),
        ("```python\nx\n```\n`a` {b} (c) = d $$ x $$", 0),
    ],
)
def test_leftovers_are_found(text: str, found: int) -> None:
    assert len(leftovers(text)) == found


def test_labels_are_found_in_their_order() -> None:
    text = "(sec-a)=\n## A title\n\n$$ x $$ (eq-b)\n\n$$ y $$\n\n$$ z $$ (eq-a)\n\n:::{prf:lemma} L\n:label: lem-a\n:::"
    assert labelled_equations(text) == ["eq-b", "eq-a"]
    assert labelled_titles(text) == {"sec-a": "A title", "lem-a": "Lemma (L)"}
