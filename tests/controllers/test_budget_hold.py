"""A budget's alert with the real Kueue and engine, and the program of containers/cost_control: queues are
held, running work lives, and an update of the stack does not release them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer
from pulumi import automation

from aiplatform.queues import Queues
from cli.budget.holds import Holds
from cli.maintenance import cluster as connection
from tests.components.aiplatform.cost.example import HELD, controlled
from tests.containers.test_cost_control import PROGRAM
from tests.controllers.cluster import Cluster
from tests.controllers.queue_objects import SETTLED, arguments, of_kueue, running, submit, team, until_running
from tests.end_to_end.harness import eventually

TEAM: Final = "vision"
BUDGET: Final = "acme-dev-environment"
REGION: Final = "us-west-2"
TEXT: Final = f"""AWS Budget Notification
Budget Name: {BUDGET}
Budgeted Amount: $500.00
Alert Type: ACTUAL
Alert Threshold: > $500.00
ACTUAL Amount: $512.37
"""
KEYS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


@dataclass
class Alerts:
    """A topic with a queue of SQS, on a server of moto."""

    url: str
    queue: str
    topic: str
    sns: Any

    def publish(self) -> None:
        """Publish what AWS Budgets does."""
        self.sns.publish(TopicArn=self.topic, Message=TEXT, Subject="AWS Budgets: alert")


@pytest.fixture
def alerts() -> Iterator[Alerts]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    options: Any = {
        "endpoint_url": url,
        "region_name": REGION,
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    sqs, sns = boto3.client("sqs", **options), boto3.client("sns", **options)
    queue = sqs.create_queue(QueueName="acme-dev-cost-hold")["QueueUrl"]
    topic = sns.create_topic(Name="acme-dev-cost-hold")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    yield Alerts(url, queue, topic, sns)
    server.stop()


@dataclass
class Account:
    """The service account of the program, with the rights that the component gives it."""

    cluster: Cluster
    folder: Path

    def kubeconfig(self) -> Path:
        """Return a kubeconfig with its token."""
        token = self.cluster.core.create_namespaced_service_account_token(
            "cost-control", "cost-control", {"spec": {"expirationSeconds": 3600}}
        ).status.token
        known: Any = yaml.safe_load(self.cluster.plain.world.kubeconfig.read_text())
        known["users"] = [{"name": entry["name"], "user": {"token": token}} for entry in known["users"]]
        file = self.folder / "kubeconfig"
        file.write_text(yaml.safe_dump(known))
        return file


@pytest.fixture(scope="module")
def account(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The objects of the component's rights, as it registers them for the queue of the team."""
    recording = controlled("aws", **{**HELD, "cluster_queues": [TEAM]})
    kinds = ("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    items = []
    for kind in kinds:
        for entry in recording.resources:
            if entry.type.startswith("kubernetes:") and entry.type.endswith(f":{kind}"):
                group = entry.type.split(":")[1].replace("core/", "")
                items.append({"apiVersion": group, "kind": kind, **without_outputs(entry.inputs)})
    cluster.create(*items)
    yield Account(cluster, tmp_path_factory.mktemp("account"))
    cluster.delete(*reversed(items))


def without_outputs(inputs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in inputs.items() if key not in ("apiVersion", "kind")}


@pytest.fixture
def stack(cluster: Cluster) -> Iterator[automation.Stack]:
    """The queue of a team, as the component registers it, by the engine."""
    values: Any = arguments(team(TEAM))
    namespace = cluster.team(TEAM)
    deployed = cluster.stack("held", lambda: Queues("queues", values))
    try:
        deployed.up()
        yield deployed
    finally:
        cluster.delete(namespace)
        names = lambda: {item.metadata.name for item in cluster.core.list_namespace().items}  # noqa: E731
        eventually("namespace deleted", lambda: TEAM not in names() or None, 120)
        deployed.destroy()
        eventually("queues deleted", lambda: not of_kueue(cluster) or None)


def run(cluster: Cluster, account: Account, alerts: Alerts) -> str:
    """Run the program as its CronJob does; return what it logs."""
    del cluster
    done = PROGRAM.run(
        "python",
        "-m",
        "cost_control",
        "budget",
        KUBECONFIG=str(account.kubeconfig()),
        AWS_ENDPOINT_URL=alerts.url,
        QUEUE=alerts.queue,
        BUDGET=BUDGET,
        PERCENT="100",
        CLUSTER_QUEUES=TEAM,
        **KEYS,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def queue_of(cluster: Cluster) -> dict[str, Any]:
    return next(
        item
        for item in cluster.list("kueue.x-k8s.io/v1beta2", "ClusterQueue")
        if item["metadata"]["name"] == TEAM
    )


def policy(cluster: Cluster) -> str:
    return queue_of(cluster)["spec"]["stopPolicy"]


def changes(result: automation.UpResult | automation.PreviewResult) -> dict[str, int]:
    """Return the number of resources of each operation other than `same`."""
    summary = (
        result.change_summary
        if isinstance(result, automation.PreviewResult)
        else result.summary.resource_changes or {}
    )
    return {
        str(getattr(key, "value", key)): count for key, count in summary.items() if key != "same" and count
    }


def test_message_of_a_budget_holds_the_queue_and_running_work_lives(
    cluster: Cluster, account: Account, alerts: Alerts, stack: automation.Stack
) -> None:
    submit(cluster, TEAM, 30)
    until_running(cluster, {TEAM: 2})  # the runaway stops at its quota of 16 GPUs

    alerts.publish()
    log = run(cluster, account, alerts)
    assert f"{TEAM}: held: budget {BUDGET}" in log
    assert policy(cluster) == "Hold"
    time.sleep(SETTLED)
    assert running(cluster, TEAM) == {TEAM: 2}, "running work lives"
    annotations = queue_of(cluster)["metadata"]["annotations"]
    assert "ACTUAL Amount: $512.37" in annotations["ai-platform/budget-hold"]
    events = [
        event
        for event in cluster.core.list_namespaced_event("default").items
        if event.involved_object.kind == "ClusterQueue" and event.reason == "HeldByBudget"
    ]
    assert [event.involved_object.name for event in events] == [TEAM]

    first, *_ = sorted(cluster.jobs(TEAM, "Running"))
    cluster.batch.delete_namespaced_job(first, TEAM, propagation_policy="Background")
    until_running(cluster, {TEAM: 1})  # nothing takes its place

    assert changes(stack.preview()) == {}, "the engine finds nothing to change"
    assert changes(stack.up()) == {}
    assert policy(cluster) == "Hold", "an update of the stack does not release it"
    refreshed = stack.refresh().summary.resource_changes or {}
    assert set(refreshed) == {"same"}, "a hold is no drift"
    assert changes(stack.up()) == {}, "neither after a refresh"
    assert policy(cluster) == "Hold"

    lines: list[str] = []
    holds = Holds(connection.Cluster(cluster.api))
    month = annotations["ai-platform/budget-hold"].partition(":")[0]
    assert holds.release([], month, lines.append) == [TEAM]
    assert policy(cluster) == "None"
    until_running(cluster, {TEAM: 2})
    alerts.publish()
    assert f"{TEAM}: released before" in run(cluster, account, alerts)
    assert policy(cluster) == "None", "the alerts of a month that a user has released hold no more"


def test_changed_quota_leaves_the_hold_and_a_drain_leaves_it_too(
    cluster: Cluster, account: Account, alerts: Alerts, stack: automation.Stack
) -> None:
    alerts.publish()
    run(cluster, account, alerts)
    changed: Any = arguments(team(TEAM, gpus=8))

    def program() -> None:
        Queues("queues", changed)

    stack.workspace.program = program
    assert changes(stack.up()) == {"update": 1}
    changed_queue = queue_of(cluster)
    assert changed_queue["spec"]["stopPolicy"] == "Hold"
    [flavor] = changed_queue["spec"]["resourceGroups"][0]["flavors"]
    assert {entry["nominalQuota"] for entry in flavor["resources"] if "gpu" in entry["name"]} == {"8"}
    # The manager of drains holds the queue, too, and gives it up again.
    drains = connection.Cluster(cluster.api)
    item = {"apiVersion": connection.KUEUE, "kind": "ClusterQueue", "metadata": {"name": TEAM}}
    drains.apply({**item, "spec": {"stopPolicy": "Hold"}})
    drains.apply({**item, "spec": {}})
    assert policy(cluster) == "Hold"


def test_program_can_neither_delete_a_queue_nor_change_another(cluster: Cluster, account: Account) -> None:
    import kubernetes

    api = kubernetes.config.new_client_from_config(str(account.kubeconfig()))
    review = kubernetes.client.AuthorizationV1Api(api)

    def allowed(verb: str, resource: str, group: str = "kueue.x-k8s.io", name: str = TEAM) -> bool:
        attributes = {"verb": verb, "resource": resource, "group": group, "name": name}
        body: Any = {"spec": {"resourceAttributes": attributes}}
        answer: Any = review.create_self_subject_access_review(body)
        return answer.status.allowed

    del cluster
    assert allowed("patch", "clusterqueues")
    assert not allowed("delete", "clusterqueues")
    assert not allowed("create", "clusterqueues")
    assert not allowed("patch", "clusterqueues", name="another")
    assert not allowed("patch", "workloads")
    assert not allowed("get", "secrets", "")
