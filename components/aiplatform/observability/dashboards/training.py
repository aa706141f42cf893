"""Training runs: JobSets with their restarts, and the GPUs of each."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import (
    Query,
    board,
    choice,
    graph,
    listing,
)
from aiplatform.observability.settings import Settings

NAME: Final = "training"
_NAMESPACE: Final = 'namespace=~"$namespace"'
_RUN: Final = "label_jobset_sigs_k8s_io_jobset_name"
_PODS: Final = f'kube_pod_labels{{{_NAMESPACE}, {_RUN}!=""}}'
_OF_RUN: Final = f"* on (namespace, pod) group_left ({_RUN}) max by (namespace, pod, {_RUN}) ({_PODS})"
_LEGEND: Final = f"{{{{namespace}}}}/{{{{{_RUN}}}}}"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    result = board(NAME, "Training runs", "JobSets, their restarts, and how much of their GPUs they use.")
    result = result.with_variable(choice("namespace", "Namespace", "kube_pod_labels", "namespace"))
    _runs(result)
    if settings.gpu_metrics:
        _gpus(result)
    return result


def _runs(board: Dashboard) -> None:
    board.with_row(Row("Runs"))
    running = f'max by (namespace, pod) (kube_pod_status_phase{{{_NAMESPACE}, phase="Running"}} == 1)'
    waiting = f'max by (namespace, pod) (kube_pod_status_phase{{{_NAMESPACE}, phase="Pending"}} == 1)'
    for title, text, pods in (
        ("Running Pods", "Of each JobSet.", running),
        ("Waiting Pods", "Of each JobSet: without a node, or while images are pulled.", waiting),
    ):
        expression = f"sum by (namespace, {_RUN}) ({pods} {_OF_RUN})"
        board.with_panel(graph(title, text, [Query(expression, _LEGEND)], stacked=True))
    board.with_panel(
        graph(
            "Restarts",
            "Of each JobSet since it was created.",
            [Query(f"kube_customresource_jobset_restarts{{{_NAMESPACE}}} > 0", "{{namespace}}/{{name}}")],
        )
    )
    board.with_panel(
        listing(
            "Failed JobSets",
            "They do not start again by themselves.",
            Query(f"max by (namespace, jobset_name) (jobset_failed_total{{{_NAMESPACE}}}) > 0"),
        )
    )
    board.with_panel(
        listing(
            "Failed Jobs",
            "They do not start again by themselves.",
            Query(f'max by (namespace, job_name) (kube_job_failed{{{_NAMESPACE}, condition="true"}}) == 1'),
        )
    )
    board.with_panel(
        graph(
            "Memory",
            "The largest container of each run.",
            [
                Query(
                    f"max by (namespace, {_RUN}) (max by (namespace, pod) "
                    f'(container_memory_working_set_bytes{{{_NAMESPACE}, container!=""}}) {_OF_RUN})',
                    _LEGEND,
                )
            ],
            "bytes",
        )
    )


def _gpus(board: Dashboard) -> None:
    board.with_row(Row("GPUs of a run"))
    panels = (
        ("Utilization", "Share of time in which a kernel ran.", "DCGM_FI_DEV_GPU_UTIL", " / 100"),
        ("Tensor cores", "Share of cycles in which they were active.", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", ""),
        ("Memory interface", "Share of cycles in which data moved.", "DCGM_FI_PROF_DRAM_ACTIVE", ""),
    )
    for title, text, metric, divisor in panels:
        of_pod = f'avg by (namespace, pod) ({metric}{{{_NAMESPACE}, pod!=""}})'
        expression = f"avg by (namespace, {_RUN}) ({of_pod} {_OF_RUN}){divisor}"
        board.with_panel(
            graph(title, f"{text} Mean of its GPUs.", [Query(expression, _LEGEND)], "percentunit", most=1)
        )
    slowest = f'min by (namespace, pod) (DCGM_FI_PROF_SM_ACTIVE{{{_NAMESPACE}, pod!=""}})'
    board.with_panel(
        graph(
            "The idlest GPU",
            "Share of cycles in which a multiprocessor worked, of the GPU of a run that did the least: the "
            "others wait for it.",
            [Query(f"min by (namespace, {_RUN}) ({slowest} {_OF_RUN})", _LEGEND)],
            "percentunit",
            most=1,
        )
    )
    power = f'sum by (namespace, pod) (DCGM_FI_DEV_POWER_USAGE{{{_NAMESPACE}, pod!=""}})'
    board.with_panel(
        graph(
            "Power",
            "Of all GPUs of a run.",
            [Query(f"sum by (namespace, {_RUN}) ({power} {_OF_RUN})", _LEGEND)],
            "watt",
        )
    )
