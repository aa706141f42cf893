"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- Made by `make generate`; change the source instead. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; cells are escaped, an empty one is a dash."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """Return the text in code font."""
    return f"`{text}`"


def page(*parts: str) -> str:
    """Return a page of paragraphs, with the note that it is generated."""
    return "\n\n".join([NOTE, *(part.strip("\n") for part in parts if part)]) + "\n"


def _cell(cell: object) -> str:
    text = " ".join(str(cell).split())
    return text.replace("|", "\\|") if text else "-"
