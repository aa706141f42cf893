"""Compute: static routes."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Any

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.links import same_thing


class Route(GcpResource):
    token = "gcp:compute/route:Route"

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return super().alike(path, old, new) or (path == "nextHopIlb" and same_thing(old, new))
