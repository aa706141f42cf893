"""Alerts of GPUs: errors of the hardware, throttling, idle GPUs.

The series of DCGM's exporter have the labels `namespace` and `pod` of the Pod that uses the GPU.
"""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert, Recording
from aiplatform.observability.settings import Settings

HARDWARE_XIDS: Final = (
    *(46, 48, 54, 62, 63, 64, 74, 79, 95, 109, 110),
    *(119, 120, 136, 140, 142, 143, 151, 155, 156, 158),
)
"""XID errors after which EKS replaces a node (aws/eks-node-monitoring-agent, dcgm_policies.go, commit
51af549)."""
PROGRAM_XIDS: Final = (13, 31, 43, 45, 68, 69)
"""XID errors that are mostly those of a program."""
_GPU: Final = "GPU {{ $labels.gpu }} ({{ $labels.modelName }}) of node {{ $labels.Hostname }}"
_RESOURCE: Final = 'resource="nvidia_com_gpu"'


def rules(settings: Settings) -> Iterator[Alert | Recording]:
    """Return the rules of an environment."""
    if settings.gpu_metrics:
        yield from _errors()
        yield from _throttling()
        yield from _use()
    if any(pool.has_nvidia_gpus for pool in settings.pools):
        yield from _nodes(settings)


def _errors() -> Iterator[Alert]:
    # The series of an XID error is new with each number and stays until the node restarts: rate(), increase()
    # and changes() of it are always 0.
    yield Alert(
        name="GpuXidHardwareError",
        severity="critical",
        expression=f'DCGM_FI_DEV_XID_ERRORS{{err_code=~"{_any(HARDWARE_XIDS)}"}} > 0',
        summary=f"XID {{{{ $labels.err_code }}}} on {_GPU}",
        description=f"{_GPU} reports an error of the hardware: {{{{ $labels.err_msg }}}}. "
        "Work on it fails or is wrong.",
        pending="0s",
    )
    recent = f'DCGM_FI_DEV_XID_ERRORS{{err_code=~"{_any(PROGRAM_XIDS)}"}}'
    yield Alert(
        name="GpuXidProgramError",
        severity="info",
        expression=f"{recent} > 0 unless on (UUID, err_code) {recent} offset 30m",
        summary=f"XID {{{{ $labels.err_code }}}} on {_GPU}",
        description=(
            "Pod {{ $labels.namespace }}/{{ $labels.pod }} caused an error that is mostly one of its "
            "program: "
            "{{ $labels.err_msg }}."
        ),
        pending="0s",
    )
    yield Alert(
        name="GpuUncorrectedMemoryErrors",
        severity="critical",
        expression="increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL[1h]) > 0",
        summary=f"uncorrected memory errors on {_GPU}",
        description=(
            f"{_GPU} could not correct errors of its memory in the last hour. Results of work on it may be "
            "wrong."
        ),
        pending="0s",
    )
    yield Alert(
        name="GpuRowRemapFailed",
        severity="critical",
        expression="DCGM_FI_DEV_ROW_REMAP_FAILURE > 0",
        summary=f"{_GPU} has no spare rows of memory",
        description=f"Remapping of a row of memory of {_GPU} failed: the GPU must be replaced.",
        pending="0s",
    )
    yield Alert(
        name="GpuNeedsReset",
        severity="warning",
        expression=(
            "increase(DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS[1h]) > 0 or DCGM_FI_DEV_RETIRED_PENDING > 0"
        ),
        summary=f"{_GPU} replaces memory at its next reset",
        description=(
            f"{_GPU} had errors of memory that its next reset sets aside. Until then they can occur again."
        ),
        pending="0s",
    )
    yield Alert(
        name="GpuNvlinkErrors",
        severity="warning",
        expression="increase(DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL[15m]) > 10",
        summary="NVLink repeats transfers on node {{ $labels.instance }}",
        description=(
            "Transfers between the GPUs of a node were repeated {{ $value | humanize }} times in 15 "
            "minutes. "
            "Collective operations are slower, or fail."
        ),
        pending="15m",
    )


def _throttling() -> Iterator[Alert]:
    # In nanoseconds: a rate of 1e9 is all of the time. At their power limit GPUs run by design.
    yield Alert(
        name="GpuThrottledByTemperature",
        severity="warning",
        expression="rate(DCGM_FI_DEV_THERMAL_VIOLATION[10m]) / 1e9 > 0.1",
        summary=f"{_GPU} is throttled by its temperature",
        description=(
            f"{_GPU} was slower for {{{{ $value | humanizePercentage }}}} of the time. A job on several "
            f"GPUs is "
            "as slow as the slowest of them."
        ),
        pending="15m",
    )
    yield Alert(
        name="GpuThrottledByHardware",
        severity="warning",
        expression=(
            "(rate(DCGM_FI_DEV_BOARD_LIMIT_VIOLATION[10m]) + "
            "rate(DCGM_FI_DEV_RELIABILITY_VIOLATION[10m])) / 1e9 > 0.1"
        ),
        summary=f"{_GPU} is throttled by its board",
        description=(
            f"{_GPU} was slower for {{{{ $value | humanizePercentage }}}} of the time by limits of the "
            f"board or "
            "for reliability."
        ),
        pending="15m",
    )


def _use() -> Iterator[Alert]:
    # DCGM_FI_DEV_GPU_UTIL does not exist for a part of a GPU (MIG), DCGM_FI_PROF_* not for every model.
    # Never a Pod of the exporter: a free GPU would have it where the scrape adds labels of the target.
    used = '{pod!="", namespace!="kube-system"}'
    per_gpu = "by (namespace, pod, Hostname, gpu, modelName, GPU_I_ID)"
    profiled = f"max {per_gpu} (max_over_time(DCGM_FI_PROF_GR_ENGINE_ACTIVE{used}[10m]))"
    utilization = f"max {per_gpu} (max_over_time(DCGM_FI_DEV_GPU_UTIL{used}[10m]) / 100)"
    yield Alert(
        name="GpuIdle",
        severity="warning",
        expression=f"({profiled} or {utilization}) < 0.01",
        summary="Pod {{ $labels.namespace }}/{{ $labels.pod }} does not use its GPU",
        description=f"{_GPU} is allocated and has been idle for an hour.",
        pending="1h",
    )


def _nodes(settings: Settings) -> Iterator[Alert | Recording]:
    # Only Pods that have a node: waiting ones occupy nothing.
    requested = (
        f'sum by (node) (kube_pod_container_resource_requests{{{_RESOURCE}, node!=""}} * on (namespace, '
        f"pod, uid) "
        'group_left () (kube_pod_status_phase{phase=~"Pending|Running"} == 1))'
    )
    allocatable = f"sum by (node) (kube_node_status_allocatable{{{_RESOURCE}}})"
    pool = "on (node) group_left (label_ai_platform_pool) kube_node_labels"
    yield Recording("node:gpus_allocatable:sum", f"({allocatable} > 0) * {pool}")
    yield Recording("node:gpus_free:sum", f"({allocatable} - ({requested} or {allocatable} * 0)) * {pool}")
    by_pool, on_pool = "by (label_ai_platform_pool)", "on (label_ai_platform_pool)"
    per_node = f"max {by_pool} (node:gpus_allocatable:sum)"
    waits = "sum(kube_pod_status_unschedulable) > 0"
    if "kueue" in settings.addons:
        waits = f"({waits} or sum(kueue_pending_workloads) > 0)"
    yield Alert(
        name="GpuFragmentation",
        severity="warning",
        expression=(
            f"sum {by_pool} (node:gpus_free:sum) >= {per_node} "
            f"and {on_pool} max {by_pool} (node:gpus_free:sum) < {per_node} and on () {waits}"
        ),
        summary="pool {{ $labels.label_ai_platform_pool }} has free GPUs, but no free node",
        description=(
            "{{ $value }} GPUs of the pool are free on different nodes, and Pods wait. Jobs that need a "
            "whole "
            "node do not start."
        ),
        pending="30m",
    )
    yield Alert(
        name="GpuMissingOnNode",
        severity="critical",
        expression=f"kube_node_status_allocatable{{{_RESOURCE}}} < kube_node_status_capacity{{{_RESOURCE}}}",
        summary="node {{ $labels.node }} offers fewer GPUs than it has",
        description="The device plugin reports unhealthy GPUs: {{ $value }} are left on the node.",
        pending="10m",
    )
    if settings.gpu_metrics:
        yield Alert(
            name="GpuMetricsMissing",
            severity="warning",
            expression=(
                f"count(kube_node_status_capacity{{{_RESOURCE}}} > 0) > "
                "(count(count by (Hostname) (DCGM_FI_DEV_GPU_TEMP)) or vector(0))"
            ),
            summary="nodes with GPUs have no metrics of them",
            description=(
                "{{ $value }} nodes have GPUs, fewer have series of DCGM. Alerts of GPUs do not fire for "
                "the "
                "others."
            ),
            pending="15m",
        )


def _any(numbers: tuple[int, ...]) -> str:
    return "|".join(map(str, numbers))
