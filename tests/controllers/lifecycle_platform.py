"""A platform on which a model is trained, promoted, served and replaced: that of training_platform.py, with
pipelines, continuous training, promotions by workflows, serving, and a gateway.

Argo Workflows, KEDA, KServe and Envoy Gateway's translation are real, and Envoy runs. A Prometheus of the
test reads Envoy's metrics each second: with that of the component Observability, which reads them every 30
seconds, each step of a rollout would take two minutes more.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions, automation

from aiplatform.continuous_training import ContinuousTraining
from aiplatform.gateway import Gateway
from aiplatform.gateway.args import NAME, NAMESPACE
from aiplatform.lakehouse.tables import LakehouseTableArgs
from aiplatform.model_store.args import RELEASE_GROUP
from aiplatform.pipelines import Pipelines
from aiplatform.serving import Serving
from aiplatform.workload_identity import WorkloadIdentity
from tests.controllers import training_platform
from tests.controllers.clients import TOKENS, Clients
from tests.controllers.cluster import Cluster, Objects
from tests.controllers.envoy import AUDIENCE, CONTROLLER_NAMESPACE, HOST, ISSUER, GatewayClient
from tests.controllers.rollout_platform import PROMETHEUS, prometheus
from tests.controllers.served import Service
from tests.controllers.team import CPU_POOL, member
from tests.controllers.training_platform import (
    CUSTOMERS,
    POOL_KEYS,
    REGISTRY,
    RELEASE_IMAGE,
    RELEASER,
    TEAM,
    Parts,
    TrainingTeams,
    Variant,
    kubeconfig,
)
from tests.controllers.workflows import Workflows, parameters
from twin.instances import free_ports
from twin.kubernetes.envoy_gateway.proxy import METRICS_PORT, Proxy
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

CI: Final = "ci"
MODEL: Final = "churn"
SERVICE: Final = "churn"
RELEASE: Final = "release"
"""The namespace of promotions."""
ENVIRONMENT: Final = "aws-dev"
"""The environment whose file the command reads."""
PREFIX: Final = "acme-dev"
"""Of its physical names."""
MINIMUM: Final = 0.8
"""The accuracy that a version needs."""
COMMIT: Final = "a" * 40
EXECUTOR: Final = "quay.io/argoproj"
_DIGEST: Final = "@sha256:" + "2" * 64
STEPS: Final = f"{REGISTRY}/platform/training-steps{_DIGEST}"
SERVER: Final = f"{REGISTRY}/platform/model-server{_DIGEST}"
ROLLOUT: Final = f"{REGISTRY}/platform/model-rollout{_DIGEST}"
PROGRAM: Final = f"{REGISTRY}/teams/churn{_DIGEST}"
"""The image of the team."""
IMAGES: Final = f"""{training_platform.IMAGES}
["platform/training-steps"]
folder = "containers/training_steps"
environment = "containers/training_steps"
entrypoint = ["python", "-m", "training_steps"]

["platform/model-server"]
folder = "containers/model_server"
environment = "containers/model_server"
entrypoint = ["python", "-m", "model_server"]

["platform/model-rollout"]
folder = "containers/model_rollout"
environment = "containers/model_rollout"

["teams/churn"]
folder = "tests/controllers/pod_images/churn"
environment = "tests/controllers/pod_images/churn"
entrypoint = ["python", "-m", "churn"]
"""
ADDONS: Final = (
    "cert-manager",
    "gateway-api",
    "aws-load-balancer-controller",
    "jobset",
    "kueue",
    "keda",
    "kserve-crd",
    "kserve",
)
WITH_VISITS: Final[LakehouseTableArgs] = {
    **CUSTOMERS,
    "columns": [*CUSTOMERS["columns"], {"name": "visits", "type": "double"}],
}
Rule = Callable[[float, float, float], bool]
"""Whether a customer leaves, by tenure, orders and visits."""


def customers(number: int, leaves: Rule, *, visits: bool = False) -> list[dict[str, str]]:
    """Return 400 customers, as many as a training uses, as texts. number: of their group; later groups are
    newer. visits: whether their number of visits is known."""
    source = random.Random(number)
    rows: list[dict[str, str]] = []
    for index in range(400):
        tenure, orders, visited = source.uniform(0, 10), source.uniform(0, 20), source.uniform(0, 10)
        row = {"tenure": tenure, "orders": orders, **({"visits": visited} if visits else {})}
        left = int(leaves(tenure, orders, visited))
        key = str(number * 100_000 + index)
        rows.append(
            {"customer_id": key, **{name: str(value) for name, value in row.items()}, "churned": str(left)}
        )
    return rows


class LifecycleTeams(TrainingTeams):
    """The teams, one of which trains a model continuously and serves it."""

    customers = WITH_VISITS
    members = (RELEASER, CI)
    registries = (EXECUTOR,)
    cpu = 7

    def __init__(self, *arguments: Any) -> None:
        [self.prometheus_port] = free_ports(1)
        super().__init__(*arguments)

    def _append(self, lake: Any) -> None:
        """Write no customers yet."""
        self._know(lake)

    def _store(self) -> dict[str, Any]:
        return {"workflows": {"executor_image": f"{EXECUTOR}/argoexec:v4.0.6"}}

    def _more(self, parts: Parts) -> None:
        before = [self._pipelines(parts), self._gateway(parts)]
        serving = self._serving(parts, before)
        self._continuous(parts, [*before, parts.store, serving])

    def _pipelines(self, parts: Parts) -> Resource:
        arguments: Any = {
            **_common(parts),
            "teams": {TEAM: {**_entry(parts), "submitters": [parts.roles[CI]]}},
            "charts": str(ensure_charts()),
            "force_destroy": True,
        }
        return Pipelines("pipelines", arguments, ResourceOptions(depends_on=[parts.teams]))

    def _gateway(self, parts: Parts) -> Resource:
        arguments: Any = {
            "cluster": parts.cluster,
            "hosts": [HOST],
            "authentication": {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks": TOKENS.jwks},
            "teams": {TEAM: {}},
            "charts": str(ensure_charts()),
        }
        return Gateway("gateway", arguments, ResourceOptions(depends_on=[parts.teams]))

    def _serving(self, parts: Parts, before: Sequence[Resource], served: Any = None, **more: Any) -> Resource:
        """Register serving. served: further arguments of the service."""
        service = {"model": MODEL, "runtime": "sklearn", **(served or {})}
        arguments: Any = {
            **_common(parts),
            "model_store": parts.store.outputs,
            "image": RELEASE_IMAGE,
            "server_image": SERVER,
            "node_pools": [{key: CPU_POOL[key] for key in POOL_KEYS}],
            "runtimes": {"sklearn": {"pool": "general", "engine": "sklearn"}},
            "teams": {TEAM: {"services": {SERVICE: service}}},
            "client_namespaces": [CONTROLLER_NAMESPACE],
            "prometheus_url": f"http://{PROMETHEUS}:{self.prometheus_port}",
            "rollouts": {
                "image": ROLLOUT,
                "weights": [10, 50, 100],
                "step_minutes": 1,
                # Of a machine that does everything else, too.
                "max_p95_ms": 20_000,
                "min_requests": 5,
                "scrape_seconds": 1,
                "operators": [RELEASE_GROUP],
            },
            **more,
        }
        return Serving("serving", arguments, ResourceOptions(depends_on=[parts.teams, *before]))

    def _continuous(self, parts: Parts, before: Sequence[Resource]) -> ContinuousTraining:
        arguments: Any = {
            **_common(parts),
            "profile": "prod",
            "image": STEPS,
            "release_image": RELEASE_IMAGE,
            "promoter": parts.store.promoter_principal,
            "teams": {TEAM: {**_entry(parts), "models": {MODEL: _model(parts.prefix)}}},
        }
        options = ResourceOptions(depends_on=[parts.teams, *before])
        return ContinuousTraining("continuous", arguments, options)


def _common(parts: Parts) -> dict[str, Any]:
    return {"prefix": parts.prefix, "cluster": parts.cluster}


def _entry(parts: Parts) -> dict[str, Any]:
    return {"namespace": TEAM, "identity": parts.identities[TEAM].outputs}


def _model(prefix: str) -> dict[str, Any]:
    data = ["--table=${TABLE}", "--snapshot=${SNAPSHOT}"]
    compared = ["--run=${RUN_ID}", "--candidate=${CANDIDATE}", "--champion=${CHAMPION}"]
    return {
        "table": f"{prefix.replace('-', '_')}_curated.customers",
        "training": {
            "image": PROGRAM,
            "code_commit": COMMIT,
            "runtime": "torch-cpu",
            "args": ["train", *data, "--run-name=${RUN_NAME}", "--model=${MODEL}"],
            "nodes": 2,
        },
        "evaluation": {
            "metric": "accuracy",
            "args": ["evaluate", *data, *compared],
            "margin": 0.01,
            "thresholds": {"accuracy": {"min": MINIMUM}},
        },
        "service": SERVICE,
    }


def _counts_messages(cluster: Cluster) -> list[Resource]:
    """Register the identity of KEDA's operator, as the component Addons does: a Pod gets one only when it is
    created."""
    identity = WorkloadIdentity(
        "keda",
        {
            "prefix": PREFIX,
            "name": "keda",
            "cluster": {"name": cluster.base.cluster, "security_group_id": "sg-1"},
            "namespace": "keda",
            "service_account": "keda-operator",
        },
    )
    account = aws.get_caller_identity().account_id
    allowed = {
        "Effect": "Allow",
        "Action": "sqs:GetQueueAttributes",
        "Resource": f"arn:aws:sqs:*:{account}:{PREFIX}-*",
    }
    policy = aws.iam.RolePolicy(
        "keda",
        role=identity.role_name.apply(str),
        policy=Output.json_dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    return [identity, policy]


VARIANT: Final = Variant(
    name="lifecycle",
    controllers="kueue,jobset,trainer,kserve,argo,keda,envoy-gateway",
    addons=ADDONS,
    owned=(".trainer.kubeflow.org", "argoproj", "serving.kserve.io"),
    images=IMAGES,
    teams=LifecycleTeams,
    nodes=2,
    before=_counts_messages,
)


class Platform(Workflows):
    """The deployed platform."""

    def __init__(self, base: training_platform.Platform, teams: LifecycleTeams, folder: Path) -> None:
        super().__init__(base.cluster)
        self.base, self.teams, self._folder = base, teams, folder
        self.registry, self.store = base.registry, base.store
        self.service = Service(base.cluster, TEAM, SERVICE)
        gateway = {"metadata": {"namespace": NAMESPACE, "name": NAME}}
        self.address = Proxy(gateway, CONTROLLER_NAMESPACE, {}).address
        self.clients = Clients(GatewayClient(self.address), TEAM, SERVICE)
        self._arns: dict[str, str] = teams.stack.outputs()["members"].value

    def stack_of(self, name: str) -> automation.Stack:
        """Return a stack of the platform: `training` with the add-ons, `mlflow`, or `team`."""
        return self.cluster.plain.deployed(name)

    def member(self, name: str) -> Objects:
        """Return the objects as a member sees them, by a new token: one is valid for 15 minutes."""
        return member(self.cluster, self._arns[name])

    def kubeconfig(self, name: str) -> Path:
        """Return the kubeconfig of a member, as of the cluster of the environment."""
        # The command refuses that of another cluster.
        return kubeconfig(self.member(name), self._folder, f"twin/{PREFIX}-cluster")

    def model_command(self, who: str, command: str, *arguments: str, check: bool = True) -> Any:
        """Run `aiplatform model ...` as a member."""
        words = ["model", command, ENVIRONMENT, *arguments, "--kubeconfig", str(self.kubeconfig(who))]
        return self.cluster.plain.cli(*words, check=check)

    def versions(self) -> dict[str, dict[str, Any]]:
        """Return version -> what the registry has of it, with its tags as `tags`."""
        path = f"model-versions/search?filter=name%3D'{TEAM}.{MODEL}'"
        items = self.registry.read(TEAM, path).get("model_versions", [])
        return {
            item["version"]: {**item, "tags": {tag["key"]: tag["value"] for tag in item.get("tags", ())}}
            for item in items
        }

    def champion(self) -> str:
        """Return the version of the champion."""
        path = f"registered-models/alias?name={TEAM}.{MODEL}&alias=champion"
        return str(self.registry.read(TEAM, path)["model_version"]["version"])

    def requested(self, version: str) -> dict[str, Any]:
        """Wait for the workflow of the promotion of a version, and return it."""

        def promotion() -> Any:
            items = self.workflows(RELEASE, "promotion")
            return next((item for item in items if parameters(item)["version"] == version), None)

        spaces = ("promotion-requests", RELEASE)
        return self.eventually(f"the request of version {version}", promotion, 180, *spaces)

    def rolled_out(self, version: str) -> dict[str, Any]:
        """Wait for the workflow of the rollout of a version, and return it."""

        def rollout() -> Any:
            items = self.workflows(TEAM, "rollout")
            return next(
                (item for item in items if parameters(item)["model_uri"].endswith(f"/{version}")), None
            )

        return self.eventually(f"the rollout of version {version}", rollout, 180, TEAM)

    def moved(self, name: str, seconds: float = 900) -> tuple[dict[str, Any], list[dict[str, int]]]:
        """Wait for the end of a rollout, and return it, with the weights that the route had."""
        seen: list[dict[str, int]] = []
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.3):
                weights = self._weights()
                if weights and (not seen or seen[-1] != weights):
                    seen.append(weights)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            return self.ended(TEAM, name, seconds), seen
        finally:
            stop.set()
            thread.join(30)

    def _weights(self) -> dict[str, int]:
        from kubernetes.client import ApiException

        try:
            return self.service.weights()
        except ApiException:
            # Before the first rollout.
            return {}

    def state(self, namespace: str) -> str:
        """Return what is known of a namespace, for failures."""
        lines = [super().state(namespace)]
        kinds = (
            ("serving.kserve.io/v1beta1", "InferenceService"),
            ("trainer.kubeflow.org/v1alpha1", "TrainJob"),
            ("keda.sh/v1alpha1", "ScaledJob"),
            ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        )
        for version, kind in kinds:
            for item in self.cluster.list(version, kind, namespace):
                lines.append(f"{kind} {item['metadata']['name']} {item['metadata'].get('annotations')}")
                lines.append(f"{item.get('status')}")
        lines += [f"{owner}: {states}" for owner, states in self.cluster.workloads(namespace).items()]
        lines.append(f"answers: {self.clients.answers[-3:]}")
        return "\n".join(lines)


def outputs_of(ended: dict[str, Any]) -> dict[str, str]:
    """Return the outputs of the entry point of a workflow."""
    main = ended["status"]["nodes"][ended["metadata"]["name"]]
    entries = (main.get("outputs") or {}).get("parameters") or ()
    return {entry["name"]: entry.get("value", "") for entry in entries}


@contextmanager
def created(home: Path, folder: Path, variant: Variant = VARIANT) -> Iterator[Platform]:
    """Yield the platform, and remove it at the end. folder: for files."""
    with ExitStack() as ends:
        base = ends.enter_context(training_platform.created(home, folder, variant))
        assert isinstance(base.teams, LifecycleTeams)
        platform = Platform(base, base.teams, folder)
        eventually("Envoy", lambda: platform.clients.ask("").status in (401, 404), 120)
        ends.enter_context(
            prometheus(folder, base.teams.prometheus_port, f"{platform.address}:{METRICS_PORT}")
        )
        yield platform
