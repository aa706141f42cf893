"""Lists are written as Python-Markdown reads them; `make docs` compares every page that it rendered."""

from __future__ import annotations

import pytest

from tools.site.commonmark import adapted


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        pytest.param("text\n- one\n", "text\n\n- one\n", id="a list behind a paragraph"),
        pytest.param("- one\n  - two\n", "- one\n\n    - two\n", id="a list in a list"),
        pytest.param("1. one\n\n       code\n", "1. one\n\n        code\n", id="code in an item"),
        pytest.param("10. one\n    two\n", "10. one\n    two\n", id="a wide marker"),
        pytest.param(
            "- one\n\n  more\n- two\n", "- one\n\n    more\n\n- two\n", id="an item of two paragraphs"
        ),
        pytest.param("- one\nmore\n", "- one\n    more\n", id="a line that continues the paragraph"),
    ],
)
def test_list_is_indented_by_four_columns(markdown: str, expected: str) -> None:
    assert adapted(markdown) == expected


@pytest.mark.parametrize(
    "text", ["a\nb\n", "    code\n    - no list\n", "```\ntext\n- no list\n```\n", "# a\n\n| a |\n|---|\n"]
)
def test_page_without_lists_is_unchanged(text: str) -> None:
    assert adapted(text) == text


def test_table_in_an_item_has_a_blank_line_before_it() -> None:
    assert adapted("- one\n  | a |\n  |---|\n") == "- one\n\n    | a |\n    |---|\n"
