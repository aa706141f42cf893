"""Queues of workloads, and the quota of accelerators, CPU and memory."""

from pulumi import ComponentResource, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform._shared.kubernetes.names import TaintArgs
from aiplatform.queues.args import (
    CohortArgs,
    LocalQueueArgs,
    PreemptionArgs,
    QueueArgs,
    QueuesArgs,
    QueuesSettings,
    QuotaArgs,
    WorkloadPriorityArgs,
)
from aiplatform.queues.outputs import QueuesOutputs
from aiplatform.queues.pools import GpuPoolReferenceArgs, NodePoolReferenceArgs

__all__ = [
    "CohortArgs",
    "GpuPoolReferenceArgs",
    "LocalQueueArgs",
    "NodePoolReferenceArgs",
    "PreemptionArgs",
    "QueueArgs",
    "Queues",
    "QueuesArgs",
    "QueuesOutputs",
    "QuotaArgs",
    "TaintArgs",
    "WorkloadPriorityArgs",
]


class Queues(ComponentResource):
    """Kueue's objects: a ResourceFlavor for each pool, Topologies, checks that request queued capacity,
    Cohorts, ClusterQueues, LocalQueues and WorkloadPriorityClasses. It needs the cluster's Kubernetes
    provider in `opts.providers`. Kueue runs before the objects are created and until they are deleted: state
    its resources in `opts.depends_on`, which also applies to each object."""

    flavors: KnownOutput[list[str]]
    """The names of the ResourceFlavors: those of the pools."""
    cluster_queues: KnownOutput[list[str]]
    """The names of the ClusterQueues, to which LocalQueues refer."""
    priorities: KnownOutput[list[str]]
    """The names of the WorkloadPriorityClasses."""

    def __init__(self, name: str, args: QueuesArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(QueuesSettings, args, "QueuesArgs")
        # Imported late: arguments are checked without the SDK of Kubernetes, which takes a second to load.
        from aiplatform.queues.objects import build

        super().__init__("aiplatform:index:Queues", name, {}, opts)
        build(self, name, settings, opts)
        self.outputs: QueuesOutputs = {
            "flavors": [pool.name for pool in settings.pools],
            "cluster_queues": [queue.name for queue in settings.queues],
            "priorities": [priority.name for priority in settings.priorities],
        }
        publish(self, self.outputs)
