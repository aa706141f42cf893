"""The commands `drain` and `gpu check`: what they refuse, and where they get the pools from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client import ApiException
from typer.testing import CliRunner

from aiplatform.cluster import kubeconfig as outputs_of_cluster
from aiplatform.cluster.args import CLUSTER
from cli import app as application
from cli.maintenance import gpu_check, kubeconfigs
from cli.maintenance.cluster import Cluster, pools_of
from cli.output import CommandError
from tests.components.aiplatform.fabric_pools import known_outputs

RUNNER = CliRunner()
GPU_POOL = {"name": "training", "resource": "nvidia.com/gpu", "resources_per_node": 8}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIPLATFORM_HOME", str(tmp_path / "home"))


def run(*arguments: str) -> Any:
    return RUNNER.invoke(application.app, list(arguments), catch_exceptions=False)


def test_pools_of_an_environment_are_those_of_its_file() -> None:
    assert pools_of("aws-prod") == ["serving", "training", "general"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("drain", "aws-prod", "trainig"),
            r"Pulumi\.aws-prod\.yaml: no pool 'trainig'; .*; did you mean 'training'\?",
        ),
        (("drain", "aws-prod", "training"), "aws-prod is not deployed on its twin"),
        (("drain", "aws-prod", "training", "--cancel", "--evict"), "expected neither --evict nor --replace"),
        (("drain", "aws-prdo", "training"), "'aws-prdo'"),
        (("gpu", "check", "aws-prod", "--pool", "serv"), "did you mean 'serving'"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_changed(
    arguments: tuple[str, ...], error: str
) -> None:
    with pytest.raises(CommandError, match=error):
        run(*arguments)


def outputs(tmp_path: Path, **pools: Any) -> str:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({"foundation": {"gpu_pools": pools}}))
    return str(file)


def test_pool_without_nvidia_gpus_is_refused(tmp_path: Path) -> None:
    file = outputs(tmp_path, training={**GPU_POOL, "resource": "google.com/tpu"}, serving=GPU_POOL)
    with pytest.raises(CommandError, match=r"training has no NVIDIA GPUs; expected one of .* serving"):
        run("gpu", "check", "aws-prod", "--pool", "training", "--outputs", file)


def test_outputs_that_are_no_json_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text("pulumi: error")
    with pytest.raises(CommandError, match="expected pulumi stack output --json"):
        run("gpu", "check", "aws-prod", "--outputs", str(file))


def test_kubeconfig_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("{}")
    with pytest.raises(CommandError, match="no kubeconfig"):
        run("drain", "aws-prod", "training", "--kubeconfig", str(file))


def kubeconfig(tmp_path: Path, entry: str, *arguments: str) -> Path:
    file = tmp_path / "kubeconfig"
    user = {"exec": {"command": "aws", "args": [*arguments]}} if arguments else {}
    content = {
        "current-context": "prod",
        "contexts": [
            {"name": "dev", "context": {"cluster": "other", "user": "me"}},
            {"name": "prod", "context": {"cluster": entry, "user": "me"}},
        ],
        "clusters": [{"name": entry, "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": user}],
    }
    file.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize(
    ("entry", "arguments", "name"),
    [
        ("arn:aws:eks:us-west-2:333344445555:cluster/acme-prod-cluster", (), "acme-prod-cluster"),
        ("gke_acme-ml-prod_us-central1_acme-prod-cluster", (), "acme-prod-cluster"),
        ("acme-prod-cluster", (), "acme-prod-cluster"),
        # The name of the entry is the user's choice, and that of the command is what the token is for.
        ("production", ("eks", "get-token", "--cluster-name", "acme-prod-cluster"), "acme-prod-cluster"),
        ("acme-prod-cluster", ("eks", "get-token", "--cluster-name", "acme-dev-cluster"), "acme-dev-cluster"),
        ("production", ("token", "-i", "acme-prod-cluster"), "acme-prod-cluster"),
    ],
)
def test_the_cluster_of_a_kubeconfig_is_that_of_its_current_context(
    tmp_path: Path, entry: str, arguments: tuple[str, ...], name: str
) -> None:
    assert kubeconfigs.current(kubeconfig(tmp_path, entry, *arguments)) == ("prod", name)


def test_the_kubeconfig_that_the_platform_outputs_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    name = CLUSTER.of("acme-prod")
    for text in (
        outputs_of_cluster.kubeconfig(name, "us-west-2", "https://example.com", "LS0t"),
        outputs_of_cluster.gke_kubeconfig(name, "https://example.com", None),
    ):
        file.write_text(text)
        kubeconfigs.refuse_other("aws-prod", file)
        kubeconfigs.refuse_other("gcp-prod", file)


@pytest.mark.parametrize(
    "command",
    [("drain", "aws-prod", "training"), ("gpu", "check", "aws-prod", "--pool", "training")],
)
def test_kubeconfig_of_another_cluster_is_refused(tmp_path: Path, command: tuple[str, ...]) -> None:
    file = kubeconfig(tmp_path, "arn:aws:eks:us-west-2:333344445555:cluster/acme-staging-cluster")
    more = ("--outputs", outputs(tmp_path, training=GPU_POOL)) if command[0] == "gpu" else ()
    with pytest.raises(CommandError) as refused:
        run(*command, *more, "--kubeconfig", str(file))
    assert "the current context, 'prod', is of the cluster 'acme-staging-cluster'" in str(refused.value)
    assert "expected 'acme-prod-cluster', that of aws-prod" in str(refused.value)


class FakeCluster(Cluster):
    """A cluster with two nodes, whose tests end with recorded output. engine: whether they are nodes of EKS
    with the node monitoring agent. refused: the part of the names of Pods that have no log. queues: the
    LocalQueues for tests, where the cluster has Kueue. topology: of the pool's flavor."""

    def __init__(
        self,
        logs: dict[str, str],
        nodes: int = 2,
        *,
        engine: bool = False,
        refused: str = "none",
        queues: Sequence[str] = (),
        classes: Sequence[str] = (),
        topology: str = "",
        cordoned: Sequence[str] = (),
    ) -> None:
        self.engine, self.refused, self.cordoned = engine, refused, cordoned
        self.queues, self.classes, self.topology = queues, classes, topology
        self.events: dict[str, tuple[str, datetime]] = {}
        self.logs, self.created, self.deleted = logs, list[Any](), list[str]()
        self.core = self
        self._nodes = nodes

    def nodes(self, pool: str) -> list[Any]:
        labels = {"node.kubernetes.io/instance-type": "p5.48xlarge", "ai-platform/pool": pool}
        status = SimpleNamespace(
            conditions=[
                SimpleNamespace(type=kind, status="True", message="", reason="")
                for kind in ("Ready", "AcceleratedHardwareReady")
            ],
            allocatable={"nvidia.com/gpu": "8", "vpc.amazonaws.com/efa": "32"},
        )
        return [
            SimpleNamespace(
                metadata=SimpleNamespace(name=f"n{number}", labels=labels),
                spec=SimpleNamespace(unschedulable=f"n{number}" in self.cordoned or None),
                status=status,
            )
            for number in range(self._nodes)
        ]

    def list_event_for_all_namespaces(self, **_: Any) -> Any:
        return SimpleNamespace(items=[])

    def list(self, api_version: str, kind: str) -> list[Any]:
        flavor = {"topologyName": self.topology} if self.topology else {}
        known = {
            "DaemonSet": [("kube-system", "dcgm-server")] if self.engine else [],
            "ResourceFlavor": [("", "gpu")] if self.queues else [],
            "LocalQueue": [("gpu-check", name) for name in self.queues],
            "WorkloadPriorityClass": [("", name) for name in self.classes],
        }
        return [
            {"metadata": {"name": name, "namespace": namespace}, "spec": flavor}
            for namespace, name in known[kind]
        ]

    def replace(self, item: Any) -> None:
        self.created.append(item)

    def delete(self, item: Any) -> None:
        self.deleted.append(item["metadata"]["name"])

    def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        name = label_selector.partition("=")[2]
        if name in self.events:
            return SimpleNamespace(items=[])
        pod = SimpleNamespace(
            metadata=SimpleNamespace(name=f"{name}-x"),
            spec=SimpleNamespace(node_name="n0"),
            status=SimpleNamespace(phase="Failed", reason="Evicted", message="the node had no memory left"),
        )
        return SimpleNamespace(items=[pod])

    def list_namespaced_event(self, namespace: str, field_selector: str) -> Any:
        assert field_selector == "reason=FailedCreate"
        events = [
            SimpleNamespace(
                involved_object=SimpleNamespace(name=name), message=message, last_timestamp=moment
            )
            for name, (message, moment) in self.events.items()
        ]
        return SimpleNamespace(items=events)

    def read_namespaced_pod_log(self, name: str, namespace: str, container: str, **raw: bool) -> Any:
        assert raw == {"_preload_content": False}, "the client parses output that is JSON"
        if self.refused in name:
            raise ApiException(status=400)
        log = next((log for part, log in self.logs.items() if part in name), "")
        return SimpleNamespace(data=log.encode())


PASSES = [{"entity_group": "GPU", "entity_id": number, "status": "Pass"} for number in range(8)]
PASSED = json.dumps(
    {
        "DCGM Diagnostic": {
            "test_categories": [
                {"tests": [{"name": name, "results": PASSES} for name in ("software", "memory", "pcie")]}
            ]
        }
    }
)
FAST = json.dumps({"collective": "all_reduce", "bus_bandwidth_gb_per_second": 475, "correct": True})
OPTIONS = gpu_check.Options("aws-prod", "gpu-check", "default", 2, "torch:1", "dcgm:1", 5, 0)
DEFAULTS = dataclasses.replace(OPTIONS, queue="")


def checked(cluster: FakeCluster) -> list[tuple[str, str]]:
    report = list(gpu_check.check_pool(cluster, known_outputs("efa"), OPTIONS))
    return [(result.check, result.outcome) for result in report]


def test_every_node_is_tested_and_the_network_between_two() -> None:
    cluster = FakeCluster({"diag": PASSED, "bandwidth": FAST})
    assert checked(cluster) == [
        *[("node", "ok"), ("devices", "ok"), ("XID", "ok")] * 2,
        *[("diagnostics", "ok")] * 2,
        ("bandwidth", "ok"),
    ]
    kinds = [item["kind"] for item in cluster.created]
    assert kinds == ["Job", "Job", "ConfigMap", "JobSet"]
    assert sorted(cluster.deleted) == sorted(item["metadata"]["name"] for item in cluster.created)
    job = cluster.created[0]["spec"]["template"]["spec"]
    assert job["nodeSelector"]["kubernetes.io/hostname"] == "n0"


HARDWARE = json.dumps(
    {
        "gpus": 8,
        "passed": {test: list(range(8)) for test in ("memory", "copies", "products")},
        "failed": [],
        "rounds": 900,
        "gb_per_second": {"to GPU": 25.1},
    }
)


@pytest.mark.usefixtures("program")
def test_no_engine_is_started_next_to_that_of_the_agent_of_eks() -> None:
    cluster = FakeCluster({"diag": HARDWARE, "bandwidth": FAST}, engine=True)
    report = list(gpu_check.check_pool(cluster, known_outputs("efa"), OPTIONS))
    lines = [result for result in report if result.check == "diagnostics"]
    assert [(line.node, line.outcome) for line in lines] == [("n0", "ok"), ("n1", "ok")]
    assert lines[0].detail == "memory, copies, products on 8 GPUs, 900 rounds; to GPU 25.1 GB/s"
    assert "nv-hostengine" not in str(cluster.created), "the agent would have the node replaced"
    assert sorted(cluster.deleted) == sorted(item["metadata"]["name"] for item in cluster.created)


@pytest.mark.usefixtures("program")
def test_tests_wait_in_the_queue_of_their_pool_with_the_lowest_priority() -> None:
    cluster = FakeCluster({"diag": PASSED, "bandwidth": FAST}, queues=["gpu"], classes=["gpu-check"])
    report = list(gpu_check.check_pool(cluster, known_outputs("efa"), DEFAULTS))
    assert report[-1].outcome == "ok"
    (labels,) = {
        tuple(sorted(item["metadata"]["labels"].items())) for item in cluster.created if item["kind"] == "Job"
    }
    assert ("kueue.x-k8s.io/queue-name", "gpu") in labels
    assert ("kueue.x-k8s.io/priority-class", "gpu-check") in labels


def test_pool_whose_gpus_no_queue_lends_is_not_tested() -> None:
    cluster = FakeCluster({}, queues=["other"])
    report = list(gpu_check.check_pool(cluster, known_outputs("efa"), DEFAULTS))
    assert report[-1].outcome == "not run"
    assert report[-1].detail.startswith("the namespace gpu-check has no LocalQueue 'gpu'; expected")
    assert not cluster.created


@pytest.mark.usefixtures("program")
def test_cordoned_node_of_a_pool_with_a_topology_is_reported() -> None:
    cluster = FakeCluster({"diag": PASSED}, queues=["gpu"], topology="network", cordoned=["n0"])
    report = list(gpu_check.check_pool(cluster, known_outputs("efa"), DEFAULTS))
    lines = {result.node: result for result in report if result.check == "diagnostics"}
    assert lines["n0"].outcome == "not run"
    assert "the node is cordoned" in lines["n0"].detail
    assert lines["n1"].outcome == "ok"
    assert [item["kind"] for item in cluster.created] == ["Job"], "it would wait for ever"


@pytest.mark.usefixtures("program")
def test_pod_without_a_log_is_a_test_that_did_not_run() -> None:
    cluster = FakeCluster({"bandwidth": FAST}, refused="diag-1")
    report = list(gpu_check.check_pool(cluster, known_outputs("efa"), OPTIONS))
    details = [result.detail for result in report if result.check == "diagnostics"]
    assert details[1] == "Pod gpu-check-gpu-diag-1-x has no log: the node had no memory left"
    assert report[-1].outcome == "ok", "the other tests run"
    assert report[-1].node == "n0"


@pytest.mark.usefixtures("program")
def test_pods_that_the_cluster_refuses_are_reported_at_once() -> None:
    cluster = FakeCluster({"diag": PASSED, "bandwidth": FAST})
    now = datetime.now(UTC)
    cluster.events = {
        "gpu-check-gpu-diag-0": ("violates PodSecurity", now),
        "another": ("x", now),
        "gpu-check-gpu-bandwidth-nodes-0": ("of an earlier check", now - timedelta(minutes=5)),
    }
    report = list(gpu_check.check_pool(cluster, known_outputs("efa"), OPTIONS))
    lines = [result for result in report if result.check == "diagnostics"]
    assert (lines[0].outcome, lines[0].detail) == ("not run", "violates PodSecurity")
    assert (lines[1].outcome, report[-1].outcome) == ("ok", "ok")


def test_pool_whose_gpus_are_claimed_is_reported() -> None:
    pool = {**known_outputs("efa"), "device_class": "gpu.acme.com"}
    (line,) = gpu_check.check_pool(FakeCluster({}), pool, OPTIONS)
    assert (line.outcome, line.detail) == ("not run", "Pods claim its GPUs (DeviceClass gpu.acme.com)")


def test_error_of_one_pool_keeps_the_results_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(FakeCluster):
        def nodes(self, pool: str) -> list[Any]:
            if pool == "second":
                raise ApiException(status=403, reason="Forbidden")
            return []

    monkeypatch.setattr(Cluster, "of", lambda *_: Broken({}))
    pools = {name: {**GPU_POOL, "name": name} for name in ("first", "second", "third")}
    result = run("gpu", "check", "aws-prod", "--outputs", outputs(tmp_path, **pools))
    assert result.exit_code == 3
    assert result.stdout.count("the pool has no node") == 2
    assert "refused a request: Forbidden (status 403)" in result.stdout


def test_interrupted_check_prints_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(FakeCluster):
        def nodes(self, pool: str) -> list[Any]:
            if pool == "second":
                raise SystemExit(130)
            return []

    monkeypatch.setattr(Cluster, "of", lambda *_: Interrupted({}))
    pools = {name: {**GPU_POOL, "name": name} for name in ("first", "second")}
    result = run("gpu", "check", "aws-prod", "--outputs", outputs(tmp_path, **pools))
    assert result.exit_code == 130
    assert "the pool has no node" in result.stdout


def test_wrong_arguments_of_a_check_are_no_failed_check(tmp_path: Path) -> None:
    for arguments in (("--pool", "serv"), ("--outputs", outputs(tmp_path))):
        with pytest.raises(CommandError) as caught:
            run("gpu", "check", "aws-prod", *arguments)
        assert caught.value.code == 2


@pytest.mark.usefixtures("program")
def test_slow_network_fails() -> None:
    slow = json.dumps({"collective": "all_reduce", "bus_bandwidth_gb_per_second": 30, "correct": True})
    assert checked(FakeCluster({"diag": PASSED, "bandwidth": slow}))[-1] == ("bandwidth", "failed")


@pytest.mark.usefixtures("program")
def test_network_of_one_node_is_not_tested() -> None:
    assert checked(FakeCluster({"diag": PASSED}, nodes=1))[-1] == ("bandwidth", "not run")


def test_pool_without_nodes_is_no_success() -> None:
    assert checked(FakeCluster({}, nodes=0)) == [("node", "not run")]
