"""AWS as the simulation around the control plane sees it: `connect(instance)`.

What it asks is answered by twin/aws/services/eks/operations/controller_api.py.
"""

from __future__ import annotations

from twin.instances import Instance
from twin.kubernetes.cloud_client import ApiServerError, CloudView

__all__ = ["ApiServerError", "AwsView", "connect"]


class AwsView(CloudView):
    """An instance's AWS."""

    SHORT = frozenset({"InsufficientInstanceCapacity"})
    DENIED = frozenset({"AccessDenied"})


def connect(instance: Instance) -> CloudView:
    """The view of an instance's AWS; nothing is asked yet."""
    return AwsView(instance)
