"""Flowcharts: the part of Mermaid's language that pages of the documentation use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_HEADER: Final = re.compile(r"flowchart (?P<direction>BT|TB|RL|LR)")
_NODE: Final = re.compile(r'(?P<begin>subgraph )?(?P<key>\w+)\["(?P<label>[^"]*)"\]')
_EDGE: Final = re.compile(r"(?P<start>\w+) --> (?P<end>\w+)")
PADDING: Final = 10
LINE: Final = 17
"""The height of a line of text in pixels."""
_TITLE: Final = 8.2
"""Pixels of a character of a title, at the most."""
_TEXT: Final = 6.6
"""Pixels of a character of the smaller lines below it."""


class DiagramError(ValueError):
    """A line of a diagram that is not supported here."""


@dataclass
class Node:
    """A box: lines of text, and boxes below them."""

    lines: Sequence[str]
    inner: list[Node] = field(default_factory=list)

    @property
    def width(self) -> float:
        """The width in pixels."""
        sizes = (_TITLE, *(_TEXT for _ in self.lines[1:]))
        text = max(len(line) * size for line, size in zip(self.lines, sizes, strict=True))
        return max([text, *(node.width for node in self.inner)]) + 2 * PADDING

    @property
    def height_of_text(self) -> float:
        """The height of its lines in pixels."""
        return len(self.lines) * LINE

    @property
    def height(self) -> float:
        """The height in pixels."""
        inner = sum(node.height + PADDING / 2 for node in self.inner)
        return self.height_of_text + inner + 1.5 * PADDING


@dataclass
class Flowchart:
    """What a diagram states."""

    direction: str
    nodes: Mapping[str, Node]
    """The outer boxes by their keys."""
    edges: Sequence[tuple[str, str]]


def parse(source: str) -> Flowchart:
    """Return what the text of a flowchart states. Raise DiagramError for a line that is not supported."""
    first, *lines = [line.strip() for line in source.splitlines() if line.strip()]
    header = _HEADER.fullmatch(first)
    if header is None:
        raise DiagramError(f"{first!r}: expected `flowchart` with BT, TB, RL or LR")
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    outer: Node | None = None
    for line in lines:
        if line == "end" and outer:
            outer = None
        elif match := _NODE.fullmatch(line):
            node = Node(match["label"].split("<br/>"))
            if outer is None:
                nodes[match["key"]] = node
            elif match["begin"]:
                raise DiagramError(f"{line!r}: expected no subgraph within another one")
            else:
                outer.inner.append(node)
            outer = node if match["begin"] else outer
        elif match := _EDGE.fullmatch(line):
            edges.append((match["start"], match["end"]))
        else:
            raise DiagramError(f'{line!r}: expected KEY["LABEL"], subgraph KEY["LABEL"], end or KEY --> KEY')
    if outer:
        raise DiagramError(f"{outer.lines[0]}: expected `end`")
    unknown = {key for edge in edges for key in edge} - nodes.keys()
    if unknown:
        raise DiagramError(f"arrows of {', '.join(sorted(unknown))}: expected keys of outer boxes")
    return Flowchart(header["direction"], nodes, edges)
