"""Namespaces of Kubernetes, of the cloud and of the add-ons."""

from collections.abc import Mapping, Sequence
from typing import Final

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes.names import TRACING_NAMESPACE
from aiplatform.addons.catalog import catalog

_KUBERNETES: Final = ("kube-system", "kube-public", "kube-node-lease")
_OF_CLOUD: Final[Mapping[Cloud, Sequence[str]]] = {
    # Agents that AWS installs: "Amazon CloudWatch Observability EKS add-on", "GuardDuty Runtime Monitoring".
    "aws": ("amazon-cloudwatch", "amazon-guardduty"),
    # Managed Service for Prometheus.
    "gcp": ("gmp-system", "gmp-public"),
}
SYSTEM_PREFIX: Final[Mapping[Cloud, str]] = {"gcp": "gke-"}
"""The first part of the names of the cloud's other namespaces."""


def fixed_system_namespaces(cloud: Cloud) -> frozenset[str]:
    """Return the namespaces of the system that every cluster has or may have."""
    addons = {addon.namespace for addon in catalog().values() if addon.namespace}
    return frozenset({*_KUBERNETES, TRACING_NAMESPACE, *_OF_CLOUD[cloud], *addons})
