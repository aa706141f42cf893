"""Topics, budgets and monitors of anomalies through the API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.aws.context import AwsContext
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import Made, make, refused

TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
QUEUE = "aws:sqs/queue:Queue"
BUDGET = "aws:budgets/budget:Budget"
MONITOR = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
ANOMALIES = "aws:costexplorer/anomalySubscription:AnomalySubscription"


def topic(context: AwsContext, name: str, *services: str) -> Made:
    """A topic to which these services publish."""
    statements: list[Any] = [
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sns:Publish",
            "Resource": f"arn:aws:sns:us-west-2:{context.account}:{name}",
            "Condition": {"StringEquals": {"aws:SourceAccount": context.account}},
        }
        for service in services
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return make(context, TOPIC, name=name, **({"policy": document} if statements else {}))


def notification(arn: str, **more: Any) -> dict[str, Any]:
    return {
        "notificationType": "ACTUAL",
        "comparisonOperator": "GREATER_THAN",
        "threshold": 80.0,
        "thresholdType": "PERCENTAGE",
        "subscriberSnsTopicArns": [arn],
        "subscriberEmailAddresses": ["a@acme.example"],
        **more,
    }


def budget(context: AwsContext, name: str, *notifications: dict[str, Any], **more: Any) -> Made:
    return make(
        context,
        BUDGET,
        name=name,
        budgetType="COST",
        timeUnit="MONTHLY",
        limitAmount="500",
        limitUnit="USD",
        timePeriodEnd="2087-06-15_00:00",
        notifications=list(notifications),
        **more,
    )


def test_a_topic_delivers_to_a_queue(clients: Clients) -> None:
    context = clients.context()
    queue = make(context, QUEUE, name="alerts-of-costs")
    alerts = make(context, TOPIC, name="alerts-of-costs", displayName="Alerts", tags={"team": "a"})
    assert alerts.outputs["arn"] == alerts.id
    subscription = make(context, SUBSCRIPTION, topic=alerts.id, protocol="sqs", endpoint=queue.outputs["arn"])
    assert subscription.outputs["rawMessageDelivery"] is False
    context.call("sns", "Publish", {"TopicArn": alerts.id, "Message": "spent", "Subject": "AWS Budgets"})
    [message] = context.call("sqs", "ReceiveMessage", {"QueueUrl": queue.id})["Messages"]
    assert json.loads(message["Body"])["Message"] == "spent"
    assert alerts.update(displayName="Costs")["displayName"] == "Costs"
    assert subscription.update(rawMessageDelivery=True)["rawMessageDelivery"] is True
    for resource in (subscription, alerts, queue):
        resource.delete()
        assert resource.read() is None


def test_a_budget_is_created_changed_and_deleted_with_its_notifications(clients: Clients) -> None:
    context = clients.context()
    alerts = topic(context, "budgets", "budgets.amazonaws.com")
    created = budget(
        context,
        "acme-dev",
        notification(alerts.id),
        costFilters=[{"name": "TagKeyValue", "values": ["user:team$search"]}],
        costTypes={"includeCredit": False, "includeRefund": False, "useAmortized": True},
        tags={"team": "a"},
    )
    assert created.id == f"{context.account}:acme-dev"
    assert created.outputs["arn"] == f"arn:aws:budgets::{context.account}:budget/acme-dev"
    assert created.outputs["costTypes"]["includeTax"] is True, "what is left out has AWS's default"
    assert created.outputs["timePeriodStart"].endswith("-01_00:00")
    changed = created.update(limitAmount="600", notifications=[notification(alerts.id, threshold=90.0)])
    assert float(changed["limitAmount"]) == 600
    assert [entry["threshold"] for entry in changed["notifications"]] == [90.0]
    assert changed["tags"] == {"team": "a"}
    created.delete()
    assert created.read() is None
    alerts.delete()


def test_a_budget_whose_topic_refuses_aws_budgets_is_refused(clients: Clients) -> None:
    context = clients.context()
    closed = topic(context, "closed")
    with pytest.raises(CloudError, match=r"does not let budgets\.amazonaws\.com publish"):
        budget(context, "closed", notification(closed.id))
    context.call("budgets", "DeleteBudget", {"AccountId": context.account, "BudgetName": "closed"})
    closed.delete()


def test_two_equal_notifications_and_more_than_five_are_refused(clients: Clients) -> None:
    context = clients.context()
    alerts = topic(context, "many", "budgets.amazonaws.com")
    with pytest.raises(CloudError, match="already exists"):
        budget(context, "twice", notification(alerts.id), notification(alerts.id))
    with pytest.raises(CloudError, match="at most 5 notifications"):
        budget(context, "six", *(notification(alerts.id, threshold=float(n)) for n in range(1, 7)))
    for name in ("twice", "six"):
        context.call("budgets", "DeleteBudget", {"AccountId": context.account, "BudgetName": name})
    alerts.delete()


def test_an_account_has_one_monitor_of_its_services(clients: Clients) -> None:
    context = clients.context()
    alerts = topic(context, "anomalies", "costalerts.amazonaws.com")
    monitor = make(context, MONITOR, name="services", monitorType="DIMENSIONAL", monitorDimension="SERVICE")
    with pytest.raises(CloudError, match="Limit exceeded"):
        make(context, MONITOR, name="other", monitorType="DIMENSIONAL", monitorDimension="SERVICE")
    impact = {"key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE", "matchOptions": ["GREATER_THAN_OR_EQUAL"]}
    inputs: dict[str, Any] = {
        "name": "anomalies",
        "frequency": "IMMEDIATE",
        "monitorArnLists": [monitor.id],
        "subscribers": [{"type": "SNS", "address": alerts.id}],
        "thresholdExpression": {"dimension": {**impact, "values": ["100"]}},
    }
    with pytest.raises(CloudError, match="is not supported"):
        make(context, ANOMALIES, **{**inputs, "frequency": "DAILY"})
    subscription = make(context, ANOMALIES, **inputs, tags={"team": "a"})
    changed = subscription.update(thresholdExpression={"dimension": {**impact, "values": ["50"]}})
    assert changed["thresholdExpression"]["dimension"]["values"] == ["50"]
    assert monitor.update(name="all")["name"] == "all"
    for resource in (subscription, monitor, alerts):
        resource.delete()
        assert resource.read() is None


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (TOPIC, {"name": "a.fifo"}, "name"),
        (TOPIC, {"name": "a", "fifoTopic": True}, "fifoTopic"),
        (
            SUBSCRIPTION,
            {"topic": "arn:aws:sns:us-west-2:1:a", "protocol": "email", "endpoint": "a@b.example"},
            "protocol",
        ),
        (BUDGET, {"name": "a", "budgetType": "MONEY", "timeUnit": "MONTHLY"}, "budgetType"),
        (
            MONITOR,
            {"name": "a", "monitorType": "CUSTOM", "monitorSpecification": "{}"},
            "monitorSpecification",
        ),
    ],
)
def test_what_aws_refuses_is_refused(
    clients: Clients, token: str, inputs: dict[str, object], path: str
) -> None:
    assert path in refused(clients.context(), token, **inputs)
