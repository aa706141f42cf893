"""A platform on which a team trains continuously: Argo Workflows, a model store whose promotions are
workflows, queues, and CI's identity. Images run as processes; a Job of a ScaledJob is created by the test,
as KEDA does it for a message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions, automation

from aiplatform.continuous_training import ContinuousTraining
from aiplatform.model_store import ModelStore
from aiplatform.pipelines import Pipelines
from aiplatform.teams import Teams
from aiplatform.workload_identity import WorkloadIdentity
from tests.components.aiplatform.continuous_training.example import model
from tests.controllers.cluster import Addons, Cluster, Objects, node
from tests.controllers.definitions import definitions
from tests.controllers.team import member, member_roles
from tests.controllers.workflows import Workflows
from twin.tests.waiting import eventually
from twin.toolchain.charts import ensure_charts

TEAM: Final = "vision"
KEDA: Final = "keda.sh/v1alpha1"
REGISTRY: Final = "registry.example/acme"
STEPS: Final = f"{REGISTRY}/training-steps@sha256:{'1' * 64}"
RELEASE: Final = f"{REGISTRY}/model-release@sha256:{'2' * 64}"
IMAGES: Final = """
["acme/training-steps"]
folder = "tests/controllers/pod_images/steps"
environment = "containers/training_steps"
entrypoint = ["python", "-m", "training_steps"]

["acme/model-release"]
folder = "tests/controllers/pod_images/release"
environment = "containers/model_release"
entrypoint = ["python", "-m", "model_release"]
"""
MEMBERS: Final = ("vision-owner", "ci", "approver")


def program(cluster: Cluster) -> None:
    """Register add-ons, the team, its pipelines, the model store and continuous training."""
    roles = member_roles(*MEMBERS)
    reference: Any = {"name": cluster.base.cluster, "security_group_id": "sg-1"}
    common: Any = {"prefix": "acme-dev", "cluster": reference}
    of_identity: Any = {**common, "name": TEAM, "namespace": TEAM, "service_account": "workloads"}
    identity = WorkloadIdentity(TEAM, of_identity)
    addons = Addons(("keda",))
    of_store: Any = {
        **common,
        "profile": "prod",
        "release_group": [roles["approver"].arn],
        "image": RELEASE,
        "workflows": {"executor_image": "quay.io/argoproj/argoexec:v4.0.6"},
    }
    store = ModelStore("store", of_store)
    of_team: Any = {
        "owners": [roles["vision-owner"].arn],
        "identity": identity.outputs,
        # As environments state it.
        "configuration": {"PLATFORM_TEAM": TEAM},
    }
    of_teams: Any = {
        **common,
        "secret_stores": False,
        "teams": {TEAM: of_team},
        "model_store": store.outputs,
    }
    teams = Teams("teams", of_teams)
    entry: Any = {"namespace": TEAM, "identity": identity.outputs}
    of_pipelines: Any = {
        **common,
        "teams": {TEAM: {**entry, "submitters": [roles["ci"].arn]}},
        "charts": str(ensure_charts()),
        "force_destroy": True,
    }
    pipelines = Pipelines("pipelines", of_pipelines, ResourceOptions(depends_on=[teams]))
    thresholds = {"thresholds": {"accuracy": {"min": 0.8}}}
    models: Any = {
        "fares": model(evaluation=thresholds, service="fares", rollout={"weights": [20, 100]}),
        "prices": model(evaluation=thresholds),
    }
    arguments: Any = {
        **common,
        "profile": "prod",
        "image": STEPS,
        "release_image": RELEASE,
        "promoter": store.promoter_principal,
        "teams": {TEAM: {**entry, "models": models}},
    }
    after: Any = [*addons.installed["keda"].resources, pipelines, store, teams]
    ContinuousTraining("continuous", arguments, ResourceOptions(depends_on=after))
    pulumi.export("roles", {name: role.arn for name, role in roles.items()})


class Platform(Workflows):
    """The deployed platform. members: the owner of the team, CI, and who approves releases."""

    def __init__(self, cluster: Cluster, stack: automation.Stack) -> None:
        super().__init__(cluster)
        self.stack = stack
        self._sqs: Any = cluster.plain.aws("sqs")
        self.members: dict[str, Objects] = {
            name: member(cluster, arn) for name, arn in stack.outputs()["roles"].value.items()
        }

    def messages(self, purpose: str) -> int:
        """Return how many messages a queue of the team has."""
        url = self._sqs.get_queue_url(QueueName=f"acme-dev-{TEAM}-{purpose}")["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(
            int(count)
            for count in self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)[
                "Attributes"
            ].values()
        )

    def send(self, purpose: str, text: str) -> None:
        """Send a message."""
        url = self._sqs.get_queue_url(QueueName=f"acme-dev-{TEAM}-{purpose}")["QueueUrl"]
        self._sqs.send_message(QueueUrl=url, MessageBody=text)

    def handle(self, namespace: str, scaled_job: str, name: str) -> str:
        """Run a Job of a ScaledJob, as KEDA does; returns the log of its Pod."""
        known = {"apiVersion": KEDA, "kind": "ScaledJob"}
        scaled = self.cluster.get({**known, "metadata": {"name": scaled_job, "namespace": namespace}})
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": namespace, "labels": scaled["metadata"]["labels"]},
            "spec": scaled["spec"]["jobTargetRef"],
        }
        self.cluster.create(job)

        def ended() -> bool:
            return name in self.cluster.jobs(namespace, "Complete") | self.cluster.jobs(namespace, "Failed")

        eventually(f"the end of {name}", ended, 180)
        selector = f"batch.kubernetes.io/job-name={name}"
        [pod] = self.cluster.core.list_namespaced_pod(namespace, label_selector=selector).items
        return str(self.cluster.core.read_namespaced_pod_log(pod.metadata.name, namespace))


@contextmanager
def created(home: Path) -> Iterator[Platform]:
    """Yield the platform, and remove it at the end."""
    cluster = Cluster(home, "promotions", "argo", IMAGES)
    try:
        cluster.create(*[item for item in definitions(home) if "argoproj" not in item["metadata"]["name"]])
        cluster.add_nodes(0)
        cluster.create(node("cpu-0", cpu=16), node("cpu-1", cpu=16))
        stack = cluster.stack("promotions", lambda: program(cluster))
        stack.up()
        platform = Platform(cluster, stack)
        owner = platform.members["vision-owner"]
        eventually("access of the owner", lambda: owner.list("v1", "Pod", TEAM) == [])
        yield platform
    finally:
        cluster.remove()
