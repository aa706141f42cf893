"""What the values of add-ons depend on, and what they have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi import Input

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.images import images, mirrored
from aiplatform.addons.pods_ready import PodsReady

PRIORITY_CLASS: Final = "system-cluster-critical"
"""The priority of controllers that Pods of others wait for. Kubernetes has the class."""
NODE_PRIORITY_CLASS: Final = "system-node-critical"
"""The priority of Pods that a node needs. Kubernetes has the class."""
TOLERATIONS: Final = (
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "components.gke.io/gke-managed-components", "operator": "Exists"},
)
"""The taints of the system nodes, on EKS and on GKE."""


@dataclass(frozen=True)
class Setup:
    """How the add-ons of a cluster are installed."""

    replicas: int = 1
    """Pods of each controller. With 2 or more a node's failure does not stop it."""
    mirrors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Registry or repository -> where to pull its images from instead."""
    pods_ready: PodsReady = field(default_factory=PodsReady)
    """Kueue: how long workloads have to start."""
    ray: bool = False
    """Kueue: whether it queues Ray's kinds."""
    device_claims: bool = False
    """Whether Pods of some pools claim their GPUs."""
    cloud: Cloud = "aws"
    """The cluster's."""
    cluster: Input[str] = ""
    """The cluster's name."""
    region: str = ""
    """AWS: the cluster's region."""
    vpc_id: Input[str] = ""
    """AWS: the cluster's network."""
    interruption_queue: str = ""
    """AWS: the name of the queue of Karpenter's messages from EC2."""
    project: str = ""
    """Google Cloud: the project of the zones."""
    dns_zones: Sequence[Input[str]] = ()
    """The zones whose records external-dns manages: ids of hosted zones, or names of managed zones."""

    def repository(self, image: str) -> str:
        """Return the repository of an image of `images.toml`, at its mirror if it has one."""
        return mirrored(images()[image].repository, self.mirrors)

    def tag(self, image: str) -> str:
        """Return `tag@digest` of an image, or its tag where no digest is known."""
        return images()[image].version.removeprefix(":")

    def image(self, name: str) -> dict[str, str]:
        """Return repository and tag as most charts take them."""
        return {"repository": self.repository(name), "tag": self.tag(name)}

    @property
    def disruption_budget(self) -> dict[str, Any]:
        """A PodDisruptionBudget where there are several Pods; of a single one it would block every drain."""
        return {"enabled": True, "minAvailable": 1} if self.replicas > 1 else {"enabled": False}

    def spread(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return constraints that put the Pods with these labels on different nodes where it is possible."""
        if self.replicas == 1:
            return []
        return [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(labels)},
            }
        ]

    def apart(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """Return an affinity with the same effect as `spread`, for charts without topology constraints."""
        if self.replicas == 1:
            return {}
        term = {"labelSelector": {"matchLabels": dict(labels)}, "topologyKey": "kubernetes.io/hostname"}
        preferred = [{"weight": 100, "podAffinityTerm": term}]
        return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def scheduling() -> dict[str, Any]:
    """Return the tolerations of Pods on the system nodes."""
    return {"tolerations": [dict(toleration) for toleration in TOLERATIONS]}


def requests(cpu: str, memory: str) -> dict[str, Any]:
    """Return the requests of a container. Its memory is limited too; its CPU is not, since a throttled
    webhook delays every Pod. The charts of Kueue and JobSet have a limit of two CPUs, which stays."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}
