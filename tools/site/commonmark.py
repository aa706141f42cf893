"""CommonMark, as Git hosts read pages, in the form that Python-Markdown, which MkDocs uses, reads alike.

Python-Markdown wants a blank line between a paragraph and a list, and four columns for each level of a list,
whatever the width of its marker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from markdown_it import MarkdownIt

PARSER: Final = MarkdownIt("commonmark").enable("table")
_MARKER: Final = re.compile(r"(?P<indent>\s*)(?P<marker>[-*+]|\d{1,9}[.)])(?P<space>\s*)")
_LEVEL: Final = 4
_WIDEST_SPACE: Final = 4
"""With more spaces behind a marker, they belong to a block of code, which begins one column behind it."""


@dataclass
class _Line:
    """How a line is rewritten."""

    depth: int = 0
    """The number of list items that contain it."""
    column: int = 0
    """The column where the content of its innermost item begins."""
    markers: list[str] = field(default_factory=list)
    """The markers of the items that begin here."""
    begins_list: bool = False
    begins_block: bool = False


def adapted(markdown: str) -> str:
    """Return Markdown whose lists Python-Markdown reads as CommonMark does."""
    texts = markdown.splitlines()
    lines = _lines(markdown, texts)
    written: list[str] = []
    for line, text in zip(lines, texts, strict=True):
        if (line.begins_list or line.begins_block) and written and written[-1].strip():
            written.append("")
        # A line that continues a paragraph may be indented less than its item.
        content = text[line.column :] if not text[: line.column].strip() or line.markers else text.lstrip()
        prefix = " " * _LEVEL * (line.depth - len(line.markers))
        # Markers that begin on one line (`- - x`) are columns of one level each.
        prefix += "".join(marker.ljust(_LEVEL) for marker in line.markers[:-1])
        prefix += "".join(f"{marker} " for marker in line.markers[-1:])
        written.append((prefix + content).rstrip() if line.depth and text.strip() else text)
    return "\n".join(written) + "\n"


def _lines(markdown: str, texts: list[str]) -> list[_Line]:
    lines = [_Line() for _ in texts]
    for token in PARSER.parse(markdown):
        if token.map is None:
            continue
        first, end = token.map
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lines[first].begins_list = True
        elif token.type == "list_item_open":
            _add_item(lines[first:end], texts[first])
            # The next item would continue the last paragraph of this one.
            if end < len(lines) and not all(text.strip() for text in texts[first:end]):
                lines[end].begins_block = True
        elif token.type in ("fence", "code_block", "table_open") and not lines[first].markers:
            lines[first].begins_block = True
    return lines


def _add_item(lines: list[_Line], text: str) -> None:
    """Note a list item on the lines that it consists of."""
    before = lines[0].column
    marker = _MARKER.match(text, before)
    if marker is None:
        raise ValueError(f"expected a list item: {text!r}")
    space = len(marker["space"])
    column = marker.end("marker") + (space if 0 < space <= _WIDEST_SPACE else 1)
    for line in lines:
        line.depth += 1
        line.column = column
    lines[0].markers.append(marker["marker"])
