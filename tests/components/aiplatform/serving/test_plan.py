"""Runtimes and templates."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from string import Template
from typing import Any

import pytest

from aiplatform._shared.images import images
from aiplatform._shared.kubernetes.pod_fabric import SHARED_MEMORY
from aiplatform.serving import templates
from tests.components.aiplatform.serving.example import (
    DIGEST,
    SERVER,
    container,
    gpu_pool,
    planned,
    service,
    settings,
)

ALONE: dict[str, Any] = {"teams": {}}


def template(name: str = "chat", **more: Any) -> dict[str, Any]:
    """An InferenceService created from a template."""
    text = templates.templates(settings(**more), "search", "s3://acme-dev-releases")[name]
    return json.loads(Template(text).substitute(NAME=f"{name}-blue", VERSION="7"))


def test_vllm_uses_all_gpus_of_a_node_and_has_shared_memory_for_them() -> None:
    manifest = planned("vllm-inference")
    main = container(manifest)
    assert main["image"] == images()["vllm"].reference
    assert "@sha256:" in main["image"]
    assert main["args"] == [
        "--port=8080",
        "--served-model-name={{.Name}}",
        "--model=/mnt/models",
        "--tensor-parallel-size=8",
    ]
    for resources in (main["resources"]["limits"], main["resources"]["requests"]):
        assert resources["nvidia.com/gpu"] == "8"
        assert resources["cpu"] == "152"
    mounts = {mount["mountPath"]: mount["name"] for mount in main["volumeMounts"]}
    volumes = {volume["name"]: volume["emptyDir"] for volume in manifest["spec"]["volumes"]}
    assert volumes[mounts[SHARED_MEMORY]] == {"medium": "Memory", "sizeLimit": "64Gi"}
    assert manifest["spec"]["nodeSelector"] == {"ai-platform/pool": "inference"}
    [toleration] = manifest["spec"]["tolerations"]
    assert toleration["key"] == "nvidia.com/gpu"


def test_part_of_a_node_gets_its_part_of_cpu_and_memory() -> None:
    more: dict[str, Any] = {
        "runtimes": {"one": {"pool": "inference", "engine": "vllm", "tensor_parallel": 1}}
    }
    main = container(planned("one", **more, **ALONE))
    assert main["args"][-1] == "--tensor-parallel-size=1"
    assert main["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert int(main["resources"]["requests"]["cpu"]) == 19
    assert SHARED_MEMORY not in {mount["mountPath"] for mount in main["volumeMounts"]}, "one GPU needs none"


@pytest.mark.parametrize("name", ["vllm-inference", "sklearn", "xgboost"])
def test_container_meets_the_level_restricted_and_has_a_writable_home(name: str) -> None:
    manifest = planned(name)
    main = container(manifest)
    assert main["securityContext"]["allowPrivilegeEscalation"] is False
    assert main["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    variables = {entry["name"]: entry["value"] for entry in main["env"]}
    volumes = {volume["name"]: volume["emptyDir"] for volume in manifest["spec"]["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in main["volumeMounts"]}
    assert volumes[mounts[variables["HOME"]]] == {}, "images know no user with this number"
    written = [value for key, value in variables.items() if key.endswith(("_ROOT", "_DIR", "HF_HOME"))]
    assert all(value.startswith(variables["HOME"]) for value in written)


@pytest.mark.parametrize("name", ["sklearn", "xgboost"])
def test_small_models_are_served_by_the_platforms_server_on_cpus(name: str) -> None:
    manifest = planned(name)
    main = container(manifest)
    assert main["image"] == SERVER
    assert f"--framework={name}" in main["args"]
    assert "command" not in main, "the entry point of the image"
    assert main["resources"]["requests"] == {"cpu": "1", "memory": "2Gi"}
    assert main["securityContext"]["readOnlyRootFilesystem"] is True
    assert manifest["spec"]["nodeSelector"] == {"ai-platform/pool": "general"}


def test_runtime_is_chosen_by_name_only_and_states_what_it_requests() -> None:
    more: dict[str, Any] = {
        "runtimes": {
            "large": {
                "pool": "inference",
                "engine": "vllm",
                "image": f"acme/vllm:2{DIGEST}",
                "cpu": 16,
                "memory_gib": 128,
                "storage_gib": 400,
                "start_minutes": 60,
                "arguments": ["--max-model-len=8192"],
            }
        }
    }
    manifest = planned("large", **more, **ALONE)
    main = container(manifest)
    assert main["image"] == f"acme/vllm:2{DIGEST}"
    assert main["args"][-1] == "--max-model-len=8192"
    assert main["resources"]["requests"]["ephemeral-storage"] == "400Gi"
    assert main["resources"]["limits"]["memory"] == "128Gi"
    probe = main["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 3600
    [kind] = manifest["spec"]["supportedModelFormats"]
    assert kind["autoSelect"] is False


def test_images_come_from_mirrors() -> None:
    from aiplatform.serving import runtimes

    manifest = runtimes.runtimes(settings(), {"docker.io": "mirror.example/hub"})["vllm-inference"]
    assert container(manifest)["image"].startswith("mirror.example/hub/vllm/vllm-openai:")


def test_template_is_a_service_of_the_team_with_a_release_of_it() -> None:
    created = template()
    assert created["metadata"]["name"] == "chat-blue"
    assert created["metadata"]["namespace"] == "search"
    labels = created["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "default", "KServe passes it on to the Deployment"
    assert labels["kueue.x-k8s.io/priority-class"] == "serving"
    assert labels["ai-platform/release"] == "7"
    predictor = created["spec"]["predictor"]
    assert predictor["model"] == {
        "modelFormat": {"name": "vLLM", "version": "1"},
        "runtime": "vllm-inference",
        "storageUri": "s3://acme-dev-releases/search/assistant/7",
        "args": ["--served-model-name", "chat-blue", "chat"],
    }
    assert predictor["serviceAccountName"] == "serving"
    assert predictor["priorityClassName"] == "serving"
    assert predictor["securityContext"]["runAsNonRoot"] is True
    assert predictor["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("name", "expected"),
    [("chat", ["--served-model-name", "chat-green", "chat"]), ("fares", ["--model_name=fares"])],
)
def test_clients_name_the_model_by_the_service_whichever_version_answers(
    name: str, expected: list[str]
) -> None:
    text = templates.templates(settings(), "search", "s3://acme-dev-releases")[name]
    created = json.loads(Template(text).substitute(NAME=f"{name}-green", VERSION="8"))
    assert created["spec"]["predictor"]["model"]["args"] == expected, (
        "after the arguments of the runtime, of which the last one applies; metrics have the first name"
    )


def test_service_that_scales_does_so_by_keda_on_a_value_that_kserve_reads() -> None:
    created = template()
    assert created["metadata"]["annotations"] == {"serving.kserve.io/autoscalerClass": "keda"}
    predictor = created["spec"]["predictor"]
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (1, 3)
    [metric] = predictor["autoScaling"]["metrics"]
    external = metric["external"]
    assert external["target"] == {"type": "Value", "value": "4"}, "averageValue becomes the threshold 0"
    assert external["metric"]["query"] == (
        'sum(vllm:num_requests_waiting{namespace="search",model_name="chat-blue"})'
    )
    assert external["metric"]["serverAddress"] == "http://prometheus.monitoring.svc:9090"


def test_service_that_does_not_scale_has_no_autoscaler() -> None:
    created = template("fares")
    assert created["metadata"]["annotations"] == {"serving.kserve.io/autoscalerClass": "none"}, (
        "without a class KServe creates one by CPU"
    )
    assert "autoScaling" not in created["spec"]["predictor"]
    assert created["spec"]["predictor"]["minReplicas"] == created["spec"]["predictor"]["maxReplicas"] == 1


def test_labels_and_arguments_of_a_team_are_in_its_templates() -> None:
    more = service(arguments=["--max-model-len=4096"])
    more["teams"]["search"] |= {"labels": {"cost-center": "1234"}, "namespace": "search-prod"}
    created = template(**more)
    assert created["metadata"]["labels"]["cost-center"] == "1234"
    assert created["metadata"]["namespace"] == "search-prod"
    assert created["spec"]["predictor"]["model"]["args"][-1] == "--max-model-len=4096"
    assert created["spec"]["predictor"]["model"]["storageUri"].startswith("s3://acme-dev-releases/search/"), (
        "releases are those of the team, whatever its namespace is called"
    )


def test_prometheus_finds_the_metrics_of_servers() -> None:
    from aiplatform.observability import monitors

    assert template()["metadata"]["labels"][monitors.SCRAPED] == "true"
    for name in ("vllm-inference", "sklearn", "xgboost"):
        [port] = container(planned(name))["ports"]
        assert (port["name"], port["containerPort"]) == ("metrics", 8080)


def test_pools_that_are_listed_have_default_runtimes() -> None:
    pools = [gpu_pool(), gpu_pool(name="other"), gpu_pool(name="tpu", resource="google.com/tpu")]
    assert list(settings(gpu_pools=pools).defaults) == ["vllm-inference", "vllm-other"]
    assert list(settings(gpu_pools=pools, default_runtimes=["other"], **ALONE).defaults) == ["vllm-other"]


def test_adapters_are_releases_that_a_server_gets_next_to_their_model() -> None:
    adapters = {
        "support": {"model": "support-lora", "version": 3},
        "sales": {"model": "sales-lora", "version": 12},
    }
    more = service(adapters=adapters, arguments=["--max-lora-rank=32"])
    predictor = template(**more)["spec"]["predictor"]
    assert predictor["storageUris"] == [
        {"uri": "s3://acme-dev-releases/search/assistant/7", "mountPath": "/mnt/models"},
        {"uri": "s3://acme-dev-releases/search/support-lora/3", "mountPath": "/mnt/adapters/support"},
        {"uri": "s3://acme-dev-releases/search/sales-lora/12", "mountPath": "/mnt/adapters/sales"},
    ]
    assert "storageUri" not in predictor["model"], "KServe refuses both"
    arguments = predictor["model"]["args"]
    begin = arguments.index("--lora-modules")
    assert arguments[begin + 1 : begin + 3] == [
        "support=/mnt/adapters/support",
        "sales=/mnt/adapters/sales",
    ]
    assert {"--enable-lora", "--max-loras=2"} <= set(arguments)
    assert arguments[-1] == "--max-lora-rank=32"


def test_folders_of_a_model_and_its_adapters_have_one_parent_and_contain_none_of_each_other() -> None:
    adapters = {"support": {"model": "support-lora", "version": 3}}
    entries = template(**service(adapters=adapters))["spec"]["predictor"]["storageUris"]
    folders = [PurePosixPath(entry["mountPath"]) for entry in entries]
    assert {str(folder.parents[-2]) for folder in folders} == {"/mnt"}, "KServe mounts the common parent"
    for folder in folders:
        for other in folders:
            assert folder == other or not folder.is_relative_to(other), "a copy begins with an empty folder"
