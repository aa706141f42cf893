"""A dashboard for each team: its Pods, what they use and cost, its GPUs, and its queue."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import Limits, Query, board, graph, listing, number
from aiplatform.observability.rules import costs
from aiplatform.observability.settings import Settings, Team

_NAME: Final = "team"


def name_of(team: Team) -> str:
    """Return the name of a team's dashboard, the last part of its uid."""
    return f"{_NAME}-{team.name}"


def dashboard(team: Team, settings: Settings) -> Dashboard:
    """Return the dashboard of a team."""
    result = board(name_of(team), f"Team {team.name}", f"What runs in the namespace {team.namespace}.")
    selector = f'namespace="{team.namespace}"'
    _pods(result, selector)
    if settings.gpu_metrics:
        _gpus(result, selector)
    if team.queue is not None and "kueue" in settings.addons:
        _queue(result, team.queue)
    if settings.opencost:
        _costs(result, selector)
    return result


def _pods(board: Dashboard, selector: str) -> None:
    board.with_row(Row("Pods"))
    for title, text, phase, limits in (
        ("Running", "Pods that run.", "Running", None),
        ("Waiting", "Pods without a node, or whose images are pulled.", "Pending", None),
        ("Failed", "Pods that ended with an error.", "Failed", Limits(1, 10)),
    ):
        expression = f'sum(kube_pod_status_phase{{{selector}, phase="{phase}"}})'
        board.with_panel(number(title, text, Query(expression), limits=limits))
    use = f'{selector}, container!=""'
    board.with_panel(
        graph(
            "CPU in use",
            "CPUs that each Pod uses.",
            [Query(f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{use}}}[5m]))", "{{pod}}")],
            stacked=True,
        )
    )
    board.with_panel(
        graph(
            "Memory in use",
            "Working set of each Pod.",
            [Query(f"sum by (pod) (container_memory_working_set_bytes{{{use}}})", "{{pod}}")],
            "bytes",
            stacked=True,
        )
    )
    board.with_panel(
        listing(
            "Failed Jobs",
            "They do not start again by themselves.",
            Query(f'max by (job_name) (kube_job_failed{{{selector}, condition="true"}}) == 1'),
        )
    )


def _gpus(board: Dashboard, selector: str) -> None:
    board.with_row(Row("GPUs"))
    use = f"DCGM_FI_DEV_GPU_UTIL{{{selector}}}"
    board.with_panel(number("GPUs", "That Pods of the team have.", Query(f"count({use})")))
    board.with_panel(
        graph(
            "Use of GPUs",
            "Average of the GPUs of each Pod.",
            [Query(f"avg by (pod) ({use})", "{{pod}}")],
            "percent",
            most=100,
        )
    )


def _queue(board: Dashboard, queue: str) -> None:
    """All replicas of Kueue serve the gauges, so that they are never summed over replicas."""
    board.with_row(Row("Queue"))
    of_queue = f'{{cluster_queue="{queue}"}}'
    for title, text, metric in (
        ("Waiting workloads", "Without quota.", "kueue_pending_workloads"),
        ("Running workloads", "Admitted and not finished.", "kueue_admitted_active_workloads"),
    ):
        board.with_panel(
            number(title, text, Query(f"max(sum by (instance) ({metric}{of_queue}))")),
        )
    used, quota = (
        f"max by (resource) (sum by (resource, instance) (kueue_cluster_queue_{metric}{of_queue}))"
        for metric in ("resource_usage", "nominal_quota")
    )
    board.with_panel(
        graph(
            "Use of the quota",
            "Above 100 % the queue borrows.",
            [Query(f"{used} / ({quota} > 0)", "{{resource}}")],
            "percentunit",
        )
    )


def _costs(board: Dashboard, selector: str) -> None:
    board.with_row(Row("Costs, by list prices of nodes"))
    cost = f"sum({costs.NAMESPACE}{{{selector}}})"
    board.with_panel(number("An hour", "Dollars an hour.", Query(cost), "currencyUSD"))
    board.with_panel(
        number("A month like this hour", "Dollars for 730 hours.", Query(f"{cost} * 730"), "currencyUSD")
    )
    board.with_panel(graph("Costs an hour", "Dollars an hour.", [Query(cost, "dollars")], "currencyUSD"))
