"""Arguments that only a cluster on GKE has, and their rules."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, length, matches
from aiplatform.cluster.inputs import GkeArgs as GkeArgs
from aiplatform.cluster.inputs import MaintenanceExclusionArgs as MaintenanceExclusionArgs
from aiplatform.cluster.inputs import MaintenanceWindowArgs as MaintenanceWindowArgs
from aiplatform.cluster.inputs import NodeAutoProvisioningArgs as NodeAutoProvisioningArgs

DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_TIME: Final = matches(r"([01]\d|2[0-3]):[0-5]\d", "a time of day such as 03:00, in UTC")
_NAME: Final = matches(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", "lower-case letters, digits and hyphens")
_MOST_EXCLUSIONS: Final = 20
_MOST_COMPLETE: Final = 3
"""The most exclusions of all upgrades."""
_MOST_COMPLETE_DAYS: Final = 90
"""Days of an exclusion of all upgrades (this limit and the two above: "Maintenance windows and
exclusions")."""
_HOURS_NEEDED: Final = 12
"""Hours a week: GKE requires 48 hours in any 32 days, which contain each day of the week at least four
times."""
IMAGES: Final = matches(
    # Host with or without a port, path in lower case; a tag may have upper-case letters.
    r"([a-z0-9][a-z0-9.-]*:\d+/)?[a-z0-9][a-z0-9./_-]*([:@*][A-Za-z0-9._:@*-]*)?",
    "an image name pattern such as europe-docker.pkg.dev/acme/**",
)
_SECURITY_GROUP: Final = matches(r"gke-security-groups@\S+\.\S+", "gke-security-groups@ and your domain")
MEMBER: Final = matches(
    r"(user|serviceAccount|group):[^@\s]+@[^@\s]+\.[^@\s]+",
    "user:, serviceAccount: or group: with an e-mail address",
)

ExclusionScope = Literal["no_upgrades", "no_minor_upgrades", "no_minor_or_node_upgrades"]
Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@dataclass(frozen=True)
class MaintenanceWindow:
    """When GKE may upgrade and repair, every week."""

    start: Annotated[str, _TIME]
    """The time of day in UTC, `03:00`."""
    hours: Annotated[int, between(4, 24, "hours")] = 6
    """How long, 4 to 24 hours. Default 6."""
    days: Annotated[list[Weekday], distinct, length(1, 7, "days")] = field(default_factory=lambda: list(DAYS))  # pyright: ignore[reportArgumentType]
    """Days of the week: `MO`, `TU`, `WE`, `TH`, `FR`, `SA`, `SU`; at least 12 hours a week together.
    Default: every day."""

    def check(self) -> Iterator[Problem]:
        """Report a window that is too short for GKE to keep the cluster up to date."""
        hours = self.hours * len(self.days)
        if hours < _HOURS_NEEDED:
            yield Problem(
                "", f"got {hours} hours a week; expected {_HOURS_NEEDED} at least: raise hours or add days"
            )

    @property
    def recurrence(self) -> str:
        """The recurrence rule of RFC 5545."""
        return "FREQ=DAILY" if len(self.days) == len(DAYS) else f"FREQ=WEEKLY;BYDAY={','.join(self.days)}"


def moment(value: Any) -> str | None:
    """A rule: a moment in UTC, in the form that GKE returns."""
    try:
        _parsed(value)
    except ValueError:
        return "expected a moment in UTC such as 2026-12-18T00:00:00Z"
    return None


def _parsed(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


@dataclass(frozen=True)
class MaintenanceExclusion:
    """When GKE may not upgrade."""

    name: Annotated[str, _NAME]
    """Its name."""
    start: Annotated[str, moment]
    """Its first moment in UTC, `2026-12-18T00:00:00Z`."""
    end: Annotated[str, moment] | None = None
    """Its last moment in UTC. Default: the end of support of the control plane's minor version, which GKE
    moves on with each newer one; not for the scope `no_upgrades`."""
    scope: ExclusionScope = "no_upgrades"
    """`no_upgrades`, `no_minor_upgrades` or `no_minor_or_node_upgrades`. Default `no_upgrades`."""

    def check(self) -> Iterator[Problem]:
        """Report an end before the start, or after the longest time that GKE accepts."""
        if self.end is None:
            if self.scope == "no_upgrades":
                yield Problem(
                    "end",
                    f"missing; expected the end of an exclusion of scope {self.scope}, at most "
                    f"{_MOST_COMPLETE_DAYS} days after start; no_minor_upgrades and "
                    "no_minor_or_node_upgrades may last until the end of support",
                )
            return
        if self.end <= self.start:
            yield Problem("end", f"{got(self.end)}; expected a moment after start, {self.start}")
            return
        days = (_parsed(self.end) - _parsed(self.start)) / timedelta(days=1)
        if self.scope == "no_upgrades" and days > _MOST_COMPLETE_DAYS:
            yield Problem(
                "end",
                f"{got(self.end)}, {days:.0f} days after start; expected at most {_MOST_COMPLETE_DAYS} of "
                "scope no_upgrades; no_minor_upgrades and no_minor_or_node_upgrades may last longer",
            )

    def keeps_nodes(self, now: datetime) -> bool:
        """Return whether GKE upgrades no node by itself at this moment because of it."""
        begun = _parsed(self.start) <= now
        return self.scope != "no_minor_upgrades" and begun and (self.end is None or now < _parsed(self.end))


@dataclass(frozen=True)
class NodeAutoProvisioning:
    """Limits of the node pools that GKE creates by itself. Their nodes boot from pd-balanced, which machine
    series of the fourth generation and newer (`c4`, `n4`) do not take: a Pod that asks for one of these needs
    a node pool."""

    max_cpus: Input[Annotated[int, between(1, 1_000_000)]]
    """The most vCPUs of the whole cluster, those of other pools included."""
    max_memory_gib: Input[Annotated[int, between(1, 10_000_000)]]
    """The most memory of the whole cluster, in GiB."""
    accelerators: dict[str, Input[Annotated[int, between(1, 100_000)]]] = field(
        default_factory=dict[str, Input[int]]
    )
    """The most accelerators of the whole cluster, by GKE's type (`nvidia-l4`). Default none."""

    def check(self) -> Iterator[Problem]:
        """Report accelerators whose names GKE cannot know."""
        for kind in self.accelerators:
            if not kind.startswith(("nvidia-", "tpu-", "ct")):
                yield Problem(
                    f"accelerators.{kind}", "expected GKE's type of an accelerator such as nvidia-l4"
                )


@dataclass(frozen=True)
class Gke:
    """Options of a cluster on GKE."""

    release_channel: Literal["rapid", "regular", "stable", "extended"] = "regular"
    """The release channel, which upgrades the cluster: `rapid`, `regular`, `stable` or `extended`. Default
    `regular`."""
    control_plane: Literal["regional", "zonal"] = "regional"
    """`regional`: replicas in three zones. `zonal`: one in the first zone of the network, which is cheap; the
    API is unavailable while it is upgraded. Fixed when the cluster is created. Default `regional`."""
    maintenance_window: MaintenanceWindow | None = None
    """When GKE may upgrade and repair. Default: at any time."""
    maintenance_exclusions: list[MaintenanceExclusion] = field(default_factory=list[MaintenanceExclusion])
    """When GKE may not upgrade, inside the window or not. Default none."""
    google_groups: Input[Annotated[str, _SECURITY_GROUP]] | None = None
    """The group `gke-security-groups@...` whose member groups may be subjects of Kubernetes RBAC. Default:
    none."""
    gateway_api: Input[bool] = True
    """Whether GKE's Gateway controller is installed. Default true."""
    image_streaming: bool = True
    """Whether containers start while their images are still being downloaded. Default true."""
    gcs_fuse: Input[bool] = True
    """Whether buckets can be mounted as volumes. Default true."""
    filestore: bool = False
    """Whether Filestore volumes, which many nodes can mount, are supported. Default false."""
    managed_prometheus: Input[bool] = True
    """Managed Service for Prometheus. Default true."""
    workload_logs: Input[bool] = True
    """Whether GKE's agent collects the logs of Pods; with an agent of yours (`logs` of Observability) they
    would be stored twice. Logs of the system and of the control plane are collected in any case. Default
    true."""
    cost_allocation: Input[bool] = True
    """Whether the bill shows costs by namespace and label. Default true."""
    node_auto_provisioning: NodeAutoProvisioning | None = None
    """Limits of the node pools that GKE creates by itself. Default: none."""
    autoscaling_profile: Literal["balanced", "optimize_utilization"] = "balanced"
    """How soon idle nodes are deleted. `balanced`: after a while. `optimize_utilization`: soon. Default
    `balanced`."""
    binary_authorization: Annotated[list[Input[Annotated[str, IMAGES]]], distinct] = field(
        default_factory=list[Input[str]]
    )
    """Patterns of the images that may run, in addition to Google's own (`europe-docker.pkg.dev/acme/**`);
    Pods with other images are refused, those of other components too. The project has one such policy.
    Default: all may."""
    security_posture: bool = True
    """The security posture dashboard. Default true."""
    shared_vpc_grants: bool = True
    """Shared VPC: whether GKE's service agent and the Google APIs service agent of the service project get
    their roles on the host project and its subnets; the deployer then sets IAM policies there. False where
    administrators of the host project have granted them (docs/bring-your-own.md). Default true."""
    shared_vpc_firewall: bool = True
    """Shared VPC: whether the cluster's firewall rules are created in the host project: from the control
    plane to webhooks, and with `session_manager` from Identity-Aware Proxy. False where administrators of the
    host project have created them (docs/bring-your-own.md); webhooks fail without them. Default true."""
    multi_networking: bool = False
    """Whether Pods may have further network interfaces, which GPUDirect needs. Fixed when the cluster is
    created. Default false."""

    def check(self) -> Iterator[Problem]:
        """Report duplicate names of exclusions, and more of them than GKE accepts."""
        names = [exclusion.name for exclusion in self.maintenance_exclusions]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Problem(
                    f"maintenance_exclusions[{index}].name", f"{got(name)} again; expected a unique name"
                )
        if len(names) > _MOST_EXCLUSIONS:
            yield Problem("maintenance_exclusions", f"got {len(names)}; expected at most {_MOST_EXCLUSIONS}")
        complete = sum(exclusion.scope == "no_upgrades" for exclusion in self.maintenance_exclusions)
        if complete > _MOST_COMPLETE:
            yield Problem(
                "maintenance_exclusions",
                f"got {complete} of scope no_upgrades; expected at most {_MOST_COMPLETE}",
            )
