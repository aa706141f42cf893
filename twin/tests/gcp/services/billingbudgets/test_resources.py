"""Budgets of a billing account, and channels of notifications, against an API server."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT
from twin.tests.gcp.resources.life import Made, make

SERVICE = "gcp:projects/service:Service"
BUDGET = "gcp:billing/budget:Budget"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
TOPIC = "gcp:pubsub/topic:Topic"
ACCOUNT = "01AB23-45CD67-89EF01"


@pytest.fixture
def billed(gcp: GcpContext) -> GcpContext:
    for api in ("billingbudgets", "monitoring", "pubsub"):
        make(gcp, SERVICE, service=f"{api}.googleapis.com")
    return gcp


def channel(context: GcpContext, **more: Any) -> Made:
    labels = {"email_address": "a@acme.example"}
    return make(context, CHANNEL, **{"type": "email", "displayName": "Costs", "labels": labels, **more})


def inputs(topic: str, *channels: str, **more: Any) -> dict[str, Any]:
    return {
        "billingAccount": ACCOUNT,
        "displayName": "acme-dev-environment",
        "amount": {"specifiedAmount": {"units": "500", "currencyCode": "USD"}},
        "budgetFilter": {
            "projects": [f"projects/{PROJECT}"],
            "labels": {"team": "search"},
            "calendarPeriod": "MONTH",
            "creditTypesTreatment": "EXCLUDE_ALL_CREDITS",
        },
        "thresholdRules": [
            {"thresholdPercent": 0.8, "spendBasis": "CURRENT_SPEND"},
            {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"},
        ],
        "allUpdatesRule": {
            "pubsubTopic": topic,
            "schemaVersion": "1.0",
            "monitoringNotificationChannels": list(channels),
            "disableDefaultIamRecipients": True,
            "enableProjectLevelRecipients": False,
        },
        **more,
    }


def number(context: GcpContext) -> str:
    project = context.call("cloudresourcemanager.projects.get", {"projectId": PROJECT})
    return str(project["projectNumber"])


def test_a_budget_is_created_changed_and_deleted(billed: GcpContext) -> None:
    topic = make(billed, TOPIC, name="alerts")
    email = channel(billed)
    stated = inputs(topic.id, email.id)
    stated["budgetFilter"]["projects"] = [f"projects/{number(billed)}"]
    budget = make(billed, BUDGET, **stated)
    assert budget.id == f"billingAccounts/{ACCOUNT}/budgets/{budget.outputs['name']}"
    assert budget.outputs["budgetFilter"]["labels"] == {"team": "search"}
    assert budget.outputs["allUpdatesRule"]["pubsubTopic"] == topic.id
    changed = budget.update(amount={"specifiedAmount": {"units": "600", "currencyCode": "USD"}})
    assert changed["amount"]["specifiedAmount"]["units"] == "600"
    budget.delete()
    assert budget.read() is None
    assert email.update(displayName="Costs of dev")["displayName"] == "Costs of dev"
    email.delete()
    assert email.read() is None
    topic.delete()


def test_a_budget_of_all_labels_is_created(billed: GcpContext) -> None:
    topic = make(billed, TOPIC, name="all")
    stated = inputs(topic.id)
    stated["budgetFilter"] = {"projects": [f"projects/{number(billed)}"], "calendarPeriod": "MONTH"}
    budget = make(billed, BUDGET, **stated)
    assert not budget.outputs["budgetFilter"].get("labels")
    budget.delete()
    topic.delete()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"billingAccount": "acme"}, "Invalid billing account"),
        ({"displayName": "a" * 61}, "at most 60 characters"),
        ({"budgetFilter": {"projects": ["projects/another"]}}, "no project of the billing account"),
        ({"allUpdatesRule": {"pubsubTopic": f"projects/{PROJECT}/topics/none"}}, "does not exist"),
        (
            {
                "allUpdatesRule": {
                    "monitoringNotificationChannels": [f"projects/{PROJECT}/notificationChannels/1"]
                }
            },
            "no notification channel of the type email",
        ),
    ],
)
def test_what_cloud_billing_refuses_is_refused(
    billed: GcpContext, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(CloudError, match=words):
        make(billed, BUDGET, **{**inputs(f"projects/{PROJECT}/topics/none"), **change})


def test_a_channel_without_an_address_is_refused(billed: GcpContext) -> None:
    with pytest.raises(CloudError, match="must be an email address"):
        channel(billed, labels={"email_address": "ops"})
