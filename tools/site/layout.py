"""Places of boxes and arrows, in layers by the arrows: grandalf's form of Sugiyama's algorithm.

Coordinates are pairs of across and along: along is the direction from layer to layer.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from grandalf.graphs import Edge, Graph, Vertex  # pyright: ignore[reportMissingImports] - in the group docs
from grandalf.layouts import SugiyamaLayout  # pyright: ignore[reportMissingImports]

Point = tuple[float, float]

MARGIN: Final = 10
_GAP_OF_NODES: Final = 14
_GAP_OF_LAYERS: Final = 70
_ROUNDS: Final = 20
"""Rounds that reduce the crossings of arrows."""


@dataclass
class Layout:
    """Where things are."""

    centers: dict[Hashable, Point] = field(default_factory=dict)
    paths: list[list[Point]] = field(default_factory=list)
    """The points of each arrow, from the earlier layer to the later one."""
    across: float = 0
    along: float = 0


@dataclass
class _Box:
    """What grandalf reads and writes of a box."""

    w: float
    h: float
    xy: Point = (0, 0)


class _Line:
    """What grandalf writes of an arrow."""

    points: Sequence[Point] = ()

    def setpath(self, points: Sequence[Point]) -> None:
        self.points = points


def placed(sizes: Mapping[Hashable, Point], edges: Sequence[tuple[Hashable, Hashable]]) -> Layout:
    """Return the places of boxes of these sizes, and of arrows from earlier to later layers."""
    vertices = {key: Vertex(key) for key in sizes}
    for key, vertex in vertices.items():
        vertex.view = _Box(*sizes[key])
    lines = [Edge(vertices[start], vertices[end]) for start, end in edges]
    for line in lines:
        line.view = _Line()
    layout = Layout(across=MARGIN)
    # Parts without a connection are next to each other.
    for part in Graph(list(vertices.values()), lines).C:
        _place(part, layout)
    layout.across += MARGIN - _GAP_OF_NODES
    layout.along += 2 * MARGIN
    return layout


def _place(part: Any, layout: Layout) -> None:
    sugiyama = SugiyamaLayout(part)
    sugiyama.xspace = _GAP_OF_NODES
    sugiyama.yspace = _GAP_OF_LAYERS
    sugiyama.init_all(roots=[vertex for vertex in part.sV if not vertex.e_in()], optimize=True)
    sugiyama.draw(_ROUNDS)
    boxes = {vertex.data: vertex.view for vertex in part.sV}
    # The first and the last point are the centers of boxes; those between them go around other boxes.
    bends = [point for line in part.sE for point in line.view.points[1:-1]]
    left = min([box.xy[0] - box.w / 2 for box in boxes.values()] + [x for x, _ in bends])
    right = max([box.xy[0] + box.w / 2 for box in boxes.values()] + [x for x, _ in bends])
    top = min(box.xy[1] - box.h / 2 for box in boxes.values())
    bottom = max(box.xy[1] + box.h / 2 for box in boxes.values())

    def moved(across: float, along: float) -> Point:
        return across - left + layout.across, along - top + MARGIN

    for line in part.sE:
        start, end = (vertex.view for vertex in line.v)
        ends = (start.xy[0], start.xy[1] + start.h / 2), (end.xy[0], end.xy[1] - end.h / 2)
        layout.paths.append([moved(*point) for point in (ends[0], *line.view.points[1:-1], ends[1])])
    layout.centers.update({key: moved(*box.xy) for key, box in boxes.items()})
    layout.across += right - left + _GAP_OF_NODES
    layout.along = max(layout.along, bottom - top)
