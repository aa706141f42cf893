"""Costs of nodes, Pods, trainings, requests and tokens, calculated by hand, in the real promtool."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiplatform.observability import rules
from aiplatform.observability.rules import costs
from tests.components.aiplatform.observability import environments
from tests.components.aiplatform.observability.rules import promtool

GIB = 1024**3
LABELS = 'instance="{0}", node="{0}"'
JOBSET = "label_jobset_sigs_k8s_io_jobset_name"
SERVICE = "label_serving_kserve_io_inferenceservice"
# A spot node with four GPUs of 8 dollars an hour, which are its price, and one without GPUs of 0.4 dollars on
# demand: four CPUs of 0.07 and 16 GiB of 0.0075.
GPU_NODE = {
    "node_total_hourly_cost": "32",
    "node_cpu_hourly_cost": "0",
    "node_ram_hourly_cost": "0",
    "node_gpu_hourly_cost": "8",
    "node_gpu_count": "4",
}
CPU_NODE = {
    "node_total_hourly_cost": "0.4",
    "node_cpu_hourly_cost": "0.07",
    "node_ram_hourly_cost": "0.0075",
    "node_gpu_hourly_cost": "0",
    "node_gpu_count": "0",
}


def node(name: str, prices: Mapping[str, str], pool: str, capacity: str) -> dict[str, str]:
    labels = f'node="{name}", label_ai_platform_pool="{pool}", label_ai_platform_capacity="{capacity}"'
    return {
        **{f"{metric}{{{LABELS.format(name)}}}": f"{price}x180" for metric, price in prices.items()},
        f"kube_node_labels{{{labels}}}": "1x180",
    }


def pod(
    namespace: str, name: str, on: str, cpu: float, gib: float, gpus: int, more: str = "", end: int = 180
) -> dict[str, str]:
    # As Prometheus marks series that an exporter no longer has.
    minutes = f"x{end} stale"
    labels = f'namespace="{namespace}", pod="{name}", container="main", {LABELS.format(on)}'
    return {
        f"container_cpu_allocation{{{labels}}}": f"{cpu}{minutes}",
        f"container_memory_allocation_bytes{{{labels}}}": f"{gib * GIB:.0f}{minutes}",
        f"container_gpu_allocation{{{labels}}}": f"{gpus}{minutes}",
        f'kube_pod_labels{{namespace="{namespace}", pod="{name}", uid="1"{more}}}': f"1{minutes}",
    }


CHAT = "chat-blue"
SERIES = {
    **node("gpu", GPU_NODE, "training", "spot"),
    **node("cpu", CPU_NODE, "general", "on_demand"),
    'kube_namespace_labels{namespace="team-rec", label_ai_platform_team="rec"}': "1x180",
    # 2 GPUs for an hour, then it ends.
    **pod("team-rec", "train-0", "gpu", 4, 32, 2, f', {JOBSET}="train"', end=60),
    # Blue has a GPU; green, on a CPU, 1 CPU and 4 GiB: 0.07 + 0.03.
    **pod("team-rec", "chat-blue-0", "gpu", 2, 16, 1, f', {SERVICE}="{CHAT}"'),
    **pod("team-rec", "chat-green-0", "cpu", 1, 4, 0, f', {SERVICE}="chat-green"'),
    **pod("monitoring", "prometheus-0", "cpu", 1, 8, 0),
    # 60 requests a minute, of which six fail.
    'envoy_cluster_upstream_rq_xx{envoy_cluster_name="httproute/team-rec/chat/rule/0", '
    'envoy_response_code_class="2"}': "0+54x180",
    'envoy_cluster_upstream_rq_xx{envoy_cluster_name="httproute/team-rec/chat/rule/0", '
    'envoy_response_code_class="5"}': "0+6x180",
    f'vllm:prompt_tokens_total{{namespace="team-rec", pod="chat-blue-0", model_name="{CHAT}"}}': "0+9000x180",
    f'vllm:generation_tokens_total{{namespace="team-rec", pod="chat-blue-0", model_name="{CHAT}"}}': (
        "0+1000x180"
    ),
}


def expected(series: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        # A rounded series has no name.
        {"labels": f"{{{labels.partition('{')[2] or '}'}", "value": round(value, 6)}
        for labels, value in series.items()
    ]


def checked(cases: Sequence[tuple[str, str, Mapping[str, float]]], folder: Path) -> None:
    """Compare expressions at times with what they are expected to be."""
    groups = [group for group in rules.rule_groups(environments.COMPLETE) if group.name == "costs"]
    promtool.rules_file(groups, folder / "rules.json")
    document = {
        "rule_files": ["rules.json"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                "promql_expr_test": [
                    {
                        "expr": f"round({expression}, 0.000001)",
                        "eval_time": at,
                        "exp_samples": expected(series),
                    }
                    for expression, at, series in cases
                ],
            }
        ],
    }
    (folder / "tests.json").write_text(json.dumps(document), encoding="utf-8")
    promtool.run(promtool.find(), "test", "rules", folder / "tests.json")


def test_a_spot_node_costs_its_part_and_gpus_carry_the_price_of_their_node(tmp_path: Path) -> None:
    pool = "label_ai_platform_pool"
    checked(
        [
            (
                costs.NODE,
                "30m",
                {
                    f'{costs.NODE}{{node="gpu", {pool}="training"}}': 16,
                    f'{costs.NODE}{{node="cpu", {pool}="general"}}': 0.4,
                },
            ),
            (
                costs.GPU_POOL,
                "30m",
                {f'{costs.GPU_POOL}{{{pool}="training"}}': 16, f'{costs.GPU_POOL}{{{pool}="general"}}': 0},
            ),
            (
                costs.GPU_POOL_USED,
                "30m",
                {
                    f'{costs.GPU_POOL_USED}{{{pool}="training"}}': 12,
                    f'{costs.GPU_POOL_USED}{{{pool}="general"}}': 0,
                },
            ),
        ],
        tmp_path,
    )


def test_teams_have_what_their_pods_request_and_the_rest_is_idle(tmp_path: Path) -> None:
    # Three GPUs of 4 dollars, and 0.1; then one ends with two of them.
    checked(
        [
            (costs.TEAM, "30m", {f'{costs.TEAM}{{label_ai_platform_team="rec"}}': 12.1}),
            (costs.TEAM, "120m", {f'{costs.TEAM}{{label_ai_platform_team="rec"}}': 4.1}),
            # 16.4 without 12.1 and 0.07 + 8 * 0.0075.
            (costs.IDLE, "30m", {costs.IDLE: 4.17}),
        ],
        tmp_path,
    )


def test_a_training_costs_its_gpus_for_the_time_that_it_ran(tmp_path: Path) -> None:
    # Samples of 61 minutes, of which each counts for a minute: 8 dollars an hour.
    checked(
        [
            (costs.of_run("3h"), "170m", {f'{{namespace="team-rec", {JOBSET}="train"}}': 8 * 61 / 60}),
            (costs.TRAINING, "170m", {}),
        ],
        tmp_path,
    )


def test_requests_and_tokens_cost_what_both_colors_cost_in_the_hour(tmp_path: Path) -> None:
    # 4.1 dollars an hour, 3600 requests and 600,000 tokens in the hour.
    labels = '{namespace="team-rec", service="chat"}'
    checked(
        [
            (costs.SERVICE, "150m", {f"{costs.SERVICE}{labels}": 4.1}),
            (costs.PER_REQUESTS, "150m", {f"{costs.PER_REQUESTS}{labels}": 4.1 / 3.6}),
            (costs.PER_TOKENS, "150m", {f"{costs.PER_TOKENS}{labels}": 4.1 / 0.6}),
        ],
        tmp_path,
    )
