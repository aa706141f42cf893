"""Model serving: Pods of model servers, by their priority class, with what Kubernetes and their GPUs report.

Metrics of the servers themselves (latency, tokens) come with them.
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
from aiplatform.observability.settings import Settings

NAME: Final = "serving"
_PODS: Final = 'max by (namespace, pod) (kube_pod_info{priority_class="serving", namespace=~"$namespace"})'
_SERVING: Final = f"* on (namespace, pod) group_left () {_PODS}"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    result = board(NAME, "Model serving", "Pods with the priority class `serving`.")
    metric = 'kube_pod_info{priority_class="serving"}'
    result = result.with_variable(choice("namespace", "Namespace", metric, "namespace"))
    _pods(result)
    if settings.gpu_metrics:
        _gpus(result)
    return result


def _pods(board: Dashboard) -> None:
    board.with_row(Row("Pods"))
    unschedulable = f"max by (namespace, pod) (kube_pod_status_unschedulable) {_SERVING}"
    restarts = "sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[1h]))"
    for title, text, expression, limits in (
        ("Pods", "Of model servers.", f"count({_PODS})", None),
        (
            "Without a node",
            "The model runs with fewer replicas than its load needs.",
            f"sum({unschedulable})",
            Limits(1, 2),
        ),
        ("Restarts", "Of containers, in the last hour.", f"sum({restarts} {_SERVING})", Limits(1, 5)),
    ):
        board.with_panel(number(title, text, Query(expression), limits=limits))
    running = f'max by (namespace, pod) (kube_pod_status_phase{{phase="Running"}} == 1) {_SERVING}'
    board.with_panel(
        graph(
            "Running Pods",
            "By namespace.",
            [Query(f"sum by (namespace) ({running})", "{{namespace}}")],
            stacked=True,
        )
    )
    cpu = 'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))'
    memory = 'sum by (namespace, pod) (container_memory_working_set_bytes{container!=""})'
    board.with_panel(
        graph("CPU", "Cores of each Pod.", [Query(f"{cpu} {_SERVING}", "{{namespace}}/{{pod}}")])
    )
    board.with_panel(
        graph("Memory", "Of each Pod.", [Query(f"{memory} {_SERVING}", "{{namespace}}/{{pod}}")], "bytes")
    )


def _gpus(board: Dashboard) -> None:
    board.with_row(Row("GPUs"))
    of_pod = 'avg by (namespace, pod) ({metric}{{pod!=""}}) '
    memory = (
        'sum by (namespace, pod) (DCGM_FI_DEV_FB_USED{pod!=""}) '
        '/ sum by (namespace, pod) (DCGM_FI_DEV_FB_USED{pod!=""} + DCGM_FI_DEV_FB_FREE{pod!=""}) '
    )
    panels = (
        (
            "Utilization",
            "Share of time in which a kernel ran.",
            f"{of_pod.format(metric='DCGM_FI_DEV_GPU_UTIL')}/ 100 ",
        ),
        (
            "Tensor cores",
            "Share of cycles in which they were active.",
            of_pod.format(metric="DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"),
        ),
        ("GPU memory in use", "Weights and caches; servers of language models take what there is.", memory),
    )
    for title, text, expression in panels:
        query = Query(f"{expression}{_SERVING}", "{{namespace}}/{{pod}}")
        board.with_panel(graph(title, text, [query], "percentunit", most=1))
