"""Google Cloud as the simulation around the control plane sees it: `connect(world)`.

What it asks is answered by twin/gcp/gke/sight.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from twin.kubernetes.remote_view import RemoteView
from twin.kubernetes.view import SelfScalingView
from twin.world import World


class GcpView(RemoteView):
    """A world's Google Cloud."""

    SHORT = frozenset({"resourcePoolExhausted"})
    DENIED = frozenset({"forbidden"})

    def autoscaling_profile(self) -> str:
        """The cluster's autoscaling profile."""
        return self.ask("settings")["autoscaling_profile"]

    def grow_for(self, request: str, sizes: Mapping[str, int]) -> None:
        """Set the sizes of several groups, all or none."""
        self.ask("grow_for", request=request, sizes=dict(sizes))


def connect(world: World) -> SelfScalingView:
    """The view of a world's Google Cloud; nothing is asked yet."""
    return GcpView(world)
