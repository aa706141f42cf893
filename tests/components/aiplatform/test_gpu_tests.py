"""Tests of accelerators as manifests."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from aiplatform import gpu_bandwidth, gpu_tests
from aiplatform.gpu_bandwidth import bus_bandwidth
from stacks.gpu_checks import Request, manifests, of_environment
from stacks.loading import ENVIRONMENTS, load_file
from tests.components.aiplatform.fabric_pools import POOLS, known_outputs
from tests.generating import nccl_tests
from tests.stacks.test_google_files import changed

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
    assert {"--master-addr=t-nodes-0-0.t", "--master-port=29500"} <= {*command}
    assert "--node-rank=$(JOB_COMPLETION_INDEX)" in command
    assert "--rdzv-conf=timeout=1200" in command, "another node may pull the image for minutes"


@pytest.mark.parametrize("kind", POOLS)
def test_log_states_the_network_of_nccl(kind: str) -> None:
    (container,) = pod(kind)["spec"]["containers"]
    assert {"name": "NCCL_DEBUG", "value": "INFO"} in container["env"]
    assert len({variable["name"] for variable in container["env"]}) == len(container["env"])


def test_tests_fit_on_small_nodes() -> None:
    small = {**known_outputs("efa"), "vcpus_per_node": 4, "memory_gib_per_node": 15.0}
    job = gpu_tests.diagnostics(small, "t", "research", "n1", image="dcgm:1")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "7Gi"}
    jobset = gpu_tests.bandwidth_test(small, "t", "research", image="torch:1")
    (part,) = jobset["spec"]["replicatedJobs"]
    (container,) = part["template"]["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "7Gi"}


def test_a_pool_without_such_a_network_is_refused() -> None:
    pool = {**known_outputs("efa"), "pod_requirements": None}
    with pytest.raises(ValueError, match="'gpu' has no network between the accelerators of several nodes"):
        gpu_tests.bandwidth_test(pool, "t", "research", image="torch:1")


def test_one_node_is_refused() -> None:
    with pytest.raises(ValueError, match="nodes: got 1; expected at least 2"):
        gpu_tests.bandwidth_test(known_outputs("efa"), "t", "research", image="torch:1", nodes=1)


def test_diagnostics_use_the_whole_node() -> None:
    job = gpu_tests.diagnostics(known_outputs("efa"), "t", "research", "n1", image="dcgm:1")
    spec = job["spec"]["template"]["spec"]
    assert "nv-hostengine" in spec["containers"][0]["command"][-1]
    assert spec["nodeSelector"]["kubernetes.io/hostname"] == "n1"
    assert spec["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "8", "nothing else runs there"
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "2", "memory": "16Gi"}
    assert "node.kubernetes.io/unschedulable" in {toleration["key"] for toleration in spec["tolerations"]}


def request(**changes: Any) -> Request:
    known: dict[str, Any] = {
        "environment": "aws-prod",
        "pool": known_outputs("efa"),
        "name": "t",
        "namespace": "research",
        "queue": "default",
        "priority": "gpu-check",
        "level": 2,
        "dcgm_image": "dcgm:1",
        "image": "torch:1",
        "nodes": {"n1": "p5.48xlarge"},
        "node_engine": False,
    }
    return Request(**{**known, **changes})


def test_the_command_line_gets_the_tests_of_a_pool() -> None:
    answer = manifests(request())
    assert answer["diagnostics"].keys() == {"n1"}
    assert [item["kind"] for item in answer["diagnostics"]["n1"]] == ["Job"]
    assert [item["kind"] for item in answer["bandwidth"]] == ["ConfigMap", "JobSet"]
    assert answer["expected"]["gb_per_second"] == 479.3
    for test in (answer["diagnostics"]["n1"][-1], answer["bandwidth"][-1]):
        assert test["metadata"]["labels"]["kueue.x-k8s.io/priority-class"] == "gpu-check"
        assert test["spec"]["ttlSecondsAfterFinished"] == 3600, "nothing else may be left to delete it"
    without = request(pool={**known_outputs("efa"), "pod_requirements": None}, priority=None)
    assert manifests(without)["bandwidth"] == []
    assert "kueue.x-k8s.io/priority-class" not in str(manifests(without))


@pytest.mark.parametrize(("level", "minutes"), [(1, "0"), (2, "5"), (3, "30")])
def test_nodes_with_an_engine_of_dcgm_are_tested_by_pytorch(level: int, minutes: str) -> None:
    (program, job) = manifests(request(node_engine=True, level=level))["diagnostics"]["n1"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "/test/hardware.py", f"--minutes={minutes}"]
    assert "hostengine" not in str(job), "a second engine makes EKS's agent replace the node"
    assert program["data"]["hardware.py"].startswith('"""Test the GPUs of a node without DCGM')
    (volume,) = job["spec"]["template"]["spec"]["volumes"]
    assert volume["configMap"]["name"] == program["metadata"]["name"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "8", "nothing else runs there"
    assert container["securityContext"]["runAsNonRoot"] is True, "its namespace is restricted on EKS"
    assert {"name": "USER", "value": "test"} in container["env"], "its image knows no user with this number"


@pytest.mark.parametrize(
    ("environment", "kind", "image"),
    [
        ("aws-prod", "efa", "public.ecr.aws/deep-learning-containers/pytorch-training:2.7.1-gpu-py312-cu128"),
        ("gcp-prod", "rdma", "nvcr.io/nvidia/pytorch:"),
        # NCCL of its plugin is older than the one that later images are built for.
        ("gcp-prod", "tcpx", "docker.io/pytorch/pytorch:2.2.2-cuda12.1"),
    ],
)
def test_images_that_a_request_leaves_out_are_those_of_the_environment(
    environment: str, kind: str, image: str
) -> None:
    settings = load_file(ENVIRONMENTS / f"Pulumi.{environment}.yaml")
    chosen = of_environment(request(pool=known_outputs(kind), image="", dcgm_image=""), settings)
    assert chosen.image.startswith(image)
    assert bool(chosen.dcgm_image) == environment.startswith("gcp"), "no engine is started on EKS"
    assert of_environment(request(), settings).image == "torch:1"


def test_tests_have_the_labels_that_guardrails_require(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {"guardrails/required_labels": ["cost-center"]}, "gcp-prod"))
    answer = manifests(of_environment(request(), settings))
    for test in (answer["diagnostics"]["n1"][-1], answer["bandwidth"][-1]):
        assert test["metadata"]["labels"]["cost-center"] == "gpu-check"
        assert test["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "default"


def test_images_of_tests_come_from_mirrors(tmp_path: Path) -> None:
    file = changed(tmp_path, {"images/mirrors": {"nvcr.io": "mirror.acme.com/nvidia"}}, "gcp-prod")
    chosen = of_environment(request(pool=known_outputs("rdma"), image="", dcgm_image=""), load_file(file))
    assert chosen.image.startswith("mirror.acme.com/nvidia/nvidia/pytorch:")
    assert chosen.dcgm_image.startswith("mirror.acme.com/nvidia/nvidia/cloud-native/dcgm:")


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


class Tensor:
    """A tensor whose values are all the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __eq__(self, other: object) -> Any:
        return SimpleNamespace(all=lambda: self.value == other)

    def __hash__(self) -> int:
        return id(self)

    def zero_(self) -> None:
        self.value = 0


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("collective", ["all_reduce", "all_gather"])
def test_program_measures_sums_of_zeros_after_it_has_checked_the_operation(
    collective: str, broken: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values: list[float] = []

    def reduce(tensor: Tensor, op: str) -> None:
        assert op == "SUM", "NVLink SHARP computes sums only"
        values.append(tensor.value)
        tensor.value = tensor.value * 16 + broken

    def gather(tensor: Tensor, part: Tensor) -> None:
        values.append(part.value)
        tensor.value = part.value + broken

    nothing = lambda *_: None  # noqa: E731
    torch = SimpleNamespace(
        cuda=SimpleNamespace(set_device=nothing, synchronize=nothing),
        ones=lambda *_, **__: Tensor(1),
        float32="float32",
    )
    dist = SimpleNamespace(
        **{"init_process_group": nothing, "destroy_process_group": nothing, "barrier": nothing},
        **{"get_rank": lambda: 0, "get_world_size": lambda: 16, "ReduceOp": SimpleNamespace(SUM="SUM")},
        **{"all_reduce": reduce, "all_gather_into_tensor": gather},
    )
    modules = {"torch": torch, "torch.distributed": dist}
    monkeypatch.setattr(gpu_bandwidth.importlib, "import_module", modules.__getitem__)
    monkeypatch.setattr(sys, "argv", ["bandwidth.py", f"--collective={collective}", "--bytes=1024"])
    monkeypatch.setenv("LOCAL_RANK", "0")
    gpu_bandwidth.main()
    result = json.loads(capsys.readouterr().out)
    assert result["correct"] is not broken
    assert result["collective"] == collective
    assert values[0] == 1
    assert len(values) == 1 + gpu_bandwidth.WARMUP + gpu_bandwidth.ITERATIONS
    if not broken:
        assert set(values[1:]) == {0}, "the values stay finite"
