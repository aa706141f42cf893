"""Arguments of the queues."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from aiplatform._shared.args import Problem, between, distinct, length
from aiplatform._shared.kubernetes.names import DNS_LABEL
from aiplatform.queues import rules
from aiplatform.queues.inputs import CohortArgs as CohortArgs
from aiplatform.queues.inputs import LocalQueueArgs as LocalQueueArgs
from aiplatform.queues.inputs import PreemptionArgs as PreemptionArgs
from aiplatform.queues.inputs import QueueArgs as QueueArgs
from aiplatform.queues.inputs import QueuesArgs as QueuesArgs
from aiplatform.queues.inputs import QuotaArgs as QuotaArgs
from aiplatform.queues.inputs import WorkloadPriorityArgs as WorkloadPriorityArgs
from aiplatform.queues.pools import GpuPoolReference, NodePoolReference, Pool

TopologyKind = Literal["network", "host"]

_AMOUNT: Final = between(0, 1_000_000)
_WEIGHT: Final = between(0, 1000)
_PRIORITY: Final = between(-(10**9), 10**9)
"""As of a PriorityClass of users: higher values are reserved for the system."""


@dataclass(frozen=True)
class Quota:
    """The part of a pool that a queue or a cohort may always use, and what it may borrow and lend. Amounts
    are in the pool's own unit: accelerators of a GPU pool (with sharing: the resources that a node
    advertises), vCPUs of a CPU pool. CPU and memory follow in proportion."""

    pool: str
    """The pool's name."""
    accelerators: Annotated[int, _AMOUNT] | None = None
    """GPU pools, and required there: accelerators. 0: only what it borrows."""
    cpu: Annotated[int, _AMOUNT] | None = None
    """vCPUs. CPU pools: required. GPU pools: default the part of the nodes' CPU that belongs to the
    accelerators, without what the kubelet and DaemonSets use."""
    memory_gib: Annotated[int, _AMOUNT] | None = None
    """GiB of memory. Default: the part of the nodes' memory that belongs to the accelerators or vCPUs."""
    borrow: Annotated[int, _AMOUNT] | None = None
    """How much more it may use while others of its cohort use less than their quota, in the pool's unit.
    Default: no limit."""
    lend: Annotated[int, _AMOUNT] | None = None
    """How much of the quota others of the cohort may use while it is free, in the pool's unit. Default:
    all."""


@dataclass(frozen=True)
class Preemption:
    """What a queue may evict so that a waiting workload fits into its quota. Kueue suspends an evicted
    workload and queues it again."""

    within_cluster_queue: Literal["Never", "LowerPriority", "LowerOrNewerEqualPriority"] = "LowerPriority"
    """In the queue itself: nothing, workloads of lower priority (default), or also newer ones of the same."""
    reclaim_within_cohort: Literal["Never", "LowerPriority", "Any"] = "Any"
    """In queues that borrow its quota: nothing, workloads of lower priority, or any (default)."""
    borrow_within_cohort: Literal["Never", "LowerPriority"] = "Never"
    """For a workload that itself needs borrowed quota: nothing (default), or workloads of lower priority in
    other queues. Not with `fair_sharing`, which decides by shares instead."""
    max_priority_threshold: Annotated[int, _PRIORITY] | None = None
    """`borrow_within_cohort` only: the highest priority that it evicts. Default: any lower one."""


@dataclass(frozen=True)
class LocalQueue:
    """The entrance of a namespace to a queue: workloads name it in the label
    `kueue.x-k8s.io/queue-name`."""

    namespace: Annotated[str, DNS_LABEL]
    """The namespace, which exists and has the label `kueue.x-k8s.io/managed-namespace: "true"`."""
    name: Annotated[str, DNS_LABEL] = "default"
    """Its name. Default `default`: the one of workloads without the label."""


@dataclass(frozen=True)
class Queue:
    """A ClusterQueue: the quota of a team."""

    name: Annotated[str, DNS_LABEL]
    """Its name in the cluster, a DNS label."""
    quotas: Annotated[list[Quota], length(1, 64, "quotas")]
    """One for each pool that it may use. A workload gets the first pool in which it fits; CPU pools come
    first, so that a workload without accelerators does not occupy a node that has some."""
    cohort: str | None = None
    """The cohort with which it shares unused quota. Default: none."""
    weight: Annotated[float, _WEIGHT] = 1
    """Its part of what the cohort shares, relative to the others. Default 1."""
    preemption: Preemption = field(default_factory=Preemption)
    """What it may evict."""
    queueing_strategy: Literal["BestEffortFIFO", "StrictFIFO"] = "BestEffortFIFO"
    """`BestEffortFIFO` (default): a workload that does not fit lets later ones pass. `StrictFIFO`: it does
    not."""
    stop_policy: Literal["Hold", "HoldAndDrain"] | None = None
    """`Hold`: admit nothing more. `HoldAndDrain`: also evict what runs. Default: neither."""
    local_queues: list[LocalQueue] = field(default_factory=list[LocalQueue])
    """LocalQueues to create."""
    namespaces: Annotated[list[Annotated[str, DNS_LABEL]], distinct] = field(default_factory=list[str])
    """Further namespaces whose LocalQueues, created elsewhere, may refer to it. Default, without
    `local_queues` too: every namespace that Kueue manages."""


@dataclass(frozen=True)
class Cohort:
    """Queues, and other cohorts, that share unused quota."""

    name: Annotated[str, DNS_LABEL]
    """Its name in the cluster, a DNS label."""
    parent: str | None = None
    """The cohort that it is part of. Default: none."""
    weight: Annotated[float, _WEIGHT] = 1
    """Its part of what the parent shares, relative to the others. Default 1."""
    quotas: Annotated[list[Quota], length(0, 64, "quotas")] = field(default_factory=list[Quota])
    """Quota that belongs to no queue and that all of them may borrow. `borrow` and `lend` concern the
    parent."""


@dataclass(frozen=True)
class WorkloadPriority:
    """A WorkloadPriorityClass: the order in a queue, and what may be evicted. Workloads name it in the label
    `kueue.x-k8s.io/priority-class`. It does not change the priority of Pods."""

    name: Annotated[str, DNS_LABEL]
    """Its name in the cluster, a DNS label."""
    value: Annotated[int, _PRIORITY]
    """The higher, the more important. A workload without a class has the priority of its Pods, usually 0."""
    serving: bool = False
    """Whether it is for models that serve production: its value must be above that of every other class.
    Default false."""
    description: Annotated[str, length(0, 2048, "characters")] = ""
    """What it is for. Default: empty."""


def _priorities() -> list[WorkloadPriority]:
    """The default of `priorities`."""
    return [
        WorkloadPriority("serving", 10_000, serving=True, description="models that serve production"),
        WorkloadPriority("interactive", 1000, description="notebooks and other work that a person waits for"),
        WorkloadPriority("training-high", 500, description="training that must not wait"),
        WorkloadPriority("training", 100, description="training"),
        WorkloadPriority("best-effort", -100, description="work that anything else may evict"),
    ]


@dataclass(frozen=True)
class QueuesSettings:
    """Kueue's queues: a flavor for each pool, cohorts, and ClusterQueues with their quota of accelerators,
    CPU and memory. A workload starts when all of it fits into the quota of its queue. Kueue must be installed
    (component Addons)."""

    node_pools: list[NodePoolReference] = field(default_factory=list[NodePoolReference])
    """Pools of CPU nodes: `NodePool.outputs`. Default: none."""
    gpu_pools: list[GpuPoolReference] = field(default_factory=list[GpuPoolReference])
    """Pools of nodes with accelerators: `GpuPool.outputs`. Default: none."""
    topologies: dict[str, TopologyKind] = field(default_factory=dict[str, TopologyKind])
    """Pool -> how Kueue places the Pods of a workload on its nodes. `network`: close together in the cloud's
    network, for pools whose machines the cloud labels; `host`: on as few nodes as possible. Kueue then counts
    the nodes that exist: only for pools with a fixed number of nodes or with queued capacity. Default: none;
    the scheduler places the Pods."""
    cohorts: list[Cohort] = field(default_factory=list[Cohort])
    """Groups of queues that share unused quota. Default: none."""
    queues: list[Queue] = field(default_factory=list[Queue])
    """The queues. Default: none."""
    priorities: list[WorkloadPriority] = field(default_factory=_priorities)
    """The classes of priority. Default: `serving` above `interactive`, `training-high`, `training` and
    `best-effort`."""
    fair_sharing: bool = True
    """Whether Kueue is configured with fair sharing, as the platform's add-on is. Default true."""

    @property
    def pools(self) -> list[Pool]:
        """All pools: those of CPUs first, the order in which a queue tries them."""
        return [*self.node_pools, *self.gpu_pools]

    def check(self) -> Iterator[Problem]:
        """Return the problems that concern several keys."""
        yield from rules.problems(self)
