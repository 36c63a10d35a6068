"""Tables for a page: which columns are numbers, what is shown, and what needs Markdown."""

import pytest

from gan_lessons import plotting

TABLE = plotting.table(
    ["", "factor", "n", "verdict"],
    [
        ["larger *D*", "×0.85 (0.80 to 0.91)", -5, "**better**"],
        ["a|b", "×1.2 (1.0 to 1.4)", "12,000", "`no` 1 < 2"],
        ["c", "–", "", "3"],
    ],
)


def test_columns_of_numbers_are_aligned_to_the_right_and_the_first_column_never() -> None:
    assert TABLE._repr_markdown_().splitlines() == [
        "|  | factor | n | verdict |",
        "| --- | ---: | ---: | --- |",
        "| larger *D* | ×0.85 (0.80 to 0.91) | −5 | **better** |",
        "| a\\|b | ×1.2 (1.0 to 1.4) | 12,000 | `no` 1 < 2 |",
        "| c | – |  | 3 |",
    ]
    numbers = plotting.table(["n", "x"], [[1, 2], [3, 4]])
    assert numbers._repr_markdown_().splitlines()[1] == "| --- | ---: |"


@pytest.mark.parametrize(
    "cell",
    ["12", "1,234.5", "−3", "+0.2", "**0.9**", "×1.2", "12.3 ± 1.9", "5 (4 to 6, 5 seeds)", "99.5 %", "1e−05", "±2"],
)
def test_what_is_a_number(cell: str) -> None:
    assert "---:" in plotting.table(["", "x"], [["a", cell]])._repr_markdown_()


@pytest.mark.parametrize("cell", ["3 of 8", "better", "2026-11-28", "a 3", "5 seeds", "–", ""])
def test_what_is_no_number(cell: str) -> None:
    assert "---:" not in plotting.table(["", "x"], [["a", cell]])._repr_markdown_()


def test_only_a_minus_before_a_number_becomes_a_true_one() -> None:
    cells = plotting.table(["x"] * 5, [["-5", "(-0.5 to -.1)", "2026-11-28", "one-sided", "a-1"]]).rows[0]
    assert cells == ("−5", "(−0.5 to −.1)", "2026-11-28", "one-sided", "a-1")


def test_html_has_headers_of_rows_and_columns_and_an_empty_corner_is_none() -> None:
    table = plotting.table(["", "n"], [["**a** & `b`", "-5"], ["", "7"]])
    shown = table._repr_html_()
    assert shown is not None
    assert '<thead><tr><td style="text-align: left"></td><th scope="col" style="text-align: right">n</th></tr>' in shown
    assert (
        '<th scope="row" style="text-align: left; font-weight: normal"><strong>a</strong> &amp; <code>b</code></th>'
        in shown
    )
    assert shown.count("scope=") == 2  # a row without a name has no header
    assert shown.count('<td style="text-align: right">') == 2


@pytest.mark.parametrize("cell", ["$n$", "[a](b)", "{cite}`goodfellow2014`", "1 < 2"])
def test_a_table_with_maths_links_or_roles_is_left_to_markdown(cell: str) -> None:
    assert plotting.table(["", "x"], [["a", cell]])._repr_html_() is None


def test_a_row_that_is_not_as_long_as_the_head_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the head has 2 cells, but \['a'\] has 1"):
        plotting.table(["", "x"], [["a"]])


def test_printed_it_is_plain_text_in_columns() -> None:
    assert str(plotting.table(["", "n"], [["a", "5"], ["bcd", "1,000"]])).splitlines() == [
        "         n",
        "a        5",
        "bcd  1,000",
    ]
