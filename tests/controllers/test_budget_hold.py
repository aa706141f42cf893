"""A budget's alert with the real Kueue and engine, and the program of containers/cost_control: queues are
held, running work lives, and an update of the stack does not release them. The alert is that of AWS Budgets
by SNS and SQS of moto, and that of Cloud Billing by Pub/Sub on a twin of Google Cloud."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pulumi import automation

from aiplatform.queues import Queues
from cli.budget.holds import Holds
from cli.maintenance import cluster as connection
from tests.components.aiplatform.cost.example import HELD, controlled
from tests.controllers import cost_control, pubsub_messages
from tests.controllers.cluster import Cluster, job
from tests.controllers.cost_control import Account
from tests.controllers.pubsub_messages import Subscription
from tests.controllers.queue_objects import SETTLED, arguments, of_kueue, running, submit, team, until_running
from twin.tests.waiting import eventually

log = logging.getLogger(__name__)
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


@pytest.fixture(scope="module")
def account(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The objects of the component's rights, as it registers them for the queue of the team."""
    recording = controlled("aws", **{**HELD, "cluster_queues": [TEAM]})
    with cost_control.account(cluster, recording, tmp_path_factory.mktemp("account")) as created:
        yield created


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


def run(account: Account, **variables: str) -> str:
    """Run the program as its CronJob does; return what it logs."""
    common = {"PERCENT": "100", "CLUSTER_QUEUES": TEAM}
    return account.run("-m", "cost_control", "budget", variables={**common, **variables})


def run_on_aws(account: Account, alerts: Alerts) -> str:
    return run(account, AWS_ENDPOINT_URL=alerts.url, QUEUE=alerts.queue, BUDGET=BUDGET, **KEYS)


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
    log = run_on_aws(account, alerts)
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
    assert f"{TEAM}: released before" in run_on_aws(account, alerts)
    assert policy(cluster) == "None", "the alerts of a month that a user has released hold no more"


RUNAWAY: Final = 1000
"""Pods that one team creates, each with a GPU."""
BUDGET_ID: Final = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def gpu_pods(cluster: Cluster) -> list[Any]:
    """Return the Pods of the team that have a node."""
    pods = cluster.core.list_namespaced_pod(TEAM).items
    return [pod for pod in pods if pod.spec.node_name and pod.metadata.deletion_timestamp is None]


def test_runaway_of_a_thousand_pods_stops_at_its_quota_and_is_held(
    cluster: Cluster, account: Account, alerts: Alerts, stack: automation.Stack
) -> None:
    began = time.monotonic()
    many = job(TEAM, "many", gpus=1)
    many["spec"].update(parallelism=8, completions=8)
    count = RUNAWAY // 8
    for number in range(count):
        cluster.create({**many, "metadata": {**many["metadata"], "name": f"many-{number}"}})
    submitted = time.monotonic() - began
    eventually("the quota is used", lambda: len(gpu_pods(cluster)) == 16 or None, 300)
    alerts.publish()
    assert f"{TEAM}: held" in run_on_aws(account, alerts)
    time.sleep(SETTLED)
    live = {pod.metadata.name for pod in gpu_pods(cluster)}
    assert len(live) == 16, "1,000 Pods of one team stop at its 16 GPUs"
    assert len(cluster.core.list_namespaced_pod(TEAM).items) == 16, "no further Pod exists"

    first = min(cluster.jobs(TEAM, "Running"))
    cluster.batch.delete_namespaced_job(first, TEAM, propagation_policy="Background")
    eventually("its Pods are gone", lambda: len(gpu_pods(cluster)) == 8 or None)
    time.sleep(SETTLED)
    rest = {pod.metadata.name for pod in gpu_pods(cluster)}
    assert rest < live, "running work lives, and nothing takes the place of what ends"
    seconds = time.monotonic() - began
    log.info("%d Jobs of 8 Pods: submitted in %.0f s, held after %.0f s", count, submitted, seconds)


@pytest.fixture
def google(home: Path) -> Iterator[Subscription]:
    with pubsub_messages.subscription(home, "acme-dev-cost-hold") as created:
        yield created


def test_message_of_cloud_billing_holds_the_queue(
    cluster: Cluster, account: Account, google: Subscription, stack: automation.Stack
) -> None:
    submit(cluster, TEAM, 3)
    until_running(cluster, {TEAM: 2})
    state = {
        "budgetDisplayName": BUDGET,
        "costAmount": 480.0,
        "costIntervalStart": f"{datetime.now(UTC):%Y-%m}-01T07:00:00Z",
        "budgetAmount": 500.0,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "USD",
    }
    attributes = {"billingAccountId": "01AB23-45CD67-89EF01", "schemaVersion": "1.0"}
    variables = {
        "QUEUE": google.path,
        "BUDGET": f"billingAccounts/01AB23-45CD67-89EF01/budgets/{BUDGET_ID}",
        **google.variables,
    }

    google.publish(state, budgetId=BUDGET_ID, **attributes)
    google.publish({**state, "costAmount": 900.0}, budgetId="another", **attributes)
    assert "held" not in run(account, **variables), "neither below the amount, nor by another budget"
    assert google.waiting() == 0, "messages that were read do not come again"
    assert policy(cluster) == "None"

    google.publish({**state, "costAmount": 512.37}, budgetId=BUDGET_ID, **attributes)
    assert f"{TEAM}: held: budget {BUDGET}; 512.37 of 500.00 USD are spent" in run(account, **variables)
    assert policy(cluster) == "Hold"
    assert running(cluster, TEAM) == {TEAM: 2}, "running work lives"


def test_changed_quota_leaves_the_hold_and_a_drain_leaves_it_too(
    cluster: Cluster, account: Account, alerts: Alerts, stack: automation.Stack
) -> None:
    alerts.publish()
    run_on_aws(account, alerts)
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
