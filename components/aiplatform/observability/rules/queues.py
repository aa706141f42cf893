"""Alerts of Kueue's queues. Both of its replicas serve gauges, so they are not summed over replicas."""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert
from aiplatform.observability.settings import Settings

_QUEUE: Final = "queue {{ $labels.cluster_queue }}"


def rules(settings: Settings) -> Iterator[Alert]:
    """Return the rules of an environment."""
    if "kueue" not in settings.addons:
        return
    yield Alert(
        name="QueueInactive",
        severity="critical",
        expression='max by (cluster_queue) (kueue_cluster_queue_status{status="active"}) == 0',
        summary=f"{_QUEUE} admits nothing",
        description=(
            "The ClusterQueue is not active: a flavor or an admission check is missing, or it is stopped."
        ),
        pending="15m",
    )
    pending = "max by (cluster_queue) (sum by (cluster_queue, instance) (kueue_pending_workloads))"
    yield Alert(
        name="QueueStalled",
        severity="warning",
        expression=(
            f"{pending} > 0 and on (cluster_queue) "
            "max by (cluster_queue) (sum by (cluster_queue, instance) "
            "(kueue_cluster_queue_resource_reservation)) == 0"
        ),
        summary=f"{_QUEUE} is empty, and workloads wait",
        description=(
            "{{ $value }} workloads wait and none uses quota of the queue: what they request can never be "
            "admitted."
        ),
        pending="30m",
    )
    # The histogram of waits has no workload that still waits. One that was evicted waits since then.
    workload, same = "kube_customresource_kueue_workload", "on (namespace, name)"
    since = f'({workload}_condition_changed{{type="QuotaReserved"}} or {same} {workload}_created)'
    waiting = (
        f"time() - {since} and {same} {workload}_active == 1 "
        f'unless {same} {workload}_condition{{type=~"QuotaReserved|Finished"}} == 1'
    )
    yield Alert(
        name="QueueWaitLong",
        severity="warning",
        expression=f"max by (namespace, queue) ({waiting}) > 4 * 3600",
        summary="workloads of {{ $labels.namespace }} wait long in queue {{ $labels.queue }}",
        description="The oldest workload has waited for {{ $value | humanizeDuration }}.",
        pending="15m",
    )
    evicted = 'kueue_evicted_workloads_total{reason="PodsReadyTimeout"}'
    yield Alert(
        name="WorkloadsNotReadyInTime",
        severity="warning",
        expression=f"sum by (cluster_queue) (increase({evicted}[1h])) >= 3",
        summary=f"workloads of {_QUEUE} are evicted before they start",
        description=(
            "{{ $value | humanize }} times in the last hour the Pods of an admitted workload were not "
            "ready in "
            "time, mostly because no node came. Kueue queues them again."
        ),
        pending="0s",
    )
    yield Alert(
        name="QuotaPreemptionStorm",
        severity="warning",
        expression="sum by (preempting_cluster_queue) (increase(kueue_preempted_workloads_total[1h])) > 20",
        summary="queue {{ $labels.preempting_cluster_queue }} evicts workloads again and again",
        description=(
            "{{ $value | humanize }} workloads were evicted in an hour: they lose their work since the "
            "last "
            "checkpoint."
        ),
        pending="0s",
    )
