"""Arguments of training that are refused before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from tests.components.aiplatform.training.example import cpu_pool, fabric_pool, gpu_pool, settings, tpu_pool

INITIALIZERS: dict[str, Any] = {"kinds": ["dataset"], "storage_gib": 10}
DIGEST = "@sha256:" + "0" * 64


def runtime(**more: Any) -> dict[str, Any]:
    """Arguments with one runtime."""
    return {"runtimes": {"mine": {"pool": "training", **more}}}


@pytest.mark.parametrize(
    ("arguments", "path", "reason"),
    [
        (runtime(pool="trainings"), "runtimes.mine.pool", "did you mean 'training'?"),
        ({"runtimes": {"torch-training": {"pool": "training"}}}, "runtimes.torch-training", "by default"),
        ({"runtimes": {"jax-batch": {"pool": "batch"}}}, "runtimes.jax-batch", "by default"),
        (
            {"gpu_pools": [gpu_pool(name="p" * 60 + end) for end in "ab"]},
            "default_runtimes",
            f"would have the same runtime, torch-{'p' * 57}",
        ),
        ({"runtimes": {"Mine": {"pool": "training"}}}, "runtimes", "'Mine'"),
        (runtime(framework="tensorflow"), "runtimes.mine.framework", "torch"),
        (runtime(framework="jax"), "runtimes.mine.framework", "on a pool with GPUs; expected torch"),
        (runtime(pool="batch", framework="torch"), "runtimes.mine.framework", "TPUs; expected jax"),
        (runtime(pool="general", framework="jax"), "runtimes.mine.framework", "CPUs; expected torch"),
        (
            runtime(processes_per_node=9),
            "runtimes.mine.processes_per_node",
            "expected 1 to 8, the accelerators",
        ),
        (
            runtime(pool="general", processes_per_node=8),
            "runtimes.mine.processes_per_node",
            "expected 1 to 7",
        ),
        (runtime(pool="batch", processes_per_node=4), "runtimes.mine.processes_per_node", "1 process"),
        (runtime(pool="batch", nodes=2), "runtimes.mine.nodes", "slices 4x4 of 4 nodes; expected 4"),
        (runtime(interconnect="required"), "runtimes.mine.interconnect", "no network between"),
        (runtime(cpu=192), "runtimes.mine.cpu", "expected at most"),
        (runtime(memory_gib=2048), "runtimes.mine.memory_gib", "expected at most"),
        (runtime(disk_gib=0), "runtimes.mine.disk_gib", "1 to 65536"),
        (runtime(pool="general", cpu=2), "runtimes.mine.cpu", "expected processes_per_node instead"),
        (runtime(image="with space"), "runtimes.mine.image", "an image"),
        (
            {**runtime(image="acme/torch:1"), "require_digests": True},
            "runtimes.mine.image",
            "without a digest",
        ),
        (
            runtime(nodes=2, initializers=INITIALIZERS),
            "runtimes.mine.initializers.shared",
            "got false with 2 nodes",
        ),
        (
            runtime(initializers={**INITIALIZERS, "shared": True}),
            "runtimes.mine.initializers.storage_class",
            "missing",
        ),
        (runtime(initializers={**INITIALIZERS, "kinds": []}), "runtimes.mine.initializers.kinds", "1 to 2"),
        (
            runtime(initializers={**INITIALIZERS, "timeout_minutes": 1381}),
            "runtimes.mine.initializers.timeout_minutes",
            "1 to 1380",
        ),
        (
            {"gpu_pools": [fabric_pool("rdma")], **runtime(pool="rdma", initializers=INITIALIZERS)},
            "runtimes.mine.initializers.storage_class",
            "expected a StorageClass of Hyperdisk",
        ),
        (
            {
                "gpu_pools": [tpu_pool(topology="2x2")],
                **runtime(pool="batch", initializers=INITIALIZERS),
            },
            "runtimes.mine.initializers.storage_class",
            "expected a StorageClass of Hyperdisk",
        ),
        (
            runtime(cpu=190, initializers=INITIALIZERS),
            "runtimes.mine.cpu",
            "next to the initializers",
        ),
        ({"default_runtimes": ["trainin"]}, "default_runtimes[0]", "did you mean 'training'?"),
        ({"gpu_pools": [gpu_pool(), gpu_pool()]}, "gpu_pools[1].name", "used twice"),
        ({"node_pools": [cpu_pool(name="training")]}, "node_pools[0].name", "used twice"),
        ({"replicas": 4}, "replicas", "1 to 3"),
        ({"charts": "https://charts.example"}, "charts", "upstream"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        settings(**arguments)
    problems = {problem.path.partition(".")[2]: problem.reason for problem in refused.value.problems}
    assert path in problems, problems
    assert reason in problems[path]
    assert len(problems) == 1, "each mistake is reported once"


@pytest.mark.parametrize(
    ("pool", "reason"),
    [
        (gpu_pool(resource="aws.amazon.com/neuron"), "no framework of Trainer uses"),
        (gpu_pool(device_class="ai-platform-gpu"), "Pods claim"),
    ],
    ids=["neuron", "claims"],
)
def test_pools_whose_accelerators_trainer_does_not_count_have_no_runtime(
    pool: dict[str, Any], reason: str
) -> None:
    assert settings(gpu_pools=[pool]).all_runtimes == {}, "none by default"
    with pytest.raises(ArgumentError, match=reason):
        settings(gpu_pools=[pool], runtimes={"mine": {"pool": "training"}})
    with pytest.raises(ArgumentError, match=reason):
        settings(gpu_pools=[pool], default_runtimes=["training"])


def test_a_part_of_a_node_with_the_interconnect_required_is_refused() -> None:
    entry = {"pool": "efa", "interconnect": "required", "processes_per_node": 4}
    with pytest.raises(ArgumentError, match=r"processes_per_node: got 4 .*expected 8"):
        settings(gpu_pools=[fabric_pool("efa")], runtimes={"mine": entry})


def test_nodes_of_unknown_size_need_requests() -> None:
    pool = gpu_pool(vcpus_per_node=0, memory_gib_per_node=0)
    with pytest.raises(ArgumentError, match=r"cpu: missing"):
        settings(gpu_pools=[pool], default_runtimes=[], runtimes={"mine": {"pool": "training"}})
    stated = {"pool": "training", "cpu": 8, "memory_gib": 64}
    settings(gpu_pools=[pool], default_runtimes=[], runtimes={"mine": stated})


def test_an_image_of_the_platform_for_another_architecture_is_refused() -> None:
    arm = cpu_pool(architecture="arm64")
    with pytest.raises(ArgumentError, match=r"image: missing.*arm64"):
        settings(node_pools=[arm], runtimes={"mine": {"pool": "general"}})
    settings(node_pools=[arm], runtimes={"mine": {"pool": "general", "image": "acme/torch:1"}})


def test_images_with_digest_are_accepted_where_they_are_required() -> None:
    more = {"require_digests": True, "runtimes": {"mine": {"pool": "training", "image": f"acme/a:1{DIGEST}"}}}
    assert "mine" in settings(**more).all_runtimes


def test_only_the_pools_that_are_listed_have_default_runtimes() -> None:
    assert list(settings(default_runtimes=["batch"]).all_runtimes) == ["jax-batch"]
    assert list(settings(default_runtimes=[]).all_runtimes) == []
    assert list(settings(gpu_pools=[gpu_pool(), tpu_pool()]).defaults) == ["torch-training", "jax-batch"]
