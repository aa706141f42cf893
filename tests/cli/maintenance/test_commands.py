"""The commands `drain` and `gpu check`: what they refuse, and where they get the pools from."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app as application
from cli.maintenance import gpu_check
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


class FakeCluster(Cluster):
    """A cluster with one node, whose tests end with recorded output."""

    def __init__(self, logs: dict[str, str], nodes: int = 2) -> None:
        self.logs, self.created, self.deleted = logs, list[Any](), list[str]()
        self.core = self
        self._nodes = nodes

    def nodes(self, pool: str) -> list[Any]:
        labels = {"node.kubernetes.io/instance-type": "p5.48xlarge", "ai-platform/pool": pool}
        status = SimpleNamespace(
            conditions=[SimpleNamespace(type="Ready", status="True", message="", reason="")],
            allocatable={"nvidia.com/gpu": "8", "vpc.amazonaws.com/efa": "32"},
        )
        return [
            SimpleNamespace(metadata=SimpleNamespace(name=f"n{number}", labels=labels), status=status)
            for number in range(self._nodes)
        ]

    def list_event_for_all_namespaces(self, **_: Any) -> Any:
        return SimpleNamespace(items=[])

    def list(self, api_version: str, kind: str) -> list[Any]:
        return [{"metadata": {"name": "dcgm-server", "namespace": "kube-system"}}]

    def replace(self, item: Any) -> None:
        self.created.append(item)

    def delete(self, item: Any) -> None:
        self.deleted.append(item["metadata"]["name"])

    def list_namespaced_pod(self, namespace: str, label_selector: str) -> Any:
        name = label_selector.partition("=")[2]
        pod = SimpleNamespace(
            metadata=SimpleNamespace(name=f"{name}-x"), status=SimpleNamespace(phase="Succeeded")
        )
        return SimpleNamespace(items=[pod])

    def read_namespaced_pod_log(self, name: str, namespace: str, container: str, **raw: bool) -> Any:
        assert raw == {"_preload_content": False}, "the client parses output that is JSON"
        log = next((log for part, log in self.logs.items() if part in name), "")
        return SimpleNamespace(data=log.encode())


PASSED = json.dumps(
    {
        "DCGM Diagnostic": {
            "test_categories": [{"tests": [{"name": "memory", "results": [{"status": "Pass"}]}]}]
        }
    }
)
FAST = json.dumps({"collective": "all_reduce", "bus_bandwidth_gb_per_second": 475, "correct": True})
OPTIONS = gpu_check.Options("gpu-check", "default", 2, "torch:1", "dcgm:1", 5, 0)


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
    assert "nv-hostengine" not in str(job), "a second engine makes EKS's agent replace the node"
    assert '--host "$NODE_ADDRESS:5555"' in job["containers"][0]["command"][-1]


def test_image_on_aws_has_libfabric() -> None:
    assert gpu_check.image_of("aws-prod").startswith("763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-")
    assert gpu_check.image_of("gcp-prod").startswith("nvcr.io/nvidia/pytorch:")


def test_slow_network_fails() -> None:
    slow = json.dumps({"collective": "all_reduce", "bus_bandwidth_gb_per_second": 30, "correct": True})
    assert checked(FakeCluster({"diag": PASSED, "bandwidth": slow}))[-1] == ("bandwidth", "failed")


def test_network_of_one_node_is_not_tested() -> None:
    assert checked(FakeCluster({"diag": PASSED}, nodes=1))[-1] == ("bandwidth", "not run")


def test_pool_without_nodes_is_no_success() -> None:
    assert checked(FakeCluster({}, nodes=0)) == [("node", "not run")]
