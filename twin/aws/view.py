"""AWS as the simulation around the control plane sees it: `connect(world)`.

What it asks is answered by twin/aws/eks/sight.py.
"""

from __future__ import annotations

from twin.kubernetes.remote_view import FrontError, RemoteView
from twin.kubernetes.view import CloudView
from twin.world import World

__all__ = ["AwsView", "FrontError", "connect"]


class AwsView(RemoteView):
    """A world's AWS."""

    SHORT = frozenset({"InsufficientInstanceCapacity"})
    DENIED = frozenset({"AccessDenied"})


def connect(world: World) -> CloudView:
    """The view of a world's AWS; nothing is asked yet."""
    return AwsView(world)
