"""Diagrams as SVG, drawn when the site is built.

Pages contain flowcharts in Mermaid's syntax, which Git hosts draw. Mermaid's own program is JavaScript of 3
MB that a theme loads from another host; the flowcharts of these pages are few and simple, so that the site
contains pictures.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from tools.site.flowcharts import LINE, PADDING, Node, parse
from tools.site.layout import Point, placed

_ARROWHEAD: Final = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)


def fence(source: str, *_: Any, **__: Any) -> str:
    """Return the HTML of a fence, as a formatter of pymdownx.superfences."""
    return rendered(source)


def rendered(source: str) -> str:
    """Return a diagram as HTML: a picture that fits the page, and a switch to its full size."""
    chart = parse(source)
    sideways = chart.direction in ("RL", "LR")
    # Against the direction of writing, an arrow leads to an earlier layer.
    backward = chart.direction in ("BT", "RL")

    def turned(across: float, along: float) -> Point:
        return (along, across) if sideways else (across, along)

    layout = placed(
        {key: turned(node.width, node.height) for key, node in chart.nodes.items()},
        [(end, start) if backward else (start, end) for start, end in chart.edges],
    )
    width, height = turned(layout.across, layout.along)
    parts = [_ARROWHEAD]
    for path in layout.paths:
        points = [turned(*point) for point in path]
        parts.append(_arrow(points[::-1] if backward else points, sideways))
    for key, node in chart.nodes.items():
        x, y = turned(*layout.centers[key])
        parts.extend(_box(node, x, y - node.height / 2))
    names = html.escape(", ".join(node.lines[0] for node in chart.nodes.values()))
    return (
        '<figure class="diagram"><label><input type="checkbox"> full size</label>'
        '<div tabindex="0" role="group" aria-label="Diagram">'
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{names}">{"".join(parts)}</svg></div></figure>'
    )


def _box(node: Node, x: float, top: float) -> Iterator[str]:
    """Draw a box and those within it below its lines. x: its center."""
    left = x - node.width / 2
    yield f'<g class="node"><rect x="{left:.1f}" y="{top:.1f}" rx="4"'
    yield f' width="{node.width:.1f}" height="{node.height:.1f}"/>'
    for number, line in enumerate(node.lines):
        kind = "" if number else ' class="title"'
        yield f'<text{kind} x="{x:.1f}" y="{top + (number + 1) * LINE:.1f}">{html.escape(line)}</text>'
    top += node.height_of_text + PADDING
    for inner in node.inner:
        yield from _box(inner, x, top)
        top += inner.height + PADDING / 2
    yield "</g>"


def _arrow(points: Sequence[Point], sideways: bool) -> str:
    parts = ["M{:.1f} {:.1f}".format(*points[0])]
    for (x, y), (next_x, next_y) in pairwise(points):
        if sideways:
            middle = (x + next_x) / 2
            curve = (middle, y, middle, next_y)
        else:
            middle = (y + next_y) / 2
            curve = (x, middle, next_x, middle)
        parts.append("C" + " ".join(f"{number:.1f}" for number in (*curve, next_x, next_y)))
    return f'<path class="arrow" d="{"".join(parts)}" marker-end="url(#arrow)"/>'
