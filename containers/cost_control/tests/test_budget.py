"""An alert holds the queues, once, and nothing here releases them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from conftest import BUDGET, Memory, of_sns, queue
from moto import mock_aws

from cost_control import __main__, alerts, budget, messages
from cost_control.messages import Message

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def handle(
    cluster: Memory, *texts: str, names: tuple[str, ...] = ("shared",), now: datetime = NOW
) -> list[str]:
    """Handle messages; return those that were deleted."""
    deleted: list[str] = []
    received = [Message(text, str(position)) for position, text in enumerate(texts)]
    budget.handle(
        cluster,
        names,
        received,
        lambda message: alerts.of_aws(message.text, BUDGET),
        lambda message: deleted.append(message.handle),
        now,
    )
    return deleted


def test_alert_holds_every_queue_and_states_why() -> None:
    cluster = Memory(queue("shared"), queue("search"))
    assert handle(cluster, of_sns(), names=("shared", "search")) == ["0"]
    assert (cluster.policy("shared"), cluster.policy("search")) == ("Hold", "Hold")
    assert cluster.state().budget.startswith("2026-11: budget acme-dev-environment")
    assert [(name, reason, warning) for name, reason, _, warning in cluster.events] == [
        ("shared", "HeldByBudget", True),
        ("search", "HeldByBudget", True),
    ]
    assert "aiplatform budget release" in cluster.events[0][2]


def test_alert_that_comes_twice_is_one_event() -> None:
    cluster = Memory(queue())
    assert handle(cluster, of_sns(), of_sns()) == ["0", "1"]
    assert len(cluster.events) == 1


def test_alert_after_a_release_holds_again_in_the_next_month_alone() -> None:
    cluster = Memory(queue(released="2026-11"))
    handle(cluster, of_sns())
    assert (cluster.policy(), cluster.events) == ("None", [])
    december = datetime(2026, 12, 20, tzinfo=UTC)
    handle(cluster, of_sns(moment="2026-12-20T08:00:00Z"), now=december)
    assert cluster.policy() == "Hold"


def test_hold_stays_in_the_next_month() -> None:
    cluster = Memory(queue())
    handle(cluster, of_sns())
    handle(cluster, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert cluster.policy() == "Hold", "a user releases it"


def test_alert_of_an_earlier_month_holds_nothing() -> None:
    cluster = Memory(queue())
    assert handle(cluster, of_sns(moment="2026-10-31T23:00:00Z")) == ["0"]
    assert cluster.policy() == "None"


def test_message_of_another_form_is_deleted_and_holds_nothing() -> None:
    cluster = Memory(queue())
    assert handle(cluster, "spent", of_sns("about nothing")) == ["0", "1"]
    assert cluster.policy() == "None"


def test_queue_that_was_deleted_does_not_keep_the_others_from_being_held() -> None:
    cluster = Memory(queue("search"))
    assert handle(cluster, of_sns(), names=("shared", "search")) == ["0"]
    assert cluster.policy("search") == "Hold"


def test_message_stays_where_the_queue_cannot_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Memory(queue())

    def fails(*_: Any) -> None:
        raise ConnectionError("no answer")

    monkeypatch.setattr(cluster, "change", fails)
    with pytest.raises(ConnectionError):
        handle(cluster, of_sns())


@mock_aws
def test_messages_of_sqs_are_read_until_there_are_none_and_deleted() -> None:
    sqs = boto3.client("sqs", region_name="us-west-2")
    url = sqs.create_queue(QueueName="hold", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    topic = boto3.client("sns", region_name="us-west-2").create_topic(Name="hold")["TopicArn"]
    sns = boto3.client("sns", region_name="us-west-2")
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for _ in range(3):
        sns.publish(TopicArn=topic, Message=json.loads(of_sns())["Message"], Subject="AWS Budgets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        received = []
        for message in messages.receive(url):
            assert alerts.of_aws(message.text, BUDGET) is not None, "the envelope is that of SNS"
            messages.delete(url, message)
            received.append(message)
    assert len(received) == 3


def test_missing_variable_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["cost_control", "budget"])
    monkeypatch.delenv("QUEUE", raising=False)
    assert __main__.main() == 2
    assert "error: QUEUE: missing" in capsys.readouterr().err
