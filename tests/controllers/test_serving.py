"""The component Serving with the real KServe and Kueue: an InferenceService of a template becomes a server
that runs as a process, with a model of the team's releases."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from string import Template
from typing import Any, Final

import pulumi
import pytest
from botocore.exceptions import ClientError
from kubernetes import client
from pulumi import ResourceOptions, automation

from aiplatform.guardrails import Guardrails
from aiplatform.model_store import ModelStore
from aiplatform.queues import Queues
from aiplatform.serving import Serving
from aiplatform.teams import Teams
from tests.controllers.cluster import Addons, Cluster, node
from tests.controllers.definitions import definitions
from tests.controllers.team import CPU_POOL, POOL, member_roles
from tests.end_to_end import pods
from twin.kubernetes.processes.environments import commands
from twin.tests.waiting import eventually

pytestmark = pytest.mark.timeout(1500)
ROOT: Final = Path(__file__).parents[2]
TEAM: Final = "search"
OTHER: Final = "pricing"
REGISTRY: Final = "registry.example/acme"
DIGEST: Final = "@sha256:" + "1" * 64
LOADER: Final = f"{REGISTRY}/platform/model-release{DIGEST}"
VLLM: Final = "docker.io/vllm/vllm-openai"
SERVER: Final = f"{REGISTRY}/platform/model-server{DIGEST}"
IMAGES: Final = "".join(
    f"""
["platform/{name}"]
folder = "containers/{folder}"
environment = "containers/{folder}"
entrypoint = ["python", "-m", "{folder}"]
"""
    for name, folder in (("model-release", "model_release"), ("model-server", "model_server"))
)
TRAIN: Final = """
import sys, joblib
from sklearn.linear_model import LogisticRegression
rows, labels = [[0.0, 1.0], [1.0, 0.0], [0.1, 0.9], [0.9, 0.2]], [0, 1, 0, 1]
joblib.dump(LogisticRegression().fit(rows, labels), sys.argv[1])
"""
ROWS: Final = [[0.0, 1.0], [1.0, 0.1]]
_POOL_KEYS: Final = ("name", "node_selector", "taints", "vcpus_per_node", "memory_gib_per_node")
_GPU_KEYS: Final = (*_POOL_KEYS, "resource", "resources_per_node", "max_nodes")


def program(base_cluster: str) -> None:
    """Register a platform of one stack: add-ons, queues, guardrails of prod, releases, teams and serving."""
    roles = member_roles("owner", "releaser")
    cluster: Any = {"name": base_cluster, "security_group_id": "sg-1"}
    addons = Addons(("cert-manager", "jobset", "kueue", "kserve-crd", "kserve"))
    installed = pulumi.Output.all(*(addon.resources for addon in addons.installed.values())).apply(
        lambda known: [resource for resources in known for resource in resources]
    )
    guardrails = Guardrails("guardrails", {"require_digests": True, "allowed_registries": [REGISTRY, VLLM]})
    quotas: Any = [{"pool": "training", "accelerators": 8}, {"pool": "general", "cpu": 6}]
    entries: Any = [{"name": name, "quotas": quotas, "namespaces": [name]} for name in (TEAM, OTHER)]
    of_queues: Any = {"gpu_pools": [POOL], "node_pools": [CPU_POOL], "queues": entries}
    queues = Queues("queues", of_queues, ResourceOptions(depends_on=installed))
    store = ModelStore(
        "store",
        {
            "prefix": "acme-dev",
            "cluster": cluster,
            "profile": "dev",
            "release_group": [roles["releaser"].arn],
            "image": LOADER,
            "force_destroy": True,
        },
        ResourceOptions(depends_on=list(roles.values())),
    )
    declared: Any = {
        name: {"owners": [roles["owner"].arn], "queue": name, "priority_classes": ["serving"]}
        for name in (TEAM, OTHER)
    }
    of_teams: Any = {"prefix": "acme-dev", "cluster": cluster, "secret_stores": False, "teams": declared}
    # Namespaces, with the InferenceServices in them, end while KServe runs.
    after: Any = [addons, guardrails, queues, *roles.values()]
    teams = Teams("teams", of_teams, ResourceOptions(depends_on=after))
    small: Any = {"model": "fares", "runtime": "sklearn"}
    large: Any = {"model": "assistant", "runtime": "vllm-training"}
    of_serving: Any = {
        "prefix": "acme-dev",
        "cluster": cluster,
        "model_store": store.outputs,
        "image": LOADER,
        "server_image": SERVER,
        "gpu_pools": [{key: POOL[key] for key in _GPU_KEYS}],
        "node_pools": [{key: CPU_POOL[key] for key in _POOL_KEYS}],
        "runtimes": {"sklearn": {"pool": "general", "engine": "sklearn"}},
        "teams": {
            TEAM: {"services": {"fares": small, "chat": large}},
            OTHER: {"services": {"fares": small}},
        },
    }
    Serving("serving", of_serving, ResourceOptions(depends_on=[teams, addons]))
    pulumi.export("releases", store.releases_bucket)


class Platform:
    """The cluster, its stack, and the bucket of releases."""

    def __init__(self, cluster: Cluster, stack: automation.Stack, model: bytes) -> None:
        self.cluster, self.stack, self.model = cluster, stack, model
        self.bucket: str = stack.outputs()["releases"].value

    def release(self, team: str, model: str, version: str, *, written: bytes | None = None) -> None:
        """Create a release as the identity that promotes. written: a file that differs from the manifest."""
        key = pods.session_of(self.cluster.plain, self.cluster.base.cluster, "release", "promoter")
        s3 = pods.client(self.cluster.plain, key, "s3")
        entry = {"size": len(self.model), "sha256": hashlib.sha256(self.model).hexdigest()}
        manifest = {
            "format": 1,
            **{"team": team, "model": model, "version": version},
            "source": {
                "kind": "mlflow",
                "model": f"{team}.{model}",
                "version": version,
                "location": "s3://a",
            },
            "lineage": None,
            "created_at": "2026-11-28T00:00:00Z",
            "files": {"model.joblib": entry},
        }
        files = {
            "model/model.joblib": self.model if written is None else written,
            "manifest.json": json.dumps(manifest).encode(),
        }
        for name, body in files.items():
            path = f"{team}/{model}/{version}/{name}"
            s3.put_object(Bucket=self.bucket, Key=path, Body=body, IfNoneMatch="*")

    def service(
        self, name: str, version: str, *, team: str = TEAM, template: str = "fares"
    ) -> dict[str, Any]:
        """Return an InferenceService made from a template of a team."""
        data = self.cluster.core.read_namespaced_config_map("serving-templates", team).data
        return json.loads(Template(data[template]).substitute(NAME=name, VERSION=version))

    def pod(self, service: str, namespace: str = TEAM) -> Any:
        """Return the Pod of a service; None where there is none."""
        label = f"serving.kserve.io/inferenceservice={service}"
        pods_of_service = self.cluster.core.list_namespaced_pod(namespace, label_selector=label).items
        return next(iter(pods_of_service), None)

    def conditions(self, item: Mapping[str, Any]) -> dict[str, str]:
        """Return the conditions of an InferenceService."""
        status = self.cluster.get(item).get("status") or {}
        return {entry["type"]: entry["status"] for entry in status.get("conditions") or ()}

    def ask(self, name: str, model: str, rows: list[list[float]]) -> Any:
        """Return the answer of an InferenceService, through its Service. model: as clients name it."""
        place = f"/api/v1/namespaces/{TEAM}/services/{name}-predictor:80/proxy/v1/models/{model}:predict"
        rest: Any = self.cluster.api.rest_client
        answer = rest.request(
            "POST",
            self.cluster.api.configuration.host + place,
            headers={"Content-Type": "application/json"},
            body={"instances": rows},
        )
        return json.loads(answer.read())

    def logs(self) -> str:
        """Return the state of the team's Pods, for failures."""
        parts: list[str] = []
        for pod in self.cluster.core.list_namespaced_pod(TEAM).items:
            statuses = [*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())]
            parts += [f"{pod.metadata.name} {pod.status.phase}", *(str(entry.state) for entry in statuses)]
        return "\n".join(parts)


@pytest.fixture(scope="module")
def platform(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with ExitStack() as ends:
        cluster = Cluster(home, "serving", "kueue,jobset,kserve", IMAGES)
        ends.callback(cluster.remove)
        # Those of KServe come with its add-on.
        cluster.create(
            *(item for item in definitions(home) if "serving.kserve.io" not in item["metadata"]["name"])
        )
        cluster.add_nodes(gpu_nodes=1)
        cluster.create(node("cpu-0", cpu=16, labels=CPU_POOL["node_selector"]))
        stack = cluster.stack("serving", lambda: program(cluster.base.cluster))
        stack.up()
        file = tmp_path_factory.mktemp("model") / "model.joblib"
        python = commands(ROOT / "containers" / "model_server") / "python"
        subprocess.run([str(python), "-c", TRAIN, str(file)], check=True, timeout=300)
        yield Platform(cluster, stack, file.read_bytes())


@pytest.fixture(scope="module")
def served(platform: Platform) -> dict[str, Any]:
    """A service with the first release of a model, once KServe reports that it is ready."""
    platform.release(TEAM, "fares", "1")
    service = platform.service("fares-blue", "1")
    platform.cluster.create(service)
    try:
        eventually("it is ready", lambda: platform.conditions(service).get("Ready") == "True", 300)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{platform.conditions(service)}\n{platform.logs()}") from error
    return service


def test_service_becomes_the_deployment_that_runtime_and_template_state(
    platform: Platform, served: dict[str, Any]
) -> None:
    del served
    deployment = platform.cluster.apps.read_namespaced_deployment("fares-blue-predictor", TEAM)
    spec = deployment.spec.template.spec
    [main] = spec.containers
    assert (main.name, main.image) == ("kserve-container", SERVER)
    assert main.args == [
        "--framework=sklearn",
        "--model_name=fares-blue",
        "--model_dir=/mnt/models",
        "--http_port=8080",
        "--enable_grpc=false",
        # Clients name the service; of two the last one applies.
        "--model_name=fares",
    ]
    assert main.resources.requests == {"cpu": "1", "memory": "2Gi"}
    assert spec.node_selector == CPU_POOL["node_selector"]
    assert spec.service_account_name == "serving"
    assert spec.priority_class_name == "serving"
    assert spec.automount_service_account_token is False
    assert spec.security_context.run_as_non_root is True
    assert deployment.metadata.labels["kueue.x-k8s.io/queue-name"] == "default"
    assert deployment.spec.replicas == 1


def test_pod_has_the_platforms_program_that_copies_the_release(
    platform: Platform, served: dict[str, Any]
) -> None:
    del served
    pod = platform.pod("fares-blue")
    [copies] = pod.spec.init_containers
    assert copies.image == LOADER
    assert copies.command == ["python", "-m", "model_release", "load"]
    assert copies.args == [f"s3://{platform.bucket}/{TEAM}/fares/1", "/mnt/models"]
    assert copies.security_context.allow_privilege_escalation is False


def test_kueue_admits_the_pod_to_the_teams_queue_with_the_priority_of_serving(
    platform: Platform, served: dict[str, Any]
) -> None:
    del served
    name = platform.pod("fares-blue").metadata.name
    assert "Admitted" in platform.cluster.workloads(TEAM)[name]
    [workload] = [
        item
        for item in platform.cluster.list("kueue.x-k8s.io/v1beta2", "Workload", TEAM)
        if item["metadata"]["ownerReferences"][0]["name"] == name
    ]
    assert workload["spec"]["queueName"] == "default"
    assert workload["spec"]["priority"] == 10_000


def test_server_answers_with_the_model_of_the_release(platform: Platform, served: dict[str, Any]) -> None:
    del served
    assert platform.ask("fares-blue", "fares", ROWS) == {"predictions": [0, 1]}


def test_kserve_creates_no_routes_and_no_autoscaler(platform: Platform, served: dict[str, Any]) -> None:
    status = platform.cluster.get(served)["status"]
    assert status["url"] == f"http://fares-blue-predictor.{TEAM}.svc.cluster.local"
    networking = client.NetworkingV1Api(platform.cluster.api)
    assert networking.list_ingress_for_all_namespaces().items == []
    scaling = client.AutoscalingV2Api(platform.cluster.api)
    assert scaling.list_namespaced_horizontal_pod_autoscaler(TEAM).items == []


def test_release_that_was_changed_starts_no_server(platform: Platform, served: dict[str, Any]) -> None:
    del served
    changed = platform.model[:-1] + bytes([platform.model[-1] ^ 1])
    platform.release(TEAM, "fares", "2", written=changed)
    service = platform.service("fares-green", "2")
    platform.cluster.create(service)

    def refused() -> str:
        pod = platform.pod("fares-green")
        statuses = (pod.status.init_container_statuses or ()) if pod is not None else ()
        ends = [entry.state.terminated or entry.last_state.terminated for entry in statuses]
        return " ".join(end.message or "" for end in ends if end is not None and end.exit_code)

    eventually("the copy is refused", lambda: "differs from its manifest" in refused(), 180)
    assert "model.joblib: got" in refused()
    assert platform.conditions(service).get("Ready") != "True"
    platform.cluster.delete(service)


def test_identity_of_servers_reads_the_releases_of_its_team_only(
    platform: Platform, served: dict[str, Any]
) -> None:
    del served
    platform.release(OTHER, "fares", "1")
    plain, cluster = platform.cluster.plain, platform.cluster.base.cluster
    session = pods.session_of(plain, cluster, TEAM, "serving")
    s3 = pods.client(plain, session, "s3")
    assert s3.get_object(Bucket=platform.bucket, Key=f"{TEAM}/fares/1/manifest.json")["Body"].read()
    for attempt in (
        lambda: s3.get_object(Bucket=platform.bucket, Key=f"{OTHER}/fares/1/manifest.json"),
        lambda: s3.list_objects_v2(Bucket=platform.bucket, Prefix=f"{TEAM}/"),
        lambda: s3.put_object(Bucket=platform.bucket, Key=f"{TEAM}/fares/9/manifest.json", Body=b"{}"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


def test_service_with_a_release_of_another_team_is_refused(platform: Platform) -> None:
    service = platform.service("stolen", "1")
    service["spec"]["predictor"]["model"]["storageUri"] = f"s3://{platform.bucket}/{OTHER}/fares/1"
    assert "to be a release of the namespace's team" in platform.cluster.dry_run(service)


def test_language_model_gets_all_gpus_of_a_node_and_shared_memory(platform: Platform) -> None:
    service = platform.service("chat-blue", "1", template="chat")
    platform.cluster.create(service)
    apps = platform.cluster.apps

    def deployment() -> Any:
        known = apps.list_namespaced_deployment(TEAM).items
        return next((item for item in known if item.metadata.name == "chat-blue-predictor"), None)

    eventually("its Deployment", lambda: deployment() is not None, 60)
    spec = deployment().spec.template.spec
    [main] = spec.containers
    assert "@sha256:" in main.image
    assert "vllm-openai-cpu" not in main.image, "KServe takes another image without GPUs"
    assert "--tensor-parallel-size=8" in main.args
    assert main.args[-3:] == ["--served-model-name", "chat-blue", "chat"], "the last one applies"
    assert main.resources.limits["nvidia.com/gpu"] == "8"
    assert {volume.empty_dir.medium for volume in spec.volumes if volume.name == "shared-memory"} == {
        "Memory"
    }
    platform.cluster.delete(service)


def test_destroy_with_a_server_that_runs_leaves_nothing(platform: Platform, served: dict[str, Any]) -> None:
    """The last test: KServe's finalizer is on a service that no other object owns."""
    assert platform.conditions(served)["Ready"] == "True"
    assert "inferenceservice.finalizers" in platform.cluster.get(served)["metadata"]["finalizers"]
    platform.stack.destroy()
    namespaces = {item.metadata.name for item in platform.cluster.core.list_namespace().items}
    assert not namespaces & {TEAM, OTHER, "kserve"}
    assert platform.cluster.list("serving.kserve.io/v1beta1", "InferenceService") == []
