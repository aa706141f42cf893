"""Arguments of Karpenter's nodes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, between, distinct, got, length, matches
from aiplatform._shared.cloud_support import Cloud, CloudNeutral, SupportTable
from aiplatform._shared.outputs import Tags
from aiplatform._shared.references.cluster import ClusterReference
from aiplatform._shared.references.karpenter import KarpenterPoolReference
from aiplatform.addons.permissions.settings import KARPENTER_NODES
from aiplatform.karpenter.cloud_support import SUPPORT
from aiplatform.karpenter.inputs import DisruptionBudgetArgs as DisruptionBudgetArgs
from aiplatform.karpenter.inputs import ImageVersionsArgs as ImageVersionsArgs
from aiplatform.karpenter.inputs import KarpenterArgs as KarpenterArgs
from aiplatform.naming import INSTANCE_PROFILE, PhysicalName, aws_tags, prefix_for

PROFILE: Final = PhysicalName(INSTANCE_PROFILE, "{prefix}-karpenter-nodes")
LATEST: Final = "latest"

Consolidation = Literal["when_empty", "balanced", "when_empty_or_underutilized"]
DisruptionReason = Literal["drifted", "empty", "underutilized"]

_AL2023: Final = matches(r"latest|v\d{8}", "`latest`, or the release of an image such as v20261110")
_BOTTLEROCKET: Final = matches(r"latest|v\d+\.\d+\.\d+", "`latest`, or a release such as v1.52.0")
_CRON: Final = r"@(annually|yearly|monthly|weekly|daily|midnight|hourly)|\S+( \S+){4}"


@dataclass(frozen=True)
class ImageVersions:
    """The releases of the machine images of EKS, one for each image that pools use."""

    al2023: Annotated[str, _AL2023] = LATEST
    """`latest`, or a release of the EKS AMI, `v20261110`. Default `latest`: the nodes that exist are
    drifted when AWS publishes an image."""
    bottlerocket: Annotated[str, _BOTTLEROCKET] = LATEST
    """`latest`, or a release of Bottlerocket, `v1.52.0`. Default `latest`."""


@dataclass(frozen=True)
class DisruptionBudget:
    """How many nodes of a NodePool Karpenter may remove at the same time, where it has a choice. It does not
    limit interruptions by EC2, the repair of failed nodes, nor `expire_after_hours`."""

    nodes: Annotated[
        str, matches(r"(100|\d{1,2})%|\d{1,5}", "a percentage such as 10%, or a number such as 1")
    ]
    """A percentage of the nodes, rounded up, or a number. `0`: none."""
    reasons: Annotated[list[DisruptionReason], distinct] = field(default_factory=list[DisruptionReason])
    """For which reasons: `drifted` (another image or configuration), `empty`, `underutilized`. Default: all
    of them."""
    schedule: Annotated[str, matches(_CRON, "five fields of cron, such as `0 9 * * mon-fri`")] | None = None
    """When it begins to apply, in UTC, as cron has it. Default: always."""
    hours: Annotated[int, between(1, 168, "hours")] | None = None
    """With `schedule`, and required there: for how long it applies."""

    def check(self) -> Iterator[Problem]:
        """Return the problems of keys that need each other."""
        if (self.schedule is None) != (self.hours is None):
            missing, present = ("hours", "schedule") if self.hours is None else ("schedule", "hours")
            yield Problem(missing, f"missing; expected a value, since there is one of `{present}`")


def _budgets() -> list[DisruptionBudget]:
    """The default of `disruption_budgets`."""
    return [DisruptionBudget("0", ["drifted"]), DisruptionBudget("10%", ["empty", "underutilized"])]


@dataclass(frozen=True)
class KarpenterSettings(CloudNeutral):
    """Karpenter's nodes on EKS: for each entry of a pool's `capacity` an EC2NodeClass and a NodePool, and the
    IAM role of the nodes. The controller must be installed (component Addons, `options: {karpenter: {enabled:
    true}}`, with the same `prefix`)."""

    cloud_support: ClassVar[SupportTable] = SUPPORT

    prefix: Annotated[str, prefix_for(KARPENTER_NODES, PROFILE)]
    """First part of every physical name, `{org}-{environment}`."""
    cluster: ClusterReference
    """The cluster: `Cluster.outputs`. Nodes have its shared node role, where there is one."""
    pools: Annotated[list[KarpenterPoolReference], length(1, 200, "pools")]
    """The pools: `GpuPool.outputs["karpenter_pools"]` of each GPU pool, in one list."""
    image_versions: ImageVersions = field(default_factory=ImageVersions)
    """The releases of the machine images. Default: `latest` of each. State one where all nodes must have the
    same image, and where a disruption budget allows the removal of drifted nodes."""
    consolidation: Consolidation = "when_empty"
    """Which nodes Karpenter removes to save costs: `when_empty`, those on which nothing but DaemonSets runs;
    `balanced` and `when_empty_or_underutilized`, also those whose Pods fit elsewhere, which it evicts.
    Default `when_empty`: a Pod with accelerators starts again from its last checkpoint."""
    consolidate_after_minutes: Annotated[int, between(0, 1440, "minutes")] = 10
    """Minutes without a new or ended Pod after which a node may be removed, 0 to 1440. Default 10."""
    disruption_budgets: Annotated[list[DisruptionBudget], length(1, 50, "budgets")] = field(
        default_factory=_budgets
    )
    """How many nodes of a NodePool are removed at the same time; the lowest that applies counts. Default: of
    empty and underutilized nodes 10 %, at least one; of drifted ones none, so that those in use stay until
    they are empty."""
    expire_after_hours: Annotated[int, between(1, 8760, "hours")] | None = None
    """Hours after which a node is replaced, whatever runs on it, 1 to 8760. Default: never."""
    termination_grace_hours: Annotated[int, between(1, 720, "hours")] | None = None
    """Hours after which a node that is to be removed ends Pods that a PodDisruptionBudget, or the annotation
    `karpenter.sh/do-not-disrupt`, protects, 1 to 720. Default: it waits for them."""
    access_entry: bool | None = None
    """Whether to create the access entry (`EC2_LINUX`) by which nodes join the cluster. Default: for a role
    that this component creates. EKS itself has created that of a role which managed node groups use."""
    tags: Annotated[Tags, aws_tags] = field(default_factory=dict[str, Input[str]])
    """Tags of the role and its instance profile, in addition to the provider's default tags."""

    @property
    def cloud(self) -> Cloud:
        """The cluster's."""
        return self.cluster.cloud

    @property
    def with_access_entry(self) -> bool:
        """Whether there is an access entry, with the default of the argument."""
        return self.cluster.node_role_arn is None if self.access_entry is None else self.access_entry

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        first: dict[str, int] = {}
        for index, pool in enumerate(self.pools):
            before = first.setdefault(pool.name, index)
            if before != index:
                yield Problem(
                    f"pools[{index}].name", f"{got(pool.name)}, which is also the name of pools[{before}]"
                )
        if self.termination_grace_hours is None and self.expire_after_hours is not None:
            yield Problem(
                "termination_grace_hours",
                "missing; expected hours: without it a node that has expired waits for protected Pods, and "
                "another one is already paid for",
            )
