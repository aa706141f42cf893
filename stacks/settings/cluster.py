"""The topic `cluster`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stacks.settings.topic import Topic


class ApiAccess(Topic):
    """From where the Kubernetes API is reached from outside its network."""

    cidrs: list[str]
    """Addresses that may reach the public endpoint, as CIDRs; never the whole internet."""


class SystemNodes(Topic):
    """The nodes of the cluster's own workloads, tainted for everything else."""

    instance_types: list[str]
    """Instance types of one processor architecture, the first preferred."""
    min: int
    """Fewest nodes."""
    max: int
    """Most nodes."""
    disk_gib: int = 50
    """Root volume, in GiB."""


class Autoscaling(Topic):
    """The Cluster Autoscaler."""

    replicas: int
    """How many stand by; one works at a time."""
    scale_down_unneeded_minutes: int
    """How long a node stays empty before it goes."""


class Cluster(Topic):
    """Kubernetes."""

    version: str
    """Minor version, in quotes: `"1.35"`."""
    api_access: ApiAccess | Literal["in_vpc"]
    """`in_vpc`: the endpoint is private alone, and the program runs inside the network. `cidrs`: these
    addresses reach a public endpoint too."""
    log_retention_days: int
    """How long control-plane logs are kept."""
    deletion_protection: bool
    """Whether the cloud refuses to delete the cluster."""
    support: Literal["standard", "extended"] = "standard"
    """`standard`: the cloud upgrades the cluster when standard support ends; `extended` costs more."""
    system_nodes: SystemNodes
    """The system node group."""
    admins: list[str] = Field(default_factory=list)
    """IAM roles (arns) that administer the cluster beside the one that creates it."""
    addons: dict[str, str] = Field(default_factory=dict)
    """Pinned add-on versions, by name; the others follow the cluster's default."""
    service_cidr: str = "172.20.0.0/16"
    """Addresses of Kubernetes Services. Fixed when the cluster is created."""
    autoscaling: Autoscaling
    """The Cluster Autoscaler."""
