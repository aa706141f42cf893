"""Budgets on the twin of each cloud by the real engine: created, found again, read by clients, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pulumi import automation

from aiplatform.cost import Cost
from tests.components.aiplatform.cost.example import BILLING_ACCOUNT, HELD, OWNER, arguments
from tests.end_to_end.plain import Base, Plain

pytestmark = pytest.mark.end_to_end
PROJECT: Final = "acme-ml-dev"
REGION: Final = "us-central1"


def unchanged(stack: automation.Stack) -> None:
    """Assert that a preview with a refresh finds nothing to change."""
    result = stack.preview(refresh=True, diff=True)
    counts = {str(getattr(key, "value", key)): count for key, count in result.change_summary.items() if count}
    assert set(counts) <= {"same"}, result.stdout


@pytest.fixture
def on_aws(plain: Plain, base: Base) -> Iterator[automation.Stack]:
    cluster = {"name": base.cluster, "security_group_id": ""}
    args: Any = arguments("aws", anomalies={"min_impact": 50}, **{**HELD, "cluster": cluster})
    stack = plain.stack("costs", lambda: _register(args))
    stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(plain.instance.kubeconfig)))
    stack.up()
    yield stack
    stack.destroy()


def _register(args: Any) -> None:
    Cost("cost", args)


def test_budgets_of_aws_are_created_and_the_alert_reaches_the_queue(
    plain: Plain, on_aws: automation.Stack
) -> None:
    unchanged(on_aws)
    account = plain.instance.account
    budgets: Any = plain.aws("budgets")
    [environment] = [
        budget
        for budget in budgets.describe_budgets(AccountId=account)["Budgets"]
        if budget["BudgetName"] == "acme-dev-environment"
    ]
    assert environment["BudgetLimit"] == {"Amount": "500.0", "Unit": "USD"}
    name = {"AccountId": account, "BudgetName": "acme-dev-environment"}
    notifications = budgets.describe_notifications_for_budget(**name)["Notifications"]
    topics = {
        (entry["NotificationType"], entry["Threshold"]): [
            subscriber["Address"]
            for subscriber in budgets.describe_subscribers_for_notification(**name, Notification=entry)[
                "Subscribers"
            ]
        ]
        for entry in notifications
    }
    assert set(topics) == {("ACTUAL", 80.0), ("ACTUAL", 100.0), ("FORECASTED", 100.0)}
    assert all(OWNER in addresses for addresses in topics.values())
    [hold] = [address for address in topics["ACTUAL", 100.0] if address.endswith(":acme-dev-cost-hold")]
    plain.aws("sns").publish(
        TopicArn=hold, Message="Budget Name: acme-dev-environment", Subject="AWS Budgets"
    )
    sqs: Any = plain.aws("sqs")
    url = sqs.get_queue_url(QueueName="acme-dev-cost-hold")["QueueUrl"]
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["TopicArn"] == hold
    monitors = plain.aws("ce").get_anomaly_monitors()["AnomalyMonitors"]
    assert [monitor["MonitorDimension"] for monitor in monitors] == ["SERVICE"]


@pytest.fixture
def google(home: Path) -> Iterator[Plain]:
    twin = Plain(home, "costs-gcp", "--account", PROJECT, "--region", REGION, cloud="gcp")
    yield twin
    twin.remove()


def test_budgets_of_google_cloud_are_created_found_again_and_deleted(google: Plain) -> None:
    cluster = {
        "cloud": "gcp",
        "name": "demo",
        "project": PROJECT,
        "region": REGION,
        "node_service_account": f"gke-nodes@{PROJECT}.iam.gserviceaccount.com",
        "workload_pool": f"{PROJECT}.svc.id.goog",
    }
    args: Any = arguments("gcp", cluster=cluster)
    stack = google.stack("costs", lambda: _register(args))
    stack.set_config("gcp:project", automation.ConfigValue(PROJECT))
    result = stack.up()
    assert result.summary.result == "succeeded"
    unchanged(stack)
    parent = f"billingAccounts/{BILLING_ACCOUNT}"
    budgets = google.google("billingbudgets", "v1").billingAccounts().budgets()
    listed_budgets = {
        budget["displayName"]: budget for budget in budgets.list(parent=parent).execute()["budgets"]
    }
    assert set(listed_budgets) == {"acme-dev-environment", "acme-dev-team-search"}
    team = listed_budgets["acme-dev-team-search"]
    assert team["budgetFilter"]["labels"] == {"team": ["search"]}
    assert team["amount"]["specifiedAmount"]["units"] == "120"
    assert team["notificationsRule"]["pubsubTopic"] == f"projects/{PROJECT}/topics/acme-dev-cost-alerts"
    stack.destroy()
    assert "budgets" not in budgets.list(parent=parent).execute()
