"""A platform on which a team trains: queues, guardrails of prod, a model registry, a lakehouse and two teams.

The images of examples/ run as processes; all other Pods are simulated. MLflow's server runs on this machine,
on a real PostgreSQL, as in tests/end_to_end/mlflow_deployment.py.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_aws as aws
from pulumi import ResourceOptions, automation

from aiplatform._shared.images import images as platform_images
from aiplatform.addons.values.setup import Setup
from aiplatform.guardrails import Guardrails
from aiplatform.lakehouse import Lakehouse
from aiplatform.lakehouse.tables import LakehouseTableArgs
from aiplatform.model_store import ModelStore
from aiplatform.queues import Queues
from aiplatform.teams import Teams
from aiplatform.training import Training
from aiplatform.workload_identity import WorkloadIdentity
from stacks.loading import load_file
from stacks.team_arguments import MOUNTED_AT, Offered, teams
from tests.controllers.cluster import ADDONS, Addons, Cluster, Objects, node
from tests.controllers.definitions import definitions
from tests.controllers.team import CPU_POOL, POOL, member
from tests.end_to_end import clients, mlflow_deployment, pods
from tests.end_to_end.mlflow_deployment import Registry
from tests.end_to_end.team_pod import Team
from tests.stacks.test_google_files import changed
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

TEAM: Final = "training"
OTHER: Final = "language"
TEAMS: Final = (TEAM, OTHER)
REGISTRY: Final = "registry.example/acme"
IMAGES: Final = """
["examples/training"]
folder = "examples/training"
environment = "examples/training"
entrypoint = ["python", "-m", "training"]

["examples/batch-inference"]
folder = "examples/batch-inference"
environment = "examples/batch-inference"
entrypoint = ["python", "-m", "batch_inference"]

["platform/model-release"]
folder = "containers/model_release"
environment = "containers/model_release"
entrypoint = ["python", "-m", "model_release"]
"""
RELEASE_IMAGE: Final = f"{REGISTRY}/platform/model-release@sha256:{'1' * 64}"
RELEASER: Final = "releaser"
"""The role of the person who approves releases."""
CUSTOMERS: Final[LakehouseTableArgs] = {
    "zone": "curated",
    "name": "customers",
    "owner": "research@acme.example",
    "columns": [
        {"name": "customer_id", "type": "long", "required": True},
        {"name": "tenure", "type": "double"},
        {"name": "orders", "type": "double"},
        {"name": "churned", "type": "long"},
    ],
}
PREDICTIONS: Final[LakehouseTableArgs] = {
    "zone": "curated",
    "name": "churn_predictions",
    "owner": "research@acme.example",
    "columns": [
        {"name": "customer_id", "type": "long", "required": True},
        {"name": "probability", "type": "double"},
        {"name": "release", "type": "string"},
    ],
}
RUNTIMES: Final[dict[str, Any]] = {
    "torch-cpu": {"pool": "general", "memory_gib": 1},
    "torch-data": {
        "pool": "general",
        "memory_gib": 1,
        "initializers": {"kinds": ["dataset"], "storage_gib": 1, "timeout_minutes": 5},
    },
}
_CA: Final = "registry-ca.pem"
POOL_KEYS: Final = ("name", "node_selector", "taints", "vcpus_per_node", "memory_gib_per_node")


def image(name: str) -> str:
    """Return the image of an example."""
    return f"{REGISTRY}/examples/{name}@sha256:{'0' * 64}"


def customers(count: int, seed: int, *, inverted: bool = False) -> list[dict[str, str]]:
    """Return customers as texts; those with few orders leave. inverted: those with many do."""
    source = random.Random(seed)
    rows: list[dict[str, str]] = []
    for number in range(count):
        tenure, orders = source.uniform(0, 10), source.uniform(0, 20)
        left = (orders + tenure < 15) != inverted
        row = {"tenure": tenure, "orders": orders, "churned": int(left)}
        rows.append({"customer_id": str(seed * 100_000 + number), **{key: str(row[key]) for key in row}})
    return rows


@dataclass(frozen=True)
class Parts:
    """What a program has registered when it adds more. prefix: of physical names. roles: name -> arn."""

    prefix: str
    cluster: Any
    roles: Mapping[str, str]
    identities: Mapping[str, WorkloadIdentity]
    store: ModelStore
    teams: Teams


class TrainingTeams(Team):
    """The teams, with queues and guardrails, and their table."""

    customers: LakehouseTableArgs = CUSTOMERS
    members: tuple[str, ...] = (RELEASER,)
    """Roles of persons and programs in addition to the owners of the teams."""
    registries: Sequence[str] = ()
    """Registries of images of which Pods need state no digest."""
    cpu = 6
    """The quota of each team."""
    tables: Sequence[LakehouseTableArgs] = ()
    """Further tables of the curated zone, which the team reads and writes."""

    def _store(self) -> dict[str, Any]:
        """Return further arguments of the model store."""
        return {}

    def _more(self, parts: Parts) -> None:
        """Register what another platform has in addition."""

    def _program(self) -> None:
        trust = json.dumps({"Version": "2012-10-17", "Statement": [_assumed_by_account()]})
        names = (*(f"{name}-owner" for name in TEAMS), *self.members, "pipeline", "external-secrets")
        roles = {name: aws.iam.Role(name, name=f"team-{name}", assume_role_policy=trust) for name in names}
        assume = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [assume]})
        aws.iam.RolePolicy("external-secrets", role=roles["external-secrets"].name, policy=policy)
        account = aws.get_caller_identity().account_id
        arns = {name: f"arn:aws:iam::{account}:role/team-{name}" for name in names}
        declared: dict[str, dict[str, Any]] = {name: {"owners": [arns[f"{name}-owner"]]} for name in TEAMS}
        declared[TEAM] |= {
            "serves": True,
            "priority_classes": ["serving"],
            # The certificate of the registry's server is not of a public authority.
            "configuration": {"MLFLOW_TRACKING_SERVER_CERT_PATH": f"{MOUNTED_AT}/{_CA}"},
            "files": {_CA: self._certificate.read_text()},
        }
        settings = load_file(changed(self._folder, {"teams": declared}, "aws-dev"))
        prefix = settings.environment.prefix
        cluster: Any = {"name": self._base.cluster, "security_group_id": "sg-1"}
        identities = {
            name: WorkloadIdentity(
                name,
                {
                    "prefix": prefix,
                    "name": name,
                    "cluster": cluster,
                    "namespace": settings.identities[name].namespace,
                    "service_account": settings.identities[name].service_account,
                },
            )
            for name in TEAMS
        }
        lake = Lakehouse(
            "lake",
            {
                "prefix": prefix,
                "force_destroy": True,
                "writers": [arns["pipeline"]],
                "tables": [self.customers, PREDICTIONS, *self.tables],
                "grants": [
                    {
                        "name": "reads",
                        "principal": identities[TEAM].principal,
                        "actions": ["read"],
                        "tables": ["curated.customers"],
                    },
                    {
                        "name": "predicts",
                        "principal": identities[TEAM].principal,
                        "actions": ["read", "write"],
                        "tables": [
                            f"{table['zone']}.{table['name']}" for table in (PREDICTIONS, *self.tables)
                        ],
                    },
                ],
            },
            ResourceOptions(depends_on=list(roles.values())),
        )
        [secret] = [entry["secret"] for entry in self._registry["secrets"] if entry["account"] == "release"]
        of_store: Any = {
            "prefix": prefix,
            "cluster": cluster,
            "profile": "prod",
            "registry": {
                "tracking_uri": self._registry["tracking_uri"],
                "namespace": self._registry["namespace"],
                "secret": secret,
                "kms_key": self._registry["kms_key"],
            },
            "release_group": [arns[RELEASER]],
            "image": RELEASE_IMAGE,
            "registry_ca": self._certificate.read_text(),
            "force_destroy": True,
            **self._store(),
        }
        store = ModelStore("store", of_store, ResourceOptions(depends_on=list(roles.values())))
        registries = [REGISTRY, *sorted({entry.repository for entry in platform_images().values()})]
        guardrails = Guardrails(
            "guardrails",
            {
                "require_digests": True,
                "allowed_registries": [*registries, *self.registries],
                "digest_exceptions": list(self.registries),
            },
        )
        quotas: Any = [{"pool": "training", "accelerators": 16}, {"pool": "general", "cpu": self.cpu}]
        entries: Any = [{"name": name, "quotas": quotas, "namespaces": [name]} for name in TEAMS]
        queues: Any = {"gpu_pools": [POOL], "node_pools": [CPU_POOL], "queues": entries}
        offered = Offered(
            cluster=cluster,
            workload_identities={
                **dict.fromkeys(settings.identities),
                **{name: identity.outputs for name, identity in identities.items()},
            },
            addons={
                "versions": {"external-secrets": "2.9.0"},
                "secrets_role_arn": roles["external-secrets"].arn,
            },
            lakehouse=lake.outputs,
            # The other team has no account in the registry.
            model_registry={
                **self._registry,
                "secrets": [*self._registry["secrets"], {"account": OTHER, "secret": secret}],
            },
            model_store=store.outputs,
        )
        arguments: Any = teams(settings, offered)
        # Of the component Training, which another stack here has: the Kubeflow SDK reads runtimes.
        arguments["cluster_roles"] = ["ai-platform-training-runtimes"]
        for name in TEAMS:
            arguments["teams"][name]["queue"] = name
        arguments["teams"][OTHER].pop("secrets")
        created = Teams(
            "teams",
            arguments,
            ResourceOptions(depends_on=[*roles.values(), guardrails, Queues("queues", queues)]),
        )
        self._more(Parts(prefix, cluster, arns, identities, store, created))
        pulumi.export("lake", lake.outputs)
        pulumi.export("store", store.outputs)
        owners = {name: arns[f"{name}-owner"] for name in TEAMS}
        pulumi.export("members", {**owners, **{name: arns[name] for name in self.members}})

    def _append(self, lake: Mapping[str, Any]) -> None:
        """Write two snapshots as the pipeline; the second one has many customers who behave differently."""
        self._know(lake)
        self.write(customers(600, 1), customers(2000, 2, inverted=True))

    def _know(self, lake: Mapping[str, Any]) -> None:
        [table] = [entry for entry in lake["tables"] if entry["name"] == "customers"]
        self.lake, self.table = lake, f"{table['database']}.{table['name']}"

    def write(self, *writes: list[dict[str, str]]) -> None:
        """Append customers as the pipeline, a snapshot for each list."""
        common = {"identity": self._assumed("team-pipeline")}
        asks = [{"do": "append_as_writer", **common, "rows": rows} for rows in writes]
        payload = {"lake": self.lake, "table": self.table}
        clients.run("pyiceberg", "lake", {**payload, "asks": asks}, pods.place(self.plain))
        self.snapshots: list[int] = self.stored("customers", "customer_id")["snapshots"]

    def stored(self, table: str, key: str) -> dict[str, Any]:
        """Return snapshots and rows of a table, as the pipeline sees them."""
        [entry] = [entry for entry in self.lake["tables"] if entry["name"] == table]
        ask = {"do": "snapshots_as_writer", "identity": self._assumed("team-pipeline"), "key": key}
        payload = {"lake": self.lake, "table": f"{entry['database']}.{table}", "asks": [ask]}
        [answer] = clients.run("pyiceberg", "lake", payload, pods.place(self.plain))["answers"]
        return answer


def _assumed_by_account() -> dict[str, Any]:
    account = aws.get_caller_identity().account_id
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    return {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}


class Platform:
    """The deployed platform. members: the owners of the teams, and the person who releases. store: outputs
    of the model store."""

    def __init__(self, cluster: Cluster, registry: Registry, teams: TrainingTeams) -> None:
        self.cluster, self.registry, self.teams = cluster, registry, teams
        outputs = teams.stack.outputs()
        self.store: dict[str, Any] = outputs["store"].value
        arns = outputs["members"].value
        self.members: dict[str, Objects] = {name: member(cluster, arn) for name, arn in arns.items()}

    def session(self, team: str) -> dict[str, str]:
        """Return the variables of a team's Pods, with their cloud identity."""
        return pods.session_of(self.cluster.plain, self.cluster.base.cluster, team, "workloads")

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the keys of a bucket."""
        page = self.cluster.plain.aws("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for entry in page.get("Contents", ())]


def _training(cluster: Cluster, addons: Addons) -> None:
    """Register training, after add-ons."""
    after = pulumi.Output.all(*(addon.resources for addon in addons.installed.values())).apply(
        lambda known: [resource for resources in known for resource in resources]
    )
    arguments: Any = {
        "cluster": {"name": cluster.base.cluster, "security_group_id": "sg-1"},
        "gpu_pools": [
            {key: POOL[key] for key in (*POOL_KEYS, "resource", "resources_per_node", "topology_labels")}
        ],
        "node_pools": [{key: CPU_POOL[key] for key in POOL_KEYS}],
        "runtimes": RUNTIMES,
        "service_account": "workloads",
        "charts": str(ensure_charts()),
    }
    Training("training", arguments, ResourceOptions(depends_on=after))


def kubeconfig(user: Objects, folder: Path, name: str = "twin") -> Path:
    """Write the kubeconfig of a member, with its token, and return its path. name: of the cluster's
    entry."""
    known: Any = user.api.configuration
    token = known.api_key["authorization"].removeprefix("Bearer ")
    cluster = {"server": known.host, "certificate-authority": known.ssl_ca_cert}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": "member", "user": {"token": token}}],
        "contexts": [{"name": "member", "context": {"cluster": name, "user": "member"}}],
        "current-context": "member",
    }
    file = folder / "kubeconfig.json"
    file.write_text(json.dumps(document))
    return file


@dataclass(frozen=True)
class Variant:
    """A platform of another test. owned: parts of the names of kinds that its components bring. images: a
    table of images whose Pods run as processes. teams: the class of its stack of teams. nodes: with CPUs
    only. objects: further ones of the cluster. before: registers what exists before the add-ons, and returns
    it."""

    name: str = "training"
    controllers: str = "kueue,jobset,trainer"
    addons: Sequence[str] = ADDONS
    owned: Sequence[str] = (".trainer.kubeflow.org",)
    images: str = IMAGES
    teams: type[TrainingTeams] = TrainingTeams
    nodes: int = 1
    objects: Sequence[dict[str, Any]] = ()
    before: Callable[[Cluster], list[pulumi.Resource]] = lambda _: []


TRAINING: Final = Variant()


@contextmanager
def created(home: Path, folder: Path, variant: Variant = TRAINING) -> Iterator[Platform]:
    """Yield the platform, and remove it at the end. folder: for files."""
    with ExitStack() as ends:
        cluster = Cluster(home, variant.name, variant.controllers, variant.images)
        ends.callback(cluster.remove)
        cluster.create(
            *(
                item
                for item in definitions(home)
                if not any(part in item["metadata"]["name"] for part in variant.owned)
            ),
            *variant.objects,
        )
        cluster.add_nodes()
        for number in range(variant.nodes):
            cluster.create(node(f"cpu-{number}", cpu=16, labels=CPU_POOL["node_selector"]))
        cluster.read_schema()
        cluster.stack("training", lambda: _training(cluster, installed(cluster, variant))).up()
        registry = Registry(cluster.plain)
        ends.callback(registry.end)
        kubeconfig = cluster.plain.instance.kubeconfig.read_text()
        stack = cluster.stack("mlflow", lambda: mlflow_deployment.program(cluster.base, kubeconfig))
        registry.open(stack.up().outputs["models"].value)
        for name in ("mlflow-prepare", "mlflow-migrate"):
            registry.job(name)
        registry.start()
        deployed = variant.teams(cluster.plain, cluster.base, registry.outputs, folder, registry.certificate)
        file = automation.ConfigValue(str(cluster.plain.instance.kubeconfig))
        deployed.stack.set_config("kubernetes:kubeconfig", file)
        deployed.deploy()
        ends.enter_context(deployed.reaches(registry.port))
        platform = Platform(cluster, registry, deployed)
        for name in TEAMS:
            user = platform.members[name]
            eventually(f"access of {name}", lambda user=user, name=name: user.list("v1", "Pod", name) == [])
        probe: dict[str, Any] = {
            "apiVersion": "trainer.kubeflow.org/v1alpha1",
            "kind": "TrainJob",
            "metadata": {
                "name": "probe",
                "namespace": TEAM,
                "labels": {"kueue.x-k8s.io/queue-name": "default"},
            },
            "spec": {
                "runtimeRef": {"name": "torch-cpu"},
                "trainer": {"numNodes": 1, "image": image("training")},
            },
        }
        # Kueue looks for kinds that did not exist when it started every two minutes.
        eventually("Kueue knows TrainJobs", lambda: platform.members[TEAM].accepted(probe), 300)
        yield platform


def installed(cluster: Cluster, variant: Variant) -> Addons:
    """Register the add-ons of a platform. In the program of a stack."""
    region = cluster.plain.instance.region
    setup = Setup(ray=True, cluster=cluster.base.cluster, region=region, vpc_id=cluster.base.vpc_id)
    return Addons(variant.addons, setup, ResourceOptions(depends_on=variant.before(cluster)))
