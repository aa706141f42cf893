"""Tests of accelerators as manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from aiplatform import gpu_tests
from aiplatform.gpu_bandwidth import bus_bandwidth
from stacks.gpu_checks import Request, manifests
from tests.components.aiplatform.fabric_pools import POOLS, known_outputs
from tests.generating import nccl_tests

ROOT = Path(__file__).parents[3]


def pod(kind: str) -> dict[str, Any]:
    """The template of Pods of the bandwidth test."""
    jobset = gpu_tests.bandwidth_test(known_outputs(kind), "t", "research", image="torch:1")
    (job,) = jobset["spec"]["replicatedJobs"]
    return job["template"]["spec"]["template"]


@pytest.mark.parametrize("kind", POOLS)
def test_the_bandwidth_test_uses_whole_nodes_with_their_network(kind: str) -> None:
    template = pod(kind)
    (container,) = template["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "8"
    assert any("torchrun" in word for word in container["command"])
    assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/test", "/dev/shm"}  # noqa: S108
    if kind == "efa":
        assert container["resources"]["limits"]["vpc.amazonaws.com/efa"] == "32"
    else:
        assert "networking.gke.io/interfaces" in template["metadata"]["annotations"]


def test_nodes_meet_at_the_host_name_that_jobset_gives_the_first_one() -> None:
    command = pod("efa")["spec"]["containers"][0]["command"]
    assert "--rdzv-endpoint=t-nodes-0-0.t:29500" in command


def test_a_pool_without_such_a_network_is_refused() -> None:
    pool = {**known_outputs("efa"), "pod_requirements": None}
    with pytest.raises(ValueError, match="'gpu' has no network between the accelerators of several nodes"):
        gpu_tests.bandwidth_test(pool, "t", "research", image="torch:1")


def test_one_node_is_refused() -> None:
    with pytest.raises(ValueError, match="nodes: got 1; expected at least 2"):
        gpu_tests.bandwidth_test(known_outputs("efa"), "t", "research", image="torch:1", nodes=1)


@pytest.mark.parametrize("own_engine", [True, False])
def test_diagnostics_start_no_engine_where_the_node_has_one(own_engine: bool) -> None:
    job = gpu_tests.diagnostics(
        known_outputs("efa"), "t", "research", "n1", image="dcgm:1", node_engine=not own_engine
    )
    spec = job["spec"]["template"]["spec"]
    command = spec["containers"][0]["command"][-1]
    assert ("nv-hostengine" in command) is own_engine
    assert ("--host" in command) is not own_engine
    assert spec["nodeSelector"]["kubernetes.io/hostname"] == "n1"
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "8", "nothing else runs there"
    assert "node.kubernetes.io/unschedulable" in {toleration["key"] for toleration in spec["tolerations"]}


def test_the_command_line_gets_the_tests_of_a_pool() -> None:
    request = Request(
        known_outputs("efa"), "t", "research", "default", 1, "dcgm:1", "torch:1", {"n1": "p5.48xlarge"}, True
    )
    answer = manifests(request)
    assert answer["diagnostics"].keys() == {"n1"}
    assert [item["kind"] for item in answer["bandwidth"]] == ["ConfigMap", "JobSet"]
    assert answer["expected"]["gb_per_second"] == 479.3
    without = Request(**{**vars(request), "pool": {**request.pool, "pod_requirements": None}})
    assert manifests(without)["bandwidth"] == []


def test_bus_bandwidth_is_that_of_nccl_tests() -> None:
    # A line of the published output: 8 GiB in 33605 us by 16 GPUs.
    assert bus_bandwidth("all_reduce", 2**33, 16, 33605e-6) == pytest.approx(479.28, abs=0.01)
    assert bus_bandwidth("all_gather", 2**33, 16, 42668.7e-6) == pytest.approx(188.73, abs=0.01)


@pytest.mark.parametrize("path", nccl_tests.paths(), ids=str)
def test_the_examples_run_the_program_of_the_package(path: Path) -> None:
    script, jobset = yaml.safe_load_all((ROOT / path).read_text())
    program = (ROOT / "components/aiplatform/gpu_bandwidth.py").read_text()
    assert script["data"]["bandwidth.py"] == program
    assert jobset["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "default"


def test_published_bandwidths_are_documented() -> None:
    page = (ROOT / "docs/fabric.md").read_text()
    for machine, expected in gpu_tests.EXPECTED.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| {machine} |"))
        assert f"| {expected.gib:g} | {expected.gb_per_second:.0f} |" in row
