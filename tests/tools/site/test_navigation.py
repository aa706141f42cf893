"""A folder in the navigation is its pages."""

from __future__ import annotations

import pytest

from tools.site.navigation import expanded

PAGES = ["adr/0002.md", "adr/0001.md", "adr/README.md", "index.md"]


def test_folder_is_its_pages_with_its_readme_first() -> None:
    assert expanded([{"Decisions": ["adr/"]}, "index.md"], PAGES) == [
        {"Decisions": ["adr/README.md", "adr/0001.md", "adr/0002.md"]},
        "index.md",
    ]


def test_pages_of_a_folder_are_between_its_neighbours() -> None:
    assert expanded(["index.md", "adr/", "last.md"], PAGES)[1] == "adr/README.md"
    assert expanded(["index.md", "adr/", "last.md"], PAGES)[-1] == "last.md"


def test_folder_without_pages_is_refused() -> None:
    with pytest.raises(ValueError, match="nav: nothing/: no page is in this folder"):
        expanded(["nothing/"], PAGES)
