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
    force_update: bool | None = None
    """AWS: whether an update of the nodes also evicts Pods that a PodDisruptionBudget keeps; without it the
    update waits for them, and fails. Left out, it does in dev alone."""


class Autoscaling(Topic):
    """The Cluster Autoscaler."""

    replicas: int
    """How many stand by; one works at a time."""
    scale_down_unneeded_minutes: int
    """How long a node stays empty before it goes."""


class MaintenanceWindow(Topic):
    """When GKE may upgrade and repair."""

    start: str
    """The time of day in UTC, `03:00`."""
    hours: int = 6
    """How long, 4 to 24 hours."""
    days: list[str] = Field(default_factory=lambda: ["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
    """Days of the week, at least 12 hours a week together."""


class MaintenanceExclusion(Topic):
    """When GKE may not upgrade, window or not."""

    name: str
    """Its name."""
    start: str
    """Its first moment in UTC, `2026-12-18T00:00:00Z`, in quotes."""
    end: str
    """Its last moment in UTC."""
    scope: Literal["no_upgrades", "no_minor_upgrades", "no_minor_or_node_upgrades"] = "no_upgrades"
    """What may not happen."""


class NodeAutoProvisioning(Topic):
    """How much GKE may add in node pools of its own making."""

    max_cpus: int
    """The most vCPUs of the whole cluster."""
    max_memory_gib: int
    """The most memory of the whole cluster, in GiB."""
    accelerators: dict[str, int] = Field(default_factory=dict)
    """The most accelerators of the whole cluster, by GKE's type (`nvidia-l4`)."""


class Cluster(Topic):
    """Kubernetes."""

    version: str
    """Minor version, in quotes: `"1.35"`."""
    api_access: ApiAccess | Literal["in_vpc", "dns"]
    """`in_vpc`: the endpoint is private alone, and the program runs inside the network. `cidrs`: these
    addresses reach a public endpoint too. `dns` (Google Cloud): an endpoint by name, which IAM guards."""
    log_retention_days: int
    """How long control-plane logs are kept."""
    deletion_protection: bool
    """Whether the cloud refuses to delete the cluster."""
    support: Literal["standard", "extended"] | None = None
    """AWS. `standard`: EKS upgrades the cluster when standard support ends; `extended` costs more. Left out,
    standard."""
    release_channel: Literal["rapid", "regular", "stable", "extended"] | None = None
    """Google Cloud: the channel that upgrades the cluster; left out, regular."""
    control_plane: Literal["regional", "zonal"] | None = None
    """Google Cloud. `regional`: it stands in three zones; `zonal`: in the network's first, which is cheap.
    Fixed when the cluster is created. Left out, regional."""
    maintenance_window: MaintenanceWindow | None = None
    """Google Cloud: when GKE may upgrade and repair; left out, at any time."""
    maintenance_exclusions: list[MaintenanceExclusion] = Field(default_factory=list[MaintenanceExclusion])
    """Google Cloud: when GKE may not upgrade."""
    system_nodes: SystemNodes
    """The system node group."""
    admins: list[str] = Field(default_factory=list)
    """Who administers the cluster. AWS: IAM roles (arns), beside the one that creates it. Google Cloud:
    `user:`, `serviceAccount:` or, with `google_groups`, `group:` and an e-mail address."""
    google_groups: str | None = None
    """Google Cloud: the group `gke-security-groups@...` whose member groups Kubernetes may know."""
    addons: dict[str, str] = Field(default_factory=dict)
    """AWS: pinned add-on versions, by name; the others are EKS's default when they are installed or the
    Kubernetes version changes, and stay between those."""
    service_cidr: str | None = None
    """AWS: addresses of Kubernetes Services, fixed when the cluster is created; left out, 172.20.0.0/16. On
    Google Cloud the network plans them."""
    prefix_delegation: bool | None = None
    """AWS: whether pods get their addresses by /28 prefixes: more pods on a node, and `network.pods` is
    counted in whole prefixes. Nodes that are there keep what they have. Left out, false."""
    autoscaling: Autoscaling | None = None
    """AWS: the Cluster Autoscaler."""
    autoscaling_profile: Literal["balanced", "optimize_utilization"] | None = None
    """Google Cloud: `optimize_utilization` lets nodes go soon; left out, balanced."""
    node_auto_provisioning: NodeAutoProvisioning | None = None
    """Google Cloud: how much GKE may add in node pools of its own making; left out, none."""
    gateway_api: bool | None = None
    """Google Cloud: GKE's Gateway controller; left out, true."""
    image_streaming: bool | None = None
    """Google Cloud: containers start while their images are still on the way; left out, true."""
    gcs_fuse: bool | None = None
    """Google Cloud: buckets as volumes; left out, true."""
    filestore: bool | None = None
    """Google Cloud: Filestore as volumes that many nodes share; left out, false."""
    managed_prometheus: bool | None = None
    """Google Cloud: Managed Service for Prometheus; left out, true."""
    cost_allocation: bool | None = None
    """Google Cloud: costs by namespace and label in the bill; left out, true."""
    binary_authorization: list[str] | None = None
    """Google Cloud: patterns of the images that may run, in addition to Google's own and those that the
    program installs (`us-central1-docker.pkg.dev/acme/**`); left out, in prod those of the project's own
    Artifact Registry in this region, elsewhere all, as with an empty list. The project has one such
    policy."""
    security_posture: bool | None = None
    """Google Cloud: the security posture dashboard; left out, true."""
    multi_networking: bool | None = None
    """Google Cloud: further network interfaces for Pods, which GPUDirect needs; fixed when the cluster is
    created. Left out, as the GPU pools of the file need it."""
