"""What the values of the chart depend on, and what its parts have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi import Input

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.images import images, mirrored
from aiplatform.addons.values.setup import PRIORITY_CLASS, requests, scheduling
from aiplatform.observability.args import Alertmanager, Grafana, Prometheus

NAMESPACE: Final = "monitoring"
"""The namespace of all but the exporter of nodes."""
ISSUER: Final = "ai-platform-internal"
"""The ClusterIssuer of the add-on cert-manager (component Addons)."""
ADMIN: Final = "grafana-admin"
"""The Secret with Grafana's administrator, which External Secrets creates."""


@dataclass(frozen=True)
class Setup:
    """How the chart is installed."""

    cloud: Cloud
    cluster: Input[str]
    """The cluster's name: the label `cluster` of all that leaves the cluster."""
    prometheus: Prometheus = field(default_factory=Prometheus)
    alertmanager: Alertmanager = field(default_factory=Alertmanager)
    grafana: Grafana = field(default_factory=Grafana)
    configuration: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Alertmanager's configuration."""
    credentials: Sequence[str] = ()
    """The Secrets with the files of receivers, which Alertmanager mounts where they exist."""
    dashboards: Sequence[str] = ()
    """The names of the ConfigMaps with a dashboard each."""
    mirrors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Registry or repository -> where to pull its images from instead."""
    region: str = ""
    """AWS: the region of the workspace."""
    workspace_url: Input[str] | None = None
    """AWS: the address of the workspace, with a slash at its end; None without long-term storage."""
    identities: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """AWS: `prometheus` and `grafana` -> the association that gives its Pods their credentials."""
    data_source: bool = False
    """AWS: whether Grafana reads from the workspace."""
    exports: bool = False
    """Google Cloud: whether metrics are written to Managed Service for Prometheus."""
    project: str = ""
    """Google Cloud: the cluster's project."""
    location: str = ""
    """Google Cloud: the region or zone of the cluster."""

    def identity(self, part: str) -> dict[str, Any]:
        """Return an annotation of Pods by which another association replaces them: those that exist get no
        credentials, and Prometheus without any refuses its whole configuration."""
        return {"ai-platform/identity": self.identities[part]} if part in self.identities else {}

    def image(self, name: str) -> dict[str, str]:
        """Return an image of `images.toml`, at its mirror if it has one, as the chart and Grafana's take it:
        `sha` without the name of the algorithm."""
        image = self.image_with("sha", name)
        return {**image, "sha": image["sha"].removeprefix("sha256:")}

    def image_with(self, key: str, name: str) -> dict[str, str]:
        """Return an image as the charts of exporters take it. key: of the digest."""
        image = images()[name]
        registry, _, repository = mirrored(image.repository, self.mirrors).partition("/")
        return {"registry": registry, "repository": repository, "tag": image.tag, key: image.digest}


def placed(cpu: str, memory: str, most_memory: str | None = None) -> dict[str, Any]:
    """Return priority, tolerations and resources of Pods on the system nodes."""
    return {
        "priorityClassName": PRIORITY_CLASS,
        "resources": resources(cpu, memory, most_memory or memory),
        **scheduling(),
    }


def resources(cpu: str, memory: str, most_memory: str) -> dict[str, Any]:
    """Return the requests of a container whose memory grows with the cluster or with requests of users, and
    the limit of its memory."""
    return {**requests(cpu, memory), "limits": {"memory": most_memory}}


def disruption_budget(replicas: int) -> dict[str, Any]:
    """Return a PodDisruptionBudget where there are several Pods; of a single one it would block every
    drain."""
    return {"enabled": True, "minAvailable": 1} if replicas > 1 else {"enabled": False}


def volume(gib: int) -> dict[str, Any]:
    """Return the template of a volume of the cluster's default StorageClass, which the cluster's key
    encrypts."""
    return {
        "volumeClaimTemplate": {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": f"{gib}Gi"}},
            }
        }
    }


DELETED_WITH_IT: Final = {"whenDeleted": "Delete", "whenScaled": "Delete"}
"""Volumes are deleted with the StatefulSet: their disks would outlive the cluster."""
