"""A platform on which a team rolls releases out: Argo Workflows, queues, guardrails, releases and serving, an
Envoy that follows the HTTPRoutes of the API server, and a Prometheus that reads its metrics.

The predictors are servers of the test. It also reports, as KServe would, that InferenceServices are ready."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import pulumi
import requests
import yaml
from kubernetes import client
from pulumi import ResourceOptions, automation

from aiplatform.guardrails import Guardrails
from aiplatform.model_store import ModelStore
from aiplatform.pipelines import Pipelines
from aiplatform.queues import Queues
from aiplatform.serving import Serving
from aiplatform.teams import Teams
from aiplatform.workload_identity import WorkloadIdentity
from tests.components.aiplatform.gateway.example import settings
from tests.controllers.cluster import Addons, Cluster, Objects, node
from tests.controllers.definitions import definitions
from tests.controllers.envoy import AUDIENCE, ISSUER, Backend, Front, Tokens
from tests.controllers.served import KSERVE, RELEASE, ROUTES, Service
from tests.controllers.team import CPU_POOL, POOL, member, member_roles
from tests.controllers.workflows import ARGO
from twin.instances import free_ports
from twin.tests.waiting import eventually
from twin.toolchain import build
from twin.toolchain.charts import ensure_charts

TEAM: Final = "pricing"
SERVICE: Final = "fares"
PROMETHEUS: Final = "127.77.0.1"
"""Not `localhost`, which is the Pod in its processes."""
REGISTRY: Final = "registry.example/acme"
DIGEST: Final = "@sha256:" + "1" * 64
VLLM: Final = "docker.io/vllm/vllm-openai"
ROLLOUT: Final = f"{REGISTRY}/platform/model-rollout{DIGEST}"
IMAGES: Final = """
["platform/model-rollout"]
folder = "containers/model_rollout"
environment = "containers/model_rollout"
"""
TOKENS: Final = Tokens()
STEP_MINUTES: Final = "0.5"
"""A stage is longer than the gateway needs to follow, whose translation takes three seconds of CPU time."""
_POOL_KEYS: Final = ("name", "node_selector", "taints", "vcpus_per_node", "memory_gib_per_node")


def program(base_cluster: str, prometheus_port: int) -> None:
    """Register a platform of one stack."""
    roles = member_roles("owner", "releaser", "ci")
    cluster: Any = {"name": base_cluster, "security_group_id": "sg-1"}
    addons = Addons(("cert-manager", "jobset", "kueue", "kserve-crd", "kserve"))
    installed = pulumi.Output.all(*(addon.resources for addon in addons.installed.values())).apply(
        lambda known: [resource for resources in known for resource in resources]
    )
    allowed = [REGISTRY, VLLM, "quay.io/argoproj"]
    guardrails = Guardrails(
        "guardrails",
        {"require_digests": True, "allowed_registries": allowed, "digest_exceptions": ["quay.io/argoproj"]},
    )
    quotas: Any = [{"pool": "training", "accelerators": 8}, {"pool": "general", "cpu": 12}]
    of_queues: Any = {
        "gpu_pools": [POOL],
        "node_pools": [CPU_POOL],
        "queues": [{"name": TEAM, "quotas": quotas, "namespaces": [TEAM]}],
    }
    queues = Queues("queues", of_queues, ResourceOptions(depends_on=installed))
    store = ModelStore(
        "store",
        {
            "prefix": "acme-dev",
            "cluster": cluster,
            "profile": "dev",
            "release_group": [roles["releaser"].arn],
            "image": f"{REGISTRY}/platform/model-release{DIGEST}",
            "force_destroy": True,
        },
        ResourceOptions(depends_on=list(roles.values())),
    )
    identity = WorkloadIdentity(
        TEAM,
        {
            "prefix": "acme-dev",
            "name": TEAM,
            "cluster": cluster,
            "namespace": TEAM,
            "service_account": "workloads",
        },
    )
    declared: Any = {
        "owners": [roles["owner"].arn],
        "queue": TEAM,
        "priority_classes": ["serving"],
        "identity": identity.outputs,
    }
    of_teams: Any = {
        "prefix": "acme-dev",
        "cluster": cluster,
        "secret_stores": False,
        "teams": {TEAM: declared},
    }
    # Namespaces, with the InferenceServices in them, end while KServe runs.
    after: Any = [addons, guardrails, queues, *roles.values()]
    teams = Teams("teams", of_teams, ResourceOptions(depends_on=after))
    charts = str(ensure_charts())
    of_pipelines: Any = {
        "prefix": "acme-dev",
        "cluster": cluster,
        "teams": {
            TEAM: {"namespace": TEAM, "identity": identity.outputs, "submitters": [roles["ci"].arn]},
        },
        "charts": charts,
        "force_destroy": True,
    }
    pipelines = Pipelines("pipelines", of_pipelines, ResourceOptions(depends_on=[teams]))
    of_serving: Any = {
        "prefix": "acme-dev",
        "cluster": cluster,
        "model_store": store.outputs,
        "image": f"{REGISTRY}/platform/model-release{DIGEST}",
        "server_image": f"{REGISTRY}/platform/model-server{DIGEST}",
        "node_pools": [{key: CPU_POOL[key] for key in _POOL_KEYS}],
        "runtimes": {"sklearn": {"pool": "general", "engine": "sklearn"}},
        "teams": {TEAM: {"services": {SERVICE: {"model": "fares", "runtime": "sklearn"}}}},
        "prometheus_url": f"http://{PROMETHEUS}:{prometheus_port}",
        "rollouts": {
            "image": ROLLOUT,
            "scrape_seconds": 1,
            "max_p95_ms": 5000,
            "operators": ["ai-platform:release"],
        },
    }
    Serving("serving", of_serving, ResourceOptions(depends_on=[teams, addons, pipelines]))
    pulumi.export("roles", {name: role.arn for name, role in roles.items()})
    pulumi.export("releases", store.releases_bucket)


@dataclass
class Traffic:
    """Requests of four clients through the gateway. One without an answer has status 0 and the error."""

    front: Front
    answers: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests until the end."""
        stop = threading.Event()

        def send() -> None:
            token = TOKENS.token(TEAM, seconds=3600)
            while not stop.wait(0.02):
                try:
                    answer = self.front.get(f"/{TEAM}/{SERVICE}/v1", token)
                except (OSError, HTTPException) as error:
                    self.answers.append((0, repr(error)))
                    continue
                self.answers.append((answer.status, answer.body.partition(" ")[0]))

        threads = [threading.Thread(target=send, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)

    def since(self, count: int) -> Counter[str]:
        """Return how many requests each backend answered, after a number of them."""
        return Counter(name for _, name in self.answers[count:])


class Platform(Service):
    """The deployed platform. bad: versions whose servers answer with status 500."""

    def __init__(self, cluster: Cluster, stack: automation.Stack, front: Front) -> None:
        super().__init__(cluster, TEAM, SERVICE)
        self.stack, self.front = stack, front
        outputs = stack.outputs()
        self.releases = f"s3://{outputs['releases'].value}/{TEAM}/fares"
        self.members: dict[str, Objects] = {
            name: member(cluster, arn) for name, arn in outputs["roles"].value.items()
        }
        self.bad: set[str] = set()
        self.traffic = Traffic(front)

    def roll(self, name: str, version: str, **values: str) -> None:
        """Submit a rollout, as CI."""
        parameters = {
            "service": SERVICE,
            "model_uri": f"{self.releases}/{version}",
            "step_minutes": STEP_MINUTES,
            "min_requests": "5",
            **values,
        }
        self.members["ci"].create(
            {
                "apiVersion": ARGO,
                "kind": "Workflow",
                "metadata": {"name": name, "namespace": TEAM},
                "spec": {
                    "workflowTemplateRef": {"name": "rollout"},
                    "arguments": {
                        "parameters": [{"name": key, "value": value} for key, value in values_of(parameters)]
                    },
                },
            }
        )

    def ended(self, name: str, seconds: float = 240) -> dict[str, str]:
        """Wait until a workflow has ended; returns its phase and the outputs of its entry point."""
        item = {"apiVersion": ARGO, "kind": "Workflow", "metadata": {"name": name, "namespace": TEAM}}

        def status() -> dict[str, Any] | None:
            current = self.cluster.get(item).get("status") or {}
            return current if current.get("phase") in ("Succeeded", "Failed", "Error") else None

        try:
            current = eventually(f"the end of {name}", status, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state(name)}") from error
        nodes: dict[str, Any] = current.get("nodes") or {}
        main = nodes.get(name) or {}
        outputs = {
            entry["name"]: entry.get("value", "")
            for entry in (main.get("outputs") or {}).get("parameters") or ()
        }
        return {"phase": current["phase"], "message": current.get("message", ""), **outputs}

    def state(self, name: str) -> str:
        """Return what is known of a workflow, for failures."""
        item = {"apiVersion": ARGO, "kind": "Workflow", "metadata": {"name": name, "namespace": TEAM}}
        nodes = (self.cluster.get(item).get("status") or {}).get("nodes") or {}
        lines = [
            f"{entry['displayName']} {entry['phase']} {entry.get('message', '')}" for entry in nodes.values()
        ]
        for pod in self.pods(name):
            try:
                log = self.cluster.core.read_namespaced_pod_log(pod.metadata.name, TEAM, container="main")
            except client.ApiException as error:
                log = str(error.reason)
            lines += [f"{pod.metadata.name} {pod.status.phase}", log[-2000:]]
        counters = [
            line
            for line in self.front.metrics().splitlines()
            if line.startswith("envoy_cluster_upstream_rq_xx") and SERVICE in line
        ]
        return "\n".join([*lines, *counters, f"last answers: {self.traffic.answers[-20:]}"])

    def pods(self, name: str) -> list[Any]:
        """Return the Pods of a workflow."""
        label = f"workflows.argoproj.io/workflow={name}"
        return self.cluster.core.list_namespaced_pod(TEAM, label_selector=label).items

    def follow(self) -> None:
        """Report InferenceServices as ready, and configure the gateway by the routes that there are."""
        for item in self.cluster.list(KSERVE, "InferenceService", TEAM):
            color = item["metadata"]["name"].rpartition("-")[2]
            backend = self.front.backends[("blue", "green").index(color)]
            version = item["metadata"]["labels"][RELEASE]
            backend.status = 500 if version in self.bad else 200
            if not (item.get("status") or {}).get("conditions"):
                ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
                self.cluster.custom.patch_namespaced_custom_object_status(
                    *KSERVE.split("/"),
                    TEAM,
                    "inferenceservices",
                    item["metadata"]["name"],
                    ready,
                    _content_type="application/merge-patch+json",
                )
        routes = self.cluster.list(ROUTES, "HTTPRoute", TEAM)
        specs = [json.dumps(item["spec"], sort_keys=True) for item in routes]
        if specs != [json.dumps(item["spec"], sort_keys=True) for item in self.front.items["httproutes"]]:
            self.front.items["httproutes"] = routes
            self.front.configure()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follow the objects until the end."""
        stop, errors = threading.Event(), list[BaseException]()

        def follow() -> None:
            while not stop.wait(0.3):
                try:
                    self.follow()
                except Exception as error:  # noqa: BLE001 - reported at the end
                    errors.append(error)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)
        # One that was deleted meanwhile, at most.
        assert len(errors) < 20, errors[-1]


def values_of(parameters: dict[str, str]) -> list[tuple[str, str]]:
    """Return the parameters in the order of their names."""
    return sorted(parameters.items())


@contextmanager
def prometheus(folder: Path, port: int, target: str) -> Iterator[str]:
    """Run Prometheus, which reads the metrics of an Envoy every second. Yields its address."""
    configured = folder / "prometheus.json"
    scrape = {
        "job_name": "envoy",
        "metrics_path": "/stats/prometheus",
        "static_configs": [{"targets": [target]}],
    }
    intervals = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    configured.write_text(json.dumps({"global": intervals, "scrape_configs": [scrape]}))
    binary = build.ensure(["prometheus"])["prometheus"]
    url = f"http://{PROMETHEUS}:{port}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={configured}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address={PROMETHEUS}:{port}",
            ],
            stdout=log,
            stderr=log,
        )

    def reads() -> bool:
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        try:
            answer = requests.get(f"{url}/api/v1/query", {"query": 'up{job="envoy"} == 1'}, timeout=5)
        except requests.ConnectionError:
            return False
        return answer.ok and bool(answer.json()["data"]["result"])

    try:
        eventually("Prometheus reads Envoy's metrics", reads, 60)
        yield url
    finally:
        process.kill()
        process.wait()


@contextmanager
def created(home: Path, folder: Path) -> Iterator[Platform]:
    """Yield the platform, and remove it at the end."""
    backends = [
        Backend(f"{SERVICE}-{color}-predictor", TEAM, 20 + number)
        for number, color in enumerate(("blue", "green"))
    ]
    authentication = {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": TOKENS.jwks}
    gateway = settings(authentication=authentication, teams={TEAM: {}}, routes={})
    [port] = free_ports(1)
    with ExitStack() as ends:
        cluster = Cluster(home, "rollout", "kueue,jobset,argo", IMAGES)
        ends.callback(cluster.remove)
        owned = ("argoproj", "serving.kserve.io")
        cluster.create(
            *(
                item
                for item in definitions(home)
                if not any(group in item["metadata"]["name"] for group in owned)
            ),
            *gateway_kinds(),
        )
        cluster.add_nodes(1)
        for number in range(2):
            cluster.create(node(f"cpu-{number}", cpu=16, labels=CPU_POOL["node_selector"]))
        stack = cluster.stack("rollout", lambda: program(cluster.base.cluster, port))
        stack.up()
        front = Front(folder, gateway, backends)
        for backend in backends:
            ends.enter_context(backend.serving())
        front.configure()
        ends.enter_context(front.running())
        ends.enter_context(prometheus(folder, port, f"{front.address}:19001"))
        platform = Platform(cluster, stack, front)
        eventually("access of CI", lambda: platform.members["ci"].list("v1", "Pod", TEAM) is not None)
        ends.enter_context(platform.followed())
        yield platform


def gateway_kinds() -> Iterator[dict[str, Any]]:
    """Yield the definitions of the Gateway API, of the catalog's version."""
    [file] = sorted(Path(ensure_charts()).glob("gateway-api-*.yaml"))
    for item in yaml.load_all(file.read_text(), yaml.CSafeLoader):
        if item and item["kind"] == "CustomResourceDefinition":
            yield item
