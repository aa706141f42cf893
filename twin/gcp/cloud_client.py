"""Google Cloud as the simulation around the control plane sees it: `connect(instance)`.

What it asks is answered by twin/gcp/services/container/operations/controller_api.py.
"""

from __future__ import annotations

from twin.instances import Instance
from twin.kubernetes.cloud_client import CloudView


class GcpView(CloudView):
    """An instance's Google Cloud."""

    SHORT = frozenset({"resourcePoolExhausted", "quotaExceeded"})
    DENIED = frozenset({"forbidden"})


def connect(instance: Instance) -> CloudView:
    """The view of an instance's Google Cloud; nothing is asked yet."""
    return GcpView(instance)
