"""The cluster and its GPUs: nodes of each pool, what Pods request of them, use and health of GPUs."""

import re
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import (
    Limits,
    Query,
    Unit,
    board,
    choice,
    graph,
    listing,
    number,
)
from aiplatform.observability.settings import Settings

NAME: Final = "cluster"
_POOL: Final = 'kube_node_labels{label_ai_platform_pool=~"$pool"}'
_OF_NODE: Final = (
    f"* on (node) group_left (label_ai_platform_pool) max by (node, label_ai_platform_pool) ({_POOL})"
)
# Kubernetes reports requests of Pods that have ended, too.
_ALIVE: Final = (
    "* on (namespace, pod) group_left () max by (namespace, pod) "
    '(kube_pod_status_phase{phase=~"Pending|Running"} == 1)'
)
_ROOT: Final = '{mountpoint="/"}'
_GPU: Final = "DCGM_FI_DEV_GPU_UTIL"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    result = board(NAME, "Cluster and GPU fleet", "Nodes of each pool, what is requested of them, and GPUs.")
    result = result.with_variable(choice("pool", "Pool", "kube_node_labels", "label_ai_platform_pool"))
    _nodes(result)
    resources = sorted({pool.resource for pool in settings.gpu_pools if pool.resource is not None})
    if resources:
        _accelerators(result, resources)
    if settings.gpu_metrics:
        _gpus(result)
        _health(result)
    if "karpenter" in settings.addons:
        _karpenter(result)
    return result


def _nodes(board: Dashboard) -> None:
    ready = 'kube_node_status_condition{condition="Ready", status="true"}'
    board.with_row(Row("Nodes"))
    for title, text, expression, limits in (
        ("Nodes", "Nodes of the cluster.", f"count({_POOL})", None),
        (
            "Not ready",
            "Nodes whose kubelet does not report that they are ready.",
            f"count({ready} == 0)",
            Limits(1, 3),
        ),
        ("Cordoned", "Nodes that take no new Pods.", "sum(kube_node_spec_unschedulable)", None),
        (
            "Pods without a node",
            "Pods that fit on no node.",
            "sum(kube_pod_status_unschedulable)",
            Limits(1, 10),
        ),
    ):
        board.with_panel(number(title, text, Query(expression), limits=limits))
    board.with_panel(
        graph(
            "Nodes of each pool",
            "How many nodes each pool has.",
            [Query(f"count by (label_ai_platform_pool) ({_POOL})", "{{label_ai_platform_pool}}")],
            stacked=True,
        )
    )
    for resource, title in (("cpu", "CPU that is requested"), ("memory", "Memory that is requested")):
        selector = f'{{resource="{resource}"}}'
        requested = _of_pools(f"kube_pod_container_resource_requests{selector} {_ALIVE}")
        allocatable = _of_pools(f"kube_node_status_allocatable{selector}")
        board.with_panel(
            graph(
                title,
                "Share of what the nodes of a pool have for Pods.",
                [Query(f"{requested} / {allocatable}", "{{label_ai_platform_pool}}")],
                "percentunit",
                most=1,
            )
        )
    board.with_panel(
        graph(
            "CPU in use",
            "By node, all modes but idle and waiting.",
            [
                Query(
                    '1 - avg by (instance) (rate(node_cpu_seconds_total{mode=~"idle|iowait"}[5m]))',
                    "{{instance}}",
                )
            ],
            "percentunit",
            most=1,
        )
    )
    board.with_panel(
        graph(
            "Memory in use",
            "Share of the memory of each node.",
            [Query("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{instance}}")],
            "percentunit",
            most=1,
        )
    )
    board.with_panel(
        graph(
            "Disk in use",
            "The root file system of each node.",
            [
                Query(
                    f"1 - node_filesystem_avail_bytes{_ROOT} / node_filesystem_size_bytes{_ROOT}",
                    "{{instance}}",
                )
            ],
            "percentunit",
            most=1,
        )
    )


def _of_pools(expression: str) -> str:
    """Return the sum of each pool of an expression whose series have the label `node`."""
    return f"sum by (label_ai_platform_pool) ({expression} {_OF_NODE})"


def _accelerators(board: Dashboard, resources: list[str]) -> None:
    # kube-state-metrics writes names of resources as names of labels.
    names = "|".join(re.sub(r"\W", "_", resource) for resource in resources)
    selector = f'{{resource=~"{names}"}}'
    allocatable = f"kube_node_status_allocatable{selector}"
    requested = f"kube_pod_container_resource_requests{selector} {_ALIVE}"
    board.with_row(Row("Accelerators"))
    board.with_panel(
        graph(
            "Accelerators",
            "What nodes have, and what Pods have requested, also Pods without a node.",
            [
                Query(f"sum by (resource) ({allocatable})", "{{resource}}: nodes have"),
                Query(f"sum by (resource) ({requested})", "{{resource}}: requested"),
            ],
        )
    )
    board.with_panel(
        graph(
            "Requested by namespace",
            "Accelerators of Pods that wait or run.",
            [Query(f"sum by (namespace) ({requested})", "{{namespace}}")],
            stacked=True,
        )
    )
    free = (
        f"sum by (node) ({allocatable}) - (sum by (node) ({requested}) or sum by (node) ({allocatable}) * 0)"
    )
    board.with_panel(
        graph(
            "Nodes by free accelerators",
            "Many nodes with a few free ones: large Pods find no node, though enough is free in total.",
            [Query(f'count_values("free", {free})', "{{free}} free")],
            stacked=True,
        )
    )


def _gpus(board: Dashboard) -> None:
    board.with_row(Row("Use of GPUs"))
    numbers: tuple[tuple[str, str, str, Unit], ...] = (
        ("GPUs", "GPUs that report.", f"count({_GPU})", ""),
        ("In use", "GPUs of a Pod.", f'count({_GPU}{{pod!=""}})', ""),
        ("Utilization", "Mean of the GPUs of Pods.", f'avg({_GPU}{{pod!=""}})', "percent"),
        (
            "Idle, but allocated",
            "GPUs of a Pod that did nothing for an hour.",
            f'count(max_over_time({_GPU}{{pod!=""}}[1h]) == 0)',
            "",
        ),
        ("Power", "Of all GPUs.", "sum(DCGM_FI_DEV_POWER_USAGE)", "watt"),
        ("Hottest", "The highest temperature of a GPU.", "max(DCGM_FI_DEV_GPU_TEMP)", "celsius"),
    )
    for title, text, query, unit in numbers:
        board.with_panel(number(title, text, Query(query), unit))
    for title, text, metric in (
        (
            "Utilization",
            "Share of time in which a kernel ran: not how much of the GPU it used.",
            f"{_GPU} / 100",
        ),
        ("Tensor cores", "Share of cycles in which they were active.", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"),
        ("Memory interface", "Share of cycles in which data moved.", "DCGM_FI_PROF_DRAM_ACTIVE"),
    ):
        name, _, divisor = metric.partition(" ")
        expression = f'avg by (namespace) ({name}{{pod!=""}}) {divisor}'.rstrip()
        board.with_panel(
            graph(
                title,
                f"{text} Mean of a namespace.",
                [Query(expression, "{{namespace}}")],
                "percentunit",
                most=1,
            )
        )
    board.with_panel(
        graph(
            "GPU memory in use",
            "Mean of a namespace.",
            [
                Query(
                    'sum by (namespace) (DCGM_FI_DEV_FB_USED{pod!=""}) '
                    '/ sum by (namespace) (DCGM_FI_DEV_FB_USED{pod!=""} + DCGM_FI_DEV_FB_FREE{pod!=""})',
                    "{{namespace}}",
                )
            ],
            "percentunit",
            most=1,
        )
    )
    board.with_panel(
        listing(
            "Idle GPUs of Pods",
            "GPUs that did nothing for an hour, with the Pod that has them.",
            Query(f'max by (Hostname, gpu, namespace, pod) (max_over_time({_GPU}{{pod!=""}}[1h])) == 0'),
            "percent",
        )
    )


def _health(board: Dashboard) -> None:
    board.with_row(Row("Health of GPUs"))
    board.with_panel(
        listing(
            "Last XID error",
            "The number of the last error of each GPU that had one. It stays until the node starts again.",
            Query("max by (Hostname, gpu, err_code, err_msg) (DCGM_FI_DEV_XID_ERRORS) > 0"),
        )
    )
    board.with_panel(
        listing(
            "Memory errors",
            "Uncorrected ones since boot, rows that are remapped for them, and failures of remapping.",
            Query(
                "max by (Hostname, gpu) (DCGM_FI_DEV_ECC_DBE_VOL_TOTAL) > 0 "
                "or max by (Hostname, gpu) (DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS) > 0 "
                "or max by (Hostname, gpu) (DCGM_FI_DEV_ROW_REMAP_FAILURE) > 0"
            ),
        )
    )
    reasons = (
        ("power", "DCGM_FI_DEV_POWER_VIOLATION"),
        ("temperature", "DCGM_FI_DEV_THERMAL_VIOLATION"),
        ("limits of the board", "DCGM_FI_DEV_BOARD_LIMIT_VIOLATION"),
        ("reliability", "DCGM_FI_DEV_RELIABILITY_VIOLATION"),
    )
    board.with_panel(
        graph(
            "Throttling",
            "Share of time in which the clock of the GPU that suffers most was lowered.",
            # The counters are nanoseconds.
            [Query(f"max(rate({metric}[5m])) / 1e9", reason) for reason, metric in reasons],
            "percentunit",
        )
    )
    board.with_panel(
        graph(
            "Temperature",
            "The hottest GPU of each node.",
            [Query("max by (Hostname) (DCGM_FI_DEV_GPU_TEMP)", "{{Hostname}}")],
            "celsius",
        )
    )
    board.with_panel(
        graph(
            "Errors of links",
            "NVLink and PCIe, by node, in the last hour.",
            [
                Query(
                    "sum by (Hostname) (increase(DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL[1h])) > 0",
                    "NVLink {{Hostname}}",
                ),
                Query(
                    "sum by (Hostname) (increase(DCGM_FI_DEV_PCIE_REPLAY_COUNTER[1h])) > 0",
                    "PCIe {{Hostname}}",
                ),
            ],
        )
    )


def _karpenter(board: Dashboard) -> None:
    board.with_row(Row("Karpenter"))
    limit = 'karpenter_nodepools_limit{resource_type="cpu"}'
    usage = 'karpenter_nodepools_usage{resource_type="cpu"}'
    board.with_panel(
        graph(
            "Use of a NodePool's limit",
            "CPUs. At the limit Karpenter creates no more nodes.",
            [Query(f"max by (nodepool) ({usage}) / max by (nodepool) ({limit} > 0)", "{{nodepool}}")],
            "percentunit",
            most=1,
        )
    )
    board.with_panel(
        graph(
            "Launches that failed",
            "In the last hour, by reason and type of capacity.",
            [
                Query(
                    "sum by (reason, capacity_type) "
                    "(increase(karpenter_cloudprovider_instance_launch_failures_total[1h])) > 0",
                    "{{reason}} ({{capacity_type}})",
                )
            ],
        )
    )
