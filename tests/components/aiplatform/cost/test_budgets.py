"""The budgets of an environment and of teams, and where their alerts go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform.cost import Cost
from aiplatform.cost.gcp import PUBLISHER
from tests.components.aiplatform.cost.example import BILLING_ACCOUNT, OWNER, controlled
from tests.components.aiplatform.schema import undocumented
from tests.components.recording import ACCOUNT, Recording

AWS_BUDGET = "aws:budgets/budget:Budget"
GOOGLE_BUDGET = "gcp:billing/budget:Budget"
TOPIC = "aws:sns/topic:Topic"
KEY = "aws:kms/key:Key"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
CLOUDS = pytest.mark.parametrize("cloud", ["aws", "gcp"])


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {entry["Sid"]: entry for entry in json.loads(document)["Statement"]}


def thresholds(recording: Recording, name: str = "cost-environment") -> set[tuple[str, float]]:
    notifications = recording.one(AWS_BUDGET, name).inputs["notifications"]
    return {(entry["notificationType"], entry["threshold"]) for entry in notifications}


def test_it_is_documented() -> None:
    assert undocumented(Cost) == []


def test_budget_of_an_account_counts_everything_and_warns_of_what_is_spent_and_forecast() -> None:
    recording = controlled("aws")
    budget = recording.one(AWS_BUDGET, "cost-environment").inputs
    assert (budget["name"], budget["budgetType"], budget["timeUnit"]) == (
        "acme-dev-environment",
        "COST",
        "MONTHLY",
    )
    assert (budget["limitAmount"], budget["limitUnit"]) == ("500", "USD")
    assert "costFilters" not in budget, "what has no tag is counted, too"
    assert thresholds(recording) == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    topic = recording.one(TOPIC, "cost-alerts")
    for notification in budget["notifications"]:
        assert notification["subscriberSnsTopicArns"] == [topic.state["arn"]]
        assert notification["subscriberEmailAddresses"] == [OWNER]
        assert notification["thresholdType"] == "PERCENTAGE"


def test_credits_do_not_hide_what_is_used() -> None:
    types = controlled("aws").one(AWS_BUDGET, "cost-environment").inputs["costTypes"]
    assert (types["includeCredit"], types["includeRefund"]) == (False, False)
    used = controlled("gcp").one(GOOGLE_BUDGET, "cost-environment").inputs["budgetFilter"]
    assert used["creditTypesTreatment"] == "EXCLUDE_ALL_CREDITS"


def test_budget_of_a_team_counts_what_has_its_tag() -> None:
    budget = controlled("aws").one(AWS_BUDGET, "cost-team-search").inputs
    assert budget["costFilters"] == [{"name": "TagKeyValue", "values": ["user:team$search"]}]
    assert budget["limitAmount"] == "120.5"
    other = {"search": {"amount": 1, "tag": {"cost-center": "42"}}}
    stated = controlled("aws", team_budgets=other).one(AWS_BUDGET, "cost-team-search").inputs
    assert stated["costFilters"][0]["values"] == ["user:cost-center$42"]
    labels = controlled("gcp").one(GOOGLE_BUDGET, "cost-team-search").inputs["budgetFilter"]["labels"]
    assert labels == {"team": "search"}


def test_thresholds_are_those_that_are_stated() -> None:
    stated = {"amount": 10, "actual_percent": [50], "forecast_percent": []}
    assert thresholds(controlled("aws", budget=stated)) == {("ACTUAL", 50)}
    rules = controlled("gcp", budget=stated).one(GOOGLE_BUDGET, "cost-environment").inputs["thresholdRules"]
    assert rules == [{"thresholdPercent": 0.5, "spendBasis": "CURRENT_SPEND"}], "1.0 is the whole amount"


def test_only_the_two_services_publish_and_use_the_key() -> None:
    recording = controlled("aws", anomalies={})
    topic = recording.one(TOPIC, "cost-alerts")
    assert topic.inputs["kmsMasterKeyId"] == recording.one(KEY, "cost-key").state["arn"]
    publish = statements(topic.inputs["policy"])
    assert publish["BudgetsPublish"]["Principal"] == {"Service": "budgets.amazonaws.com"}
    assert publish["BudgetsPublish"]["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:budgets::{ACCOUNT}:*"},
    }
    assert publish["AnomaliesPublish"]["Principal"] == {"Service": "costalerts.amazonaws.com"}
    assert publish["TlsOnly"]["Effect"] == "Deny"
    use = statements(recording.one(KEY, "cost-key").inputs["policy"])
    for sid in ("BudgetsEncrypt", "AnomaliesEncrypt"):
        assert use[sid]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"], "SNS encrypts for the publisher"
        assert use[sid]["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_a_key_that_exists_is_used() -> None:
    arn = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    recording = controlled("aws", kms_key=arn)
    assert recording.all(KEY) == []
    assert recording.one(TOPIC, "cost-alerts").inputs["kmsMasterKeyId"] == arn


def test_anomalies_are_reported_at_once_and_only_where_they_matter() -> None:
    recording = controlled("aws", anomalies={"min_impact": 50})
    monitor = recording.one("aws:costexplorer/anomalyMonitor:AnomalyMonitor", "cost-anomalies")
    assert (monitor.inputs["monitorType"], monitor.inputs["monitorDimension"]) == ("DIMENSIONAL", "SERVICE")
    subscription = recording.one("aws:costexplorer/anomalySubscription:AnomalySubscription").inputs
    assert subscription["frequency"] == "IMMEDIATE", "the only frequency that SNS accepts"
    [subscriber] = subscription["subscribers"]
    assert (subscriber["type"], subscriber["address"]) == (
        "SNS",
        recording.one(TOPIC, "cost-alerts").state["arn"],
    )
    assert subscription["thresholdExpression"] == {
        "dimension": {
            "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
            "matchOptions": ["GREATER_THAN_OR_EQUAL"],
            "values": ["50"],
        }
    }


def test_both_limits_of_anomalies_apply_together() -> None:
    recording = controlled("aws", anomalies={"min_percent": 30})
    expression = recording.one("aws:costexplorer/anomalySubscription:AnomalySubscription").inputs[
        "thresholdExpression"
    ]
    assert [entry["dimension"]["key"] for entry in expression["ands"]] == [
        "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
        "ANOMALY_TOTAL_IMPACT_PERCENTAGE",
    ]


def test_the_monitor_that_an_account_has_already_is_used() -> None:
    arn = f"arn:aws:ce::{ACCOUNT}:anomalymonitor/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    recording = controlled("aws", anomalies={"monitor_arn": arn})
    assert recording.all("aws:costexplorer/anomalyMonitor:AnomalyMonitor") == []
    subscription = recording.one("aws:costexplorer/anomalySubscription:AnomalySubscription")
    assert subscription.inputs["monitorArnLists"] == [arn]


def test_budget_of_a_project_has_its_number_and_a_channel_for_each_address() -> None:
    recording = controlled("gcp")
    budget = recording.one(GOOGLE_BUDGET, "cost-environment").inputs
    assert budget["billingAccount"] == BILLING_ACCOUNT
    [project] = budget["budgetFilter"]["projects"]
    assert project.removeprefix("projects/").isdigit(), (
        "the API returns numbers, a name would be a difference"
    )
    assert "labels" not in budget["budgetFilter"]
    assert budget["amount"] == {"specifiedAmount": {"currencyCode": "USD", "units": "500"}}
    team = recording.one(GOOGLE_BUDGET, "cost-team-search").inputs
    assert team["amount"]["specifiedAmount"] == {"currencyCode": "USD", "units": "120", "nanos": 500_000_000}
    addresses = {entry.inputs["labels"]["email_address"] for entry in recording.all(CHANNEL)}
    assert addresses == {OWNER, "search@acme.example"}, "an address of two budgets has one channel"
    updates = budget["allUpdatesRule"]
    assert len(updates["monitoringNotificationChannels"]) == 1
    assert updates["disableDefaultIamRecipients"] is True
    assert updates["pubsubTopic"] == recording.one("gcp:pubsub/topic:Topic", "cost-alerts").id


def test_cloud_billing_publishes_before_a_budget_names_the_topic() -> None:
    recording = controlled("gcp")
    member = recording.one("gcp:pubsub/topicIAMMember:TopicIAMMember", "cost-alerts-billing")
    assert (member.inputs["role"], member.inputs["member"]) == ("roles/pubsub.publisher", PUBLISHER)
    assert recording.depends(recording.one(GOOGLE_BUDGET, "cost-environment"), on=member)


@CLOUDS
def test_nothing_is_created_where_nothing_is_stated(cloud: str) -> None:
    recording = controlled(cloud, budget=None, team_budgets={})
    assert [entry.name for entry in recording.resources if entry.custom] == []


@CLOUDS
def test_outputs_name_the_budgets_and_the_topic(cloud: str) -> None:
    component = controlled(cloud).one("aiplatform:index:Cost")
    assert component.outputs is not None
    assert component.outputs["budgets"] == {
        "environment": "acme-dev-environment",
        "team-search": "acme-dev-team-search",
    }
    assert "cost-alerts" in component.outputs["alerts_topic"]
