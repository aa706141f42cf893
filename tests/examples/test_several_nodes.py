"""The example of a model over several nodes: its fields, and vLLM's rules for its processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from aiplatform._shared.images import images
from aiplatform.serving import templates
from aiplatform.serving.args import SERVICE_ACCOUNT
from aiplatform.serving.engines import ENGINES, MODELS, PORT
from tests.components.aiplatform.addons.definitions import validator

_FILE = Path(__file__).parents[2] / "examples" / "several-nodes" / "leaderworkerset.yaml"
GROUP, SERVICE = yaml.safe_load_all(_FILE.read_text())
TEMPLATE: dict[str, Any] = GROUP["spec"]["leaderWorkerTemplate"]
PODS: dict[str, dict[str, Any]] = {name: TEMPLATE[f"{name}Template"]["spec"] for name in ("leader", "worker")}


def server(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the container of vLLM."""
    [container] = pod["containers"]
    return container


def options(pod: dict[str, Any]) -> dict[str, str]:
    """Return vLLM's arguments."""
    pairs = (argument.partition("=") for argument in server(pod)["args"])
    return {name: value for name, _, value in pairs}


def test_it_has_the_fields_of_its_definition() -> None:
    validator("lws", GROUP["kind"], GROUP["apiVersion"]).validate(GROUP)


def test_the_processes_have_the_gpus_that_the_parallelism_needs() -> None:
    for pod in PODS.values():
        stated = options(pod)
        devices = int(server(pod)["resources"]["limits"]["nvidia.com/gpu"])
        assert int(stated["--tensor-parallel-size"]) == devices, "more would exchange layers between nodes"
        assert int(stated["--pipeline-parallel-size"]) == TEMPLATE["size"]
        assert stated["--nnodes"] == "$(LWS_GROUP_SIZE)"
        assert stated["--master-addr"] == "$(LWS_LEADER_ADDRESS)"
    assert options(PODS["leader"])["--node-rank"] == "0"
    assert options(PODS["worker"])["--node-rank"] == "$(LWS_WORKER_INDEX)"
    assert "--headless" in options(PODS["worker"])
    assert "--headless" not in options(PODS["leader"])


def test_the_group_fails_and_waits_for_quota_as_one() -> None:
    assert TEMPLATE["restartPolicy"] == "RecreateGroupOnPodRestart"
    labels = GROUP["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "default"
    assert labels["kueue.x-k8s.io/priority-class"] == "serving"


@pytest.mark.parametrize("name", ["leader", "worker"])
def test_every_pod_copies_the_release_as_the_identity_of_servers(name: str) -> None:
    pod = PODS[name]
    assert pod["serviceAccountName"] == SERVICE_ACCOUNT
    [loader] = pod["initContainers"]
    assert loader["command"] == ["python", "-m", "model_release", "load"]
    uri, folder = loader["args"]
    variables = {entry["name"]: entry["value"] for entry in loader["env"]}
    assert uri.startswith(f"{variables['RELEASES_URI']}/{GROUP['metadata']['namespace']}/")
    assert folder == MODELS


@pytest.mark.parametrize("name", ["leader", "worker"])
def test_vllm_runs_as_in_the_runtimes_of_the_platform(name: str) -> None:
    container = server(PODS[name])
    assert container["image"] == images()["vllm"].reference
    assert container["command"] == ["vllm", "serve", MODELS]
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert variables.items() >= ENGINES["vllm"].environment.items()


def test_the_service_is_the_leader_alone() -> None:
    assert SERVICE["spec"]["selector"] == {
        "leaderworkerset.sigs.k8s.io/name": GROUP["metadata"]["name"],
        "leaderworkerset.sigs.k8s.io/worker-index": "0",
    }
    [port] = SERVICE["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, PORT)
    labels = TEMPLATE["leaderTemplate"]["metadata"]["labels"]
    assert labels[templates.SERVICE] == GROUP["metadata"]["name"], "by which clients may connect to it"
    assert templates.SERVICE not in TEMPLATE["workerTemplate"]["metadata"]["labels"]
