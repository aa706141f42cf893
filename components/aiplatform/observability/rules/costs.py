"""What nodes, Pods, teams, trainings and services cost an hour, by OpenCost's metrics.

A Pod has what it requests of a node, or uses where that is more. What no Pod has is idle. OpenCost exports
the price of a GPU where the node has some; the nodes' other prices are zero then (`opencost.price_table`).
"""

from collections.abc import Iterator
from typing import Final

from aiplatform.observability.rule_types import Alert, Recording
from aiplatform.observability.settings import Settings

NODE: Final = "node:cost_usd_per_hour:sum"
POD: Final = "pod:cost_usd_per_hour:sum"
NAMESPACE: Final = "namespace:cost_usd_per_hour:sum"
TEAM: Final = "team:cost_usd_per_hour:sum"
IDLE: Final = "cluster:idle_cost_usd_per_hour:sum"
GPU_POOL: Final = "pool:gpu_cost_usd_per_hour:sum"
GPU_POOL_USED: Final = "pool:gpu_allocated_cost_usd_per_hour:sum"
TRAINING: Final = "training:cost_usd_per_hour:sum"
SERVICE: Final = "service:cost_usd_per_hour:sum"
PER_REQUESTS: Final = "service:cost_usd_per_1000_requests:rate1h"
PER_TOKENS: Final = "service:cost_usd_per_million_tokens:rate1h"
FACTOR: Final = "node:price_factor:ratio"
TRAINING_LABEL: Final = "label_jobset_sigs_k8s_io_jobset_name"
_SERVICE_LABEL: Final = "label_serving_kserve_io_inferenceservice"
_COLOR: Final = "(.+?)(?:-blue|-green)?"
_GIB: Final = 1024**3
_PODS: Final = "by (namespace, pod)"


def of_run(window: str) -> str:
    """Return the dollars that each training has cost in a window, such as `7d`: minutes times dollars an
    hour. A minute without a sample costs nothing."""
    return f"sum_over_time({TRAINING}[{window}:1m]) / 60"


def rules(settings: Settings) -> Iterator[Alert | Recording]:
    """Return the rules of an environment."""
    if not settings.opencost:
        return
    yield from _nodes(settings)
    yield from _pods()
    yield from _trainings_and_services(settings)
    yield Alert(
        name="NodePriceUnknown",
        severity="warning",
        expression=(
            "max by (node) (kube_node_info) unless on (node) max by (node) (node_total_hourly_cost > 0)"
        ),
        summary="node {{ $labels.node }} has no price",
        description="OpenCost exports none: costs of what runs there are missing.",
        pending="30m",
    )


def _nodes(settings: Settings) -> Iterator[Recording]:
    spot = 'max by (node) (kube_node_labels{label_ai_platform_capacity="spot"})'
    priced = "max by (node) (node_total_hourly_cost)"
    yield Recording(FACTOR, f"{spot} * {settings.spot_ratio:g} or {priced} * 0 + 1")
    pool = (
        "on (node) group_left (label_ai_platform_pool) "
        "max by (node, label_ai_platform_pool) (kube_node_labels)"
    )
    yield Recording(
        NODE,
        f"{priced} * on (node) {FACTOR} * {pool}",
    )
    of_gpu = f"on (node) max by (node) (node_gpu_hourly_cost) * on (node) {FACTOR}"
    gpus = f"max by (node) (node_gpu_count) * {of_gpu}"
    yield Recording(
        GPU_POOL,
        f"sum by (label_ai_platform_pool) ({gpus} * {pool})",
    )
    allocated = (
        f"sum by (node) (max by (namespace, pod, container, node) (container_gpu_allocation)) * {of_gpu}"
    )
    yield Recording(
        GPU_POOL_USED,
        f"sum by (label_ai_platform_pool) ({allocated} * {pool})",
    )


def _pods() -> Iterator[Recording]:
    parts = (
        ("cpu", "container_cpu_allocation", "node_cpu_hourly_cost"),
        ("memory", f"container_memory_allocation_bytes / {_GIB}", "node_ram_hourly_cost"),
        ("gpu", "container_gpu_allocation", "node_gpu_hourly_cost"),
    )
    costs = " or ".join(
        "label_replace(max by (namespace, pod, container, node) "
        f"({allocation}) * on (node) group_left () (max by (node) ({price}) * on (node) {FACTOR}), "
        f'"part", "{part}", "", "")'
        for part, allocation, price in parts
    )
    yield Recording(POD, f"sum {_PODS} ({costs})")
    yield Recording(NAMESPACE, f"sum by (namespace) ({POD})")
    team = 'max by (namespace, label_ai_platform_team) (kube_namespace_labels{label_ai_platform_team!=""})'
    yield Recording(
        TEAM,
        f"sum by (label_ai_platform_team) ({NAMESPACE} * on (namespace) group_left (label_ai_platform_team) "
        f"{team})",
    )
    yield Recording(IDLE, f"clamp_min(sum({NODE}) - sum({POD}), 0)")


def _trainings_and_services(settings: Settings) -> Iterator[Recording]:
    run = f'max by (namespace, pod, {TRAINING_LABEL}) (kube_pod_labels{{{TRAINING_LABEL}!=""}})'
    yield Recording(
        TRAINING,
        f"sum by (namespace, {TRAINING_LABEL}) ({POD} * on (namespace, pod) group_left ({TRAINING_LABEL}) "
        f"{run})",
    )
    service = f'max by (namespace, pod, {_SERVICE_LABEL}) (kube_pod_labels{{{_SERVICE_LABEL}!=""}})'
    by_object = f"{POD} * on (namespace, pod) group_left ({_SERVICE_LABEL}) {service}"
    yield Recording(
        SERVICE,
        "sum by (namespace, service) "
        f'(label_replace({by_object}, "service", "$1", "{_SERVICE_LABEL}", "{_COLOR}"))',
    )
    an_hour = f"avg_over_time({SERVICE}[1h])"
    if settings.gateway:
        name = '"envoy_cluster_name", "httproute/([^/]+)/([^/]+)/.*"'
        counted = "increase(envoy_cluster_upstream_rq_xx[1h])"
        requests = (
            f'label_replace(label_replace({counted}, "namespace", "$1", {name}), "service", "$2", {name})'
        )
        yield Recording(
            PER_REQUESTS,
            f"1000 * {an_hour} / on (namespace, service) (sum by (namespace, service) ({requests}) > 0)",
        )
    if settings.serving:
        tokens = "increase(vllm:prompt_tokens_total[1h]) + increase(vllm:generation_tokens_total[1h])"
        named = f'label_replace({tokens}, "service", "$1", "model_name", "{_COLOR}")'
        yield Recording(
            PER_TOKENS,
            f"1e6 * {an_hour} / on (namespace, service) (sum by (namespace, service) ({named}) > 0)",
        )
