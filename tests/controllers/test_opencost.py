"""The real OpenCost exports what nodes and Pods cost by the prices of estimates, and the real Prometheus
computes what a team, a training and a service cost from it and from the real kube-state-metrics.

OpenCost is the last version that the module proxy serves whole, 1.108.1: later ones add the label `uid` to
these series. It knows no prices of GPUs by label, which are left out here, so that it divides the price of
a node among CPUs, memory and GPUs by the ratios of its defaults: each Pod has the same part of all three.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from aiplatform.observability.monitors import COSTS
from aiplatform.observability.notifications import Notifications
from aiplatform.observability.opencost import price_table, values
from aiplatform.observability.rules import costs, rule_groups
from aiplatform.observability.settings import Settings
from aiplatform.observability.values.exporters import LABELS
from stacks import price_list
from tests.controllers.cluster import GPU, Cluster, node
from tests.controllers.monitoring import Monitoring, monitoring
from twin.instances import free_ports
from twin.tests.waiting import eventually
from twin.toolchain import build

TEAM: Final = "search"
GPU_TYPE, CPU_TYPE = "g6.12xlarge", "m7g.large"
TYPE: Final = "node.kubernetes.io/instance-type"
IDLE_OR_SYSTEM: Final = f'sum({costs.IDLE} or {costs.NAMESPACE}{{namespace!="{TEAM}"}})'
TOOLS: Final = ("opencost", "kube-state-metrics")
SECONDS: Final = 240
"""OpenCost reads the cluster once a minute."""


def pod(name: str, on: str, cpu: int, gib: int, gpus: int, labels: dict[str, str]) -> dict[str, Any]:
    requested = {"cpu": str(cpu), "memory": f"{gib}Gi", **({GPU: str(gpus)} if gpus else {})}
    container = {"name": "main", "image": "registry.example/x", "resources": {"limits": requested}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": TEAM, "labels": labels},
        "spec": {"nodeName": on, "containers": [container]},
    }


@pytest.fixture(scope="module")
def nodes(home: Path) -> Iterator[Cluster]:
    """A spot node with four GPUs of which a training has half, and one with CPUs of which a service has a
    quarter."""
    cluster = Cluster(home, "opencost", "kube-state-metrics")
    try:
        pools = (
            ("gpu", "training", "spot", GPU_TYPE, 48, 4),
            ("cpu", "general", "on_demand", CPU_TYPE, 8, 0),
        )
        for name, pool, capacity, machine_type, cpu, gpus in pools:
            labels = {"ai-platform/pool": pool, "ai-platform/capacity": capacity, TYPE: machine_type}
            cluster.create(node(name, cpu=cpu, gpus=gpus, labels=labels))
        metadata = {"name": TEAM, "labels": {"ai-platform/team": TEAM}}
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        eventually("its account", lambda: cluster.core.read_namespaced_service_account("default", TEAM))
        run = {"jobset.sigs.k8s.io/jobset-name": "train"}
        served = {"serving.kserve.io/inferenceservice": "chat-blue"}
        cluster.create(pod("train-0", "gpu", 24, 192, 2, run), pod("chat-0", "cpu", 2, 16, 0, served))
        yield cluster
    finally:
        cluster.remove()


@contextmanager
def process(folder: Path, command: list[str | Path], variables: dict[str, str]) -> Iterator[None]:
    with (folder / f"{Path(command[0]).name}.log").open("w") as log:
        running = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=variables)
        try:
            yield
        finally:
            running.terminate()
            running.wait(timeout=30)


@contextmanager
def measured(cluster: Cluster, folder: Path) -> Iterator[Monitoring]:
    """Run OpenCost and kube-state-metrics on the cluster, and Prometheus with the rules of costs."""
    tools = build.ensure([*TOOLS])
    kubeconfig = str(cluster.plain.instance.kubeconfig)
    opencost_port, state_port, telemetry_port = free_ports(3)
    known = price_list.opencost("aws")
    table = price_table(known["prices"], "aws").splitlines(keepends=True)
    (folder / "prices.csv").write_text("".join(line for line in table if ",gpulabel," not in line))
    settings = Settings(
        cloud="aws",
        cluster="acme",
        opencost=True,
        spot_ratio=known["spot_ratio"],
        addons=frozenset({"kserve"}),
    )
    groups = tuple(group for group in rule_groups(settings) if group.name == "costs")
    exporters = {"opencost": f"127.0.0.1:{opencost_port}", "kube-state-metrics": f"127.0.0.1:{state_port}"}
    with ExitStack() as stack:
        arguments: list[str | Path] = [
            tools["kube-state-metrics"],
            f"--kubeconfig={kubeconfig}",
            f"--port={state_port}",
            f"--telemetry-port={telemetry_port}",
            "--resources=namespaces,nodes,pods",
            f"--metric-labels-allowlist={','.join(LABELS)}",
        ]
        stack.enter_context(process(folder, arguments, {}))
        stored = {"opencost": COSTS.stored}
        prometheus = stack.enter_context(monitoring(folder, groups, Notifications(), {}, exporters, stored))
        environment = values("acme", {})["opencost"]["exporter"]["extraEnv"]
        variables = {
            **environment,
            "CSV_PATH": str(folder / "prices.csv"),
            "API_PORT": str(opencost_port),
            "KUBECONFIG": kubeconfig,
            "PROMETHEUS_SERVER_ENDPOINT": prometheus.prometheus,
            "CLUSTER_ID": "acme",
            "CONFIG_PATH": f"{folder}/",
            "CLOUD_COST_ENABLED": "false",
            "EMIT_KSM_V1_METRICS": "false",
            "HOME": str(folder),
        }
        stack.enter_context(process(folder, [tools["opencost"]], variables))
        yield prometheus


def dollars(prometheus: Monitoring, series: str, label: str) -> dict[str, float]:
    return {
        sample["metric"].get(label, ""): round(float(sample["value"][1]), 4)
        for sample in prometheus.query(series)
    }


def test_costs_are_those_of_the_prices_of_estimates(nodes: Cluster, tmp_path: Path) -> None:
    prices = price_list.opencost("aws")["prices"]
    # Half the price, as a spot node; half of it for the training. A quarter for the service.
    spot, train = prices[GPU_TYPE] / 2, prices[GPU_TYPE] / 4
    chat = prices[CPU_TYPE] / 4
    expected = {
        (costs.NODE, "label_ai_platform_pool"): {"training": spot, "general": prices[CPU_TYPE]},
        (costs.TRAINING, costs.TRAINING_LABEL): {"train": train},
        (costs.SERVICE, "service"): {"chat": chat},
        (costs.TEAM, "label_ai_platform_team"): {TEAM: train + chat},
        # The twin's clusters have Pods in kube-system too.
        (IDLE_OR_SYSTEM, ""): {"": spot - train + prices[CPU_TYPE] - chat},
    }
    with measured(nodes, tmp_path) as prometheus:

        def compared() -> bool:
            for (series, label), parts in expected.items():
                actual = dollars(prometheus, series, label)
                wanted = {key: pytest.approx(value, abs=2e-4) for key, value in parts.items()}
                assert actual == wanted, series
            return True

        eventually("the costs", compared, SECONDS)
        assert prometheus.query('ALERTS{alertname="NodePriceUnknown"}') == []
        nodes.create(node("new", cpu=4, labels={TYPE: "a-type-without-a-price"}))
        # It has OpenCost's default prices.
        eventually(
            "the price of an unknown type",
            lambda: any(
                sample["metric"]["node"] == "new" for sample in prometheus.query("node_total_hourly_cost")
            ),
            SECONDS,
        )
