"""Google Cloud as the simulation around the control plane sees it: `connect(instance)`.

What it asks is answered by twin/gcp/services/container/operations/controller_api.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from twin.instances import Instance
from twin.kubernetes.cloud_client import RemoteView
from twin.kubernetes.cloud_interface import SelfScalingView


class GcpView(RemoteView):
    """An instance's Google Cloud."""

    SHORT = frozenset({"resourcePoolExhausted", "quotaExceeded"})
    DENIED = frozenset({"forbidden"})

    def autoscaling_profile(self) -> str:
        """The cluster's autoscaling profile."""
        return self.ask("settings")["autoscaling_profile"]

    def grow_for(self, request: str, sizes: Mapping[str, int]) -> None:
        """Set the sizes of several groups, all or none."""
        self.ask("grow_for", request=request, sizes=dict(sizes))


def connect(instance: Instance) -> SelfScalingView:
    """The view of an instance's Google Cloud; nothing is asked yet."""
    return GcpView(instance)
