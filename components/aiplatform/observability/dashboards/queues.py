"""Queues: what waits and for how long, quota and its use, evictions.

All replicas of Kueue serve the gauges, so these are never summed over replicas.
"""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import (
    Limits,
    Query,
    board,
    choice,
    graph,
    number,
)

NAME: Final = "queues"
_QUEUE: Final = 'cluster_queue=~"$queue"'


def dashboard() -> Dashboard:
    """Return the dashboard."""
    result = board(NAME, "Queues and teams", "What waits, for how long, and the quota of each queue.")
    result = result.with_variable(choice("queue", "Queue", "kueue_cluster_queue_status", "cluster_queue"))
    _waiting(result)
    _quota(result)
    _evictions(result)
    return result


def _of_one_replica(metric: str, by: str, more: str = "") -> str:
    """Return the sum of a gauge by labels, of one replica."""
    labels = f"{by}, " if by else ""
    sums = f"sum by ({labels}instance) ({metric}{{{_QUEUE}{more}}})"
    return f"max by ({by}) ({sums})" if by else f"max({sums})"


def _waiting(board: Dashboard) -> None:
    board.with_row(Row("Waiting"))
    active = 'kueue_cluster_queue_status{status="active"}'
    for title, text, expression, limits in (
        ("Waiting", "Workloads without quota.", _of_one_replica("kueue_pending_workloads", ""), None),
        (
            "Running",
            "Workloads that are admitted.",
            _of_one_replica("kueue_admitted_active_workloads", ""),
            None,
        ),
        (
            "Queues that admit nothing",
            "ClusterQueues that are not active.",
            f"count(max by (cluster_queue) ({active}) == 0)",
            Limits(1, 2),
        ),
    ):
        board.with_panel(number(title, text, Query(expression), limits=limits))
    board.with_panel(
        graph(
            "Waiting workloads",
            "`inadmissible` ones are tried again only when something changes.",
            [
                Query(
                    _of_one_replica("kueue_pending_workloads", "cluster_queue, status"),
                    "{{cluster_queue}} ({{status}})",
                )
            ],
            stacked=True,
        )
    )
    for share, title in ((0.5, "Wait, median"), (0.9, "Wait, nine of ten")):
        buckets = (
            f"sum by (cluster_queue, le) (rate(kueue_admission_wait_time_seconds_bucket{{{_QUEUE}}}[1h]))"
        )
        board.with_panel(
            graph(
                title,
                "From creation to admission, of workloads that were admitted in the last hour.",
                [Query(f"histogram_quantile({share}, {buckets})", "{{cluster_queue}}")],
                "s",
            )
        )
    board.with_panel(
        graph(
            "Running workloads",
            "Admitted and not finished.",
            [Query(_of_one_replica("kueue_admitted_active_workloads", "cluster_queue"), "{{cluster_queue}}")],
            stacked=True,
        )
    )
    waits = f"kueue_admitted_until_ready_wait_time_seconds_bucket{{{_QUEUE}}}"
    ready = f"sum by (cluster_queue, le) (rate({waits}[1h]))"
    board.with_panel(
        graph(
            "From admission to running Pods, nine of ten",
            "Nodes, images and models.",
            [Query(f"histogram_quantile(0.9, {ready})", "{{cluster_queue}}")],
            "s",
        )
    )


def _quota(board: Dashboard) -> None:
    board.with_row(Row("Quota"))
    by = "cluster_queue, resource"
    used = _of_one_replica("kueue_cluster_queue_resource_usage", by)
    nominal = _of_one_replica("kueue_cluster_queue_nominal_quota", by)
    board.with_panel(
        graph(
            "Use of the quota",
            "Above 100 % a queue borrows.",
            [Query(f"{used} / ({nominal} > 0)", "{{cluster_queue}} {{resource}}")],
            "percentunit",
            width=12,
        )
    )
    accelerators = ', resource=~".*(gpu|tpu|neuron).*"'
    board.with_panel(
        graph(
            "Accelerators by queue",
            "What admitted workloads use.",
            [
                Query(
                    _of_one_replica("kueue_cluster_queue_resource_usage", by, accelerators),
                    "{{cluster_queue}} {{resource}}",
                )
            ],
            stacked=True,
            width=12,
        )
    )


def _evictions(board: Dashboard) -> None:
    board.with_row(Row("Evictions"))
    board.with_panel(
        graph(
            "Evicted workloads",
            "In the last hour, by reason. They lose what they did since their last checkpoint.",
            [
                Query(
                    "sum by (cluster_queue, reason) "
                    f"(increase(kueue_evicted_workloads_total{{{_QUEUE}}}[1h]))",
                    "{{cluster_queue}}: {{reason}}",
                )
            ],
            stacked=True,
            width=12,
        )
    )
    board.with_panel(
        graph(
            "Preempted workloads",
            "In the last hour, by the queue that needed their quota.",
            [
                Query(
                    "sum by (preempting_cluster_queue, reason) "
                    "(increase(kueue_preempted_workloads_total[1h]))",
                    "{{preempting_cluster_queue}}: {{reason}}",
                )
            ],
            stacked=True,
            width=12,
        )
    )
