"""The navigation: a folder in `nav` of mkdocs.yml stands for its pages, so that a new page needs no entry."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_INDEX = "README.md"


def expanded(entry: Any, pages: Collection[str]) -> Any:
    """Return an entry of the navigation, or a list of them, with the pages of a folder instead of `folder/`.

    pages: paths of all pages. A folder's README.md comes first; one without pages is a ValueError.
    """
    if isinstance(entry, dict):
        return {title: expanded(value, pages) for title, value in entry.items()}
    if isinstance(entry, list):
        expansions = [(item, expanded(item, pages)) for item in entry]
        return [
            page
            for item, expansion in expansions
            for page in (expansion if isinstance(item, str) and isinstance(expansion, list) else [expansion])
        ]
    if not str(entry).endswith("/"):
        return entry
    inside = [page for page in pages if page.startswith(entry)]
    if not inside:
        raise ValueError(f"mkdocs.yml: nav: {entry}: no page is in this folder")
    return sorted(inside, key=lambda page: (page != f"{entry}{_INDEX}", page))
