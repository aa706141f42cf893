"""Arguments of serving that are refused before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from tests.components.aiplatform.serving.example import (
    DIGEST,
    STORES,
    cpu_pool,
    gpu_pool,
    service,
    settings,
)

NO_TEAMS: dict[str, Any] = {"teams": {}}


def runtime(**more: Any) -> dict[str, Any]:
    """Arguments with one runtime and no service."""
    return {"runtimes": {"mine": {"pool": "inference", "engine": "vllm", **more}}, **NO_TEAMS}


SERVICE = "teams.search.services.chat"


@pytest.mark.parametrize(
    ("arguments", "path", "reason"),
    [
        (runtime(tensor_parallel=16), "runtimes.mine.tensor_parallel", "expected 1 to 8, the GPUs of a node"),
        (
            {**runtime(engine="sklearn", pool="general", tensor_parallel=2)},
            "runtimes.mine.tensor_parallel",
            "only vLLM has it",
        ),
        (service(model="s3://other/team/model/1"), f"{SERVICE}.model", "without team, version or URI"),
        (service(model="../secrets/model"), f"{SERVICE}.model", "without team, version or URI"),
        (service(model="pricing/fares"), f"{SERVICE}.model", "without team, version or URI"),
        (
            service(max_replicas=5),
            f"{SERVICE}.max_replicas",
            "expected at most 4: inference has at most 4 nodes",
        ),
        (service(min_replicas=5), f"{SERVICE}.min_replicas", "expected at most 4"),
        (service(min_replicas=0), f"{SERVICE}.min_replicas", "no series while no Pod runs"),
        (service(min_replicas=0, max_replicas=2), f"{SERVICE}.min_replicas", "no series while no Pod runs"),
        (service(min_replicas=3, max_replicas=2), f"{SERVICE}.max_replicas", "expected at least 3"),
        (
            service(runtime="sklearn", max_replicas=2),
            f"{SERVICE}.max_replicas",
            "scikit-learn has no metric requests_waiting to scale by; expected 1",
        ),
        (
            {**service(max_replicas=2), "prometheus_url": None},
            f"{SERVICE}.max_replicas",
            "without `prometheus_url`",
        ),
        (
            service(runtime="sklearn", adapters={"support": {"model": "support-lora", "version": 3}}),
            f"{SERVICE}.adapters",
            "a runtime of vLLM",
        ),
        (
            service(adapters={"chat": {"model": "support-lora", "version": 3}}),
            f"{SERVICE}.adapters.chat",
            "by which clients request the service's model",
        ),
        (
            service(adapters={"support": {"model": "assistant", "version": 3}}),
            f"{SERVICE}.adapters.support.model",
            "expected that of an adapter of it",
        ),
        (
            service(adapters={"../etc": {"model": "support-lora", "version": 3}}),
            f"{SERVICE}.adapters",
            "'../etc'",
        ),
        (
            service(adapters={"support": {"model": "s3://b/search/lora", "version": 3}}),
            f"{SERVICE}.adapters.support.model",
            "without team, version or URI",
        ),
        (
            service(arguments=["--lora-modules=a=/b"]),
            f"{SERVICE}.arguments[0]",
            "and `adapters` of services",
        ),
        (service(runtime="vllm-inferences"), f"{SERVICE}.runtime", "did you mean 'vllm-inference'?"),
        (service(arguments=["--model=/etc"]), f"{SERVICE}.arguments[0]", "which the platform sets"),
        (service(arguments=["--seed=$SEED"]), f"{SERVICE}.arguments[0]", "a placeholder of templates"),
        (
            runtime(arguments=["--served={{.Name}}", '--chat-template={{"a"}}']),
            "runtimes.mine.arguments[1]",
            "which KServe evaluates",
        ),
        (
            runtime(arguments=["--tensor_parallel_size=2"]),
            "runtimes.mine.arguments[0]",
            "and `tensor_parallel`",
        ),
        (
            {"runtimes": {"vllm-inference": {"pool": "inference", "engine": "vllm"}}, **NO_TEAMS},
            "runtimes.vllm-inference",
            "has a runtime of this name by default",
        ),
        (
            {"gpu_pools": [gpu_pool(name="p" * 60 + end) for end in "ab"], "runtimes": {}, **NO_TEAMS},
            "default_runtimes",
            f"would have the same runtime, vllm-{'p' * 58}",
        ),
        ({"runtimes": {"Mine": {"pool": "inference", "engine": "vllm"}}, **NO_TEAMS}, "runtimes", "'Mine'"),
        (runtime(pool="inferenc"), "runtimes.mine.pool", "did you mean 'inference'?"),
        (runtime(pool="general"), "runtimes.mine.pool", "vLLM runs on nvidia.com/gpu; expected another pool"),
        (runtime(engine="sklearn"), "runtimes.mine.pool", "runs on nodes without accelerators"),
        (runtime(engine="triton"), "runtimes.mine.engine", "vllm"),
        (
            {**runtime(image="acme/vllm:1"), "require_digests": True},
            "runtimes.mine.image",
            "without a digest",
        ),
        (
            {**runtime(engine="xgboost", pool="general"), "server_image": None},
            "runtimes.mine.image",
            "expected an image, or `server_image`",
        ),
        (
            {**runtime(engine="xgboost", pool="general"), "node_pools": [cpu_pool(architecture="arm64")]},
            "runtimes.mine.image",
            "not for the arm64 nodes",
        ),
        (runtime(cpu=192), "runtimes.mine.cpu", "expected at most"),
        (runtime(memory_gib=2048), "runtimes.mine.memory_gib", "expected at most"),
        ({"image": "registry.example/model-release:1", **NO_TEAMS}, "image", "with its digest"),
        ({"default_runtimes": ["inferenc"], **NO_TEAMS}, "default_runtimes[0]", "did you mean 'inference'?"),
        (
            {"gpu_pools": [gpu_pool(vcpus_per_node=0)], "runtimes": {}, **NO_TEAMS},
            "default_runtimes",
            "the size of the nodes of inference is not known",
        ),
        (
            {"gpu_pools": [gpu_pool(), gpu_pool()], "runtimes": {}, **NO_TEAMS},
            "gpu_pools[1].name",
            "used twice",
        ),
        (
            {"teams": {"a": {"namespace": "shared"}, "b": {"namespace": "shared"}}},
            "teams.b.namespace",
            "the namespace of a",
        ),
        (
            {"teams": {"a": {"services": {"Chat": {"model": "m", "runtime": "sklearn"}}}}},
            "teams.a.services",
            "'Chat'",
        ),
        ({"model_store": STORES["gcp"], **NO_TEAMS}, "model_store.cloud", "expected the cluster's, aws"),
        ({"prometheus_url": "prometheus:9090", **NO_TEAMS}, "prometheus_url", "http://"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        settings(**arguments)
    problems = {problem.path.partition(".")[2]: problem.reason for problem in refused.value.problems}
    assert path in problems, problems
    assert reason in problems[path], problems[path]
    assert len(problems) == 1, "each mistake is reported once"


def test_replicas_of_a_part_of_a_node_fit_more_often() -> None:
    more = runtime(tensor_parallel=2)
    more["teams"] = service(runtime="mine", max_replicas=16)["teams"]
    assert settings(**more).teams["search"].services["chat"].most == 16
    more["teams"] = service(runtime="mine", max_replicas=17)["teams"]
    with pytest.raises(ArgumentError, match="got 17 with 2 GPUs each; expected at most 16"):
        settings(**more)


def test_pool_with_claims_has_no_runtime() -> None:
    pool = gpu_pool(device_class="ai-platform-gpu")
    assert settings(gpu_pools=[pool], runtimes={}, teams={}).all_runtimes == {}
    with pytest.raises(ArgumentError, match="whose accelerators Pods claim"):
        settings(gpu_pools=[pool], **runtime())


def test_images_with_digest_are_accepted_where_they_are_required() -> None:
    more = {"require_digests": True, **runtime(image=f"acme/vllm:1{DIGEST}")}
    assert "mine" in settings(**more).all_runtimes


def test_google_cloud_needs_the_pool_of_identities() -> None:
    cluster = {
        "name": "acme",
        "cloud": "gcp",
        "project": "acme",
        "region": "us-central1",
        "node_service_account": "nodes@acme.iam.gserviceaccount.com",
    }
    with pytest.raises(ArgumentError, match=r"cluster\.workload_pool: missing"):
        settings("gcp", cluster=cluster)
