"""A platform on which a team runs pipelines: Argo Workflows, KEDA, a queue, guardrails, and CI's identity.

The image of the steps runs as processes, as the executor of Argo Workflows does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_aws as aws
from pulumi import ResourceOptions, automation

from aiplatform.guardrails import Guardrails
from aiplatform.pipelines import Pipelines
from aiplatform.queues import Queues
from aiplatform.teams import Teams
from aiplatform.workload_identity import WorkloadIdentity
from tests.controllers.cluster import Addons, Cluster, Objects, node
from tests.controllers.definitions import definitions
from tests.controllers.team import CPU_POOL, POOL, member, member_roles
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

TEAM: Final = "vision"
OTHER: Final = "language"
QUEUE: Final = "acme-dev-arrivals"
REGISTRY: Final = "registry.example/acme"
IMAGE: Final = f"{REGISTRY}/steps@sha256:{'0' * 64}"
IMAGES: Final = """
["acme/steps"]
folder = "tests/controllers"
path = "/app"
"""
MEMBERS: Final = ("vision-owner", "language-owner", "ci")
ARGO: Final = "argoproj.io/v1alpha1"
KEDA: Final = "keda.sh/v1alpha1"


def program(cluster: Cluster) -> None:
    """Register add-ons, guardrails, queues, teams and pipelines."""
    roles = member_roles(*MEMBERS)
    reference: Any = {"name": cluster.base.cluster, "security_group_id": "sg-1"}
    messages = aws.sqs.Queue("arrivals", name=QUEUE)
    scaler = _identity("keda", reference, "keda", "keda-operator")
    may_count = {"Effect": "Allow", "Action": "sqs:GetQueueAttributes", "Resource": messages.arn}
    counts = aws.iam.RolePolicy(
        "keda",
        role=scaler.role_name.apply(str),
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [may_count]}),
    )
    identities = {name: _identity(name, reference, name, "workloads") for name in (TEAM, OTHER)}
    addons = Addons(("kueue", "jobset", "keda"))
    after = pulumi.Output.all(*(addon.resources for addon in addons.installed.values())).apply(
        lambda known: [resource for resources in known for resource in resources]
    )
    guardrails = Guardrails(
        "guardrails",
        {
            "require_digests": True,
            "allowed_registries": [REGISTRY, "quay.io/argoproj"],
            "digest_exceptions": ["quay.io/argoproj"],
        },
    )
    quotas: Any = [{"pool": "training", "accelerators": 16}, {"pool": "general", "cpu": 6}]
    entries: Any = [{"name": name, "quotas": quotas, "namespaces": [name]} for name in (TEAM, OTHER)]
    queues: Any = {"gpu_pools": [POOL], "node_pools": [CPU_POOL], "queues": entries}
    of_teams: Any = {
        name: {"owners": [roles[f"{name}-owner"].arn], "queue": name, "identity": identities[name].outputs}
        for name in (TEAM, OTHER)
    }
    teams = Teams(
        "teams",
        {"prefix": "acme-dev", "cluster": reference, "secret_stores": False, "teams": of_teams},
        ResourceOptions(
            depends_on=[guardrails, counts, Queues("queues", queues, ResourceOptions(depends_on=after))]
        ),
    )
    stated: Any = {
        TEAM: {
            "namespace": TEAM,
            "identity": identities[TEAM].outputs,
            "submitters": [roles["ci"].arn],
        },
        OTHER: {"namespace": OTHER, "identity": identities[OTHER].outputs},
    }
    pipelines = Pipelines(
        "pipelines",
        {
            "prefix": "acme-dev",
            "cluster": reference,
            "teams": stated,
            "charts": str(ensure_charts()),
            "force_destroy": True,
        },
        ResourceOptions(depends_on=[teams]),
    )
    pulumi.export("roles", {name: role.arn for name, role in roles.items()})
    pulumi.export("bucket", pipelines.artifacts_bucket)
    pulumi.export("queue", messages.url)


def _identity(name: str, cluster: Any, namespace: str, service_account: str) -> WorkloadIdentity:
    return WorkloadIdentity(
        name,
        {
            "prefix": "acme-dev",
            "name": name,
            "cluster": cluster,
            "namespace": namespace,
            "service_account": service_account,
        },
    )


class Platform:
    """The deployed platform. members: the owners of the teams, and CI."""

    def __init__(self, cluster: Cluster, stack: automation.Stack) -> None:
        self.cluster, self.stack = cluster, stack
        outputs = stack.outputs()
        self.bucket: str = outputs["bucket"].value
        self.queue: str = outputs["queue"].value
        self.members: dict[str, Objects] = {
            name: member(cluster, arn) for name, arn in outputs["roles"].value.items()
        }

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys of artifacts and logs."""
        page = self.cluster.plain.aws("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in page.get("Contents", ())]

    def text(self, key: str) -> str:
        """Return an object as text."""
        return self.cluster.plain.aws("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read().decode()

    def ended(self, name: str, seconds: float = 240) -> dict[str, Any]:
        """Wait until a workflow has ended, and return it."""
        item = {"apiVersion": ARGO, "kind": "Workflow", "metadata": {"name": name, "namespace": TEAM}}

        def status() -> dict[str, Any] | None:
            current = self.cluster.get(item)
            phase = (current.get("status") or {}).get("phase")
            return current if phase in ("Succeeded", "Failed", "Error") else None

        return eventually(f"the end of {name}", status, seconds)


def step(name: str, program_text: str, *arguments: str, **more: Any) -> dict[str, Any]:
    """Return a template of a step that runs a program in Python."""
    return {
        "name": name,
        "container": {
            "image": IMAGE,
            "command": ["python", "-c", program_text],
            "args": list(arguments),
        },
        **more,
    }


def template(name: str, *templates: Any, **more: Any) -> dict[str, Any]:
    """Return a WorkflowTemplate of the team, whose first template is the entry point."""
    return {
        "apiVersion": ARGO,
        "kind": "WorkflowTemplate",
        "metadata": {"name": name, "namespace": TEAM},
        "spec": {
            "entrypoint": templates[0]["name"],
            "serviceAccountName": "workloads",
            "templates": list(templates),
            **more,
        },
    }


def workflow(name: str, of: str, namespace: str = TEAM, **more: Any) -> dict[str, Any]:
    """Return a workflow that runs a WorkflowTemplate."""
    return {
        "apiVersion": ARGO,
        "kind": "Workflow",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"workflowTemplateRef": {"name": of}, **more},
    }


@contextmanager
def created(home: Path) -> Iterator[Platform]:
    """Yield the platform, and remove it at the end."""
    cluster = Cluster(home, "pipelines", "kueue,jobset,argo,keda", IMAGES)
    try:
        known = [item for item in definitions(home) if "argoproj" not in item["metadata"]["name"]]
        cluster.create(*known)
        cluster.add_nodes(1)
        cluster.create(node("cpu-0", cpu=16, labels=CPU_POOL["node_selector"]))
        cluster.create(node("cpu-1", cpu=16, labels=CPU_POOL["node_selector"]))
        stack = cluster.stack("pipelines", lambda: program(cluster))
        stack.up()
        platform = Platform(cluster, stack)
        owner = platform.members["vision-owner"]
        eventually("access of the owner", lambda: owner.list("v1", "Pod", TEAM) == [])
        yield platform
    finally:
        cluster.remove()
