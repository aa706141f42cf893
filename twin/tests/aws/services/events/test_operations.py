"""Events of EC2 in a queue: which arrive, and which are lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from twin.aws.services.events import operations as notices
from twin.tests.aws.api_servers import Clients
from twin.tests.waiting import eventually

QUEUE = "interruptions"
WARNING = "EC2 Spot Instance Interruption Warning"
STATE = "EC2 Instance State-change Notification"


@pytest.fixture(scope="module", autouse=True)
def rules(clients: Clients) -> None:
    """A rule of each kind, which sends to a queue whose policy allows it."""
    events, sqs = clients("events"), clients("sqs")
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    arns = []
    for number, kind in enumerate((WARNING, STATE)):
        pattern = json.dumps({"source": ["aws.ec2"], "detail-type": [kind]})
        arns.append(events.put_rule(Name=f"rule-{number}", EventPattern=pattern)["RuleArn"])
        events.put_targets(Rule=f"rule-{number}", Targets=[{"Id": "queue", "Arn": arn}])
    allow(clients, arn, *arns)


def allow(clients: Clients, queue: str, *rules: str) -> None:
    """Set the policy of the queue: these rules may send to it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": list(rules)}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement] if rules else []})
    clients("sqs").set_queue_attributes(QueueUrl=url(clients), Attributes={"Policy": document})


def url(clients: Clients) -> str:
    return clients("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]


def messages(clients: Clients) -> list[Any]:
    """Take all messages."""
    sqs, taken = clients("sqs"), []
    while received := sqs.receive_message(QueueUrl=url(clients), MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            taken.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url(clients), ReceiptHandle=message["ReceiptHandle"])
    return taken


@pytest.fixture
def instance(clients: Clients) -> Iterator[str]:
    """A spot instance."""
    ec2 = clients("ec2")
    image = ec2.describe_images(Owners=["602401143452"])["Images"][0]["ImageId"]
    (launched,) = ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        InstanceType="m7i.large",
        ImageId=image,
        InstanceMarketOptions={"MarketType": "spot"},
    )["Instances"]
    yield launched["InstanceId"]
    ec2.terminate_instances(InstanceIds=[launched["InstanceId"]])
    messages(clients)


def test_termination_is_announced_in_both_states(clients: Clients, instance: str) -> None:
    clients("ec2").terminate_instances(InstanceIds=[instance])
    details = [message["detail"] for message in messages(clients)]
    assert details == [
        {"instance-id": instance, "state": "shutting-down"},
        {"instance-id": instance, "state": "terminated"},
    ]


def test_interruption_is_announced_and_the_instance_ends(
    clients: Clients, instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "WARNING_SECONDS", 0.5)
    clients.server.notices.interrupt(instance)
    (message,) = messages(clients)
    assert (message["detail-type"], message["source"]) == (WARNING, "aws.ec2")
    assert message["detail"] == {"instance-id": instance, "instance-action": "terminate"}
    assert message["time"].endswith("Z")
    eventually("its end", lambda: not clients.server.notices._is_spot(instance), 10)


def test_interruption_of_what_is_no_spot_instance_is_refused(clients: Clients) -> None:
    with pytest.raises(ValueError, match="spot instance that runs"):
        clients.server.notices.interrupt("i-0123456789abcdef0")


def test_events_are_lost_where_the_policy_of_the_queue_does_not_allow_the_rule(
    clients: Clients, instance: str
) -> None:
    sqs, events = clients("sqs"), clients("events")
    attributes = sqs.get_queue_attributes(QueueUrl=url(clients), AttributeNames=["QueueArn"])["Attributes"]
    rules = [rule["Arn"] for rule in events.list_rules(NamePrefix="rule-")["Rules"]]
    allow(clients, attributes["QueueArn"])
    clients("ec2").terminate_instances(InstanceIds=[instance])
    assert messages(clients) == []
    allow(clients, attributes["QueueArn"], *rules)


@pytest.mark.parametrize(("context", "arrive"), [("arn", True), ("other", False)])
def test_events_arrive_in_an_encrypted_queue_only_where_its_key_allows_it(
    clients: Clients, instance: str, context: str, arrive: bool
) -> None:
    sqs, kms = clients("sqs"), clients("kms")
    attributes = sqs.get_queue_attributes(QueueUrl=url(clients), AttributeNames=["QueueArn"])["Attributes"]
    queue = attributes["QueueArn"] if context == "arn" else f"{attributes['QueueArn']}-2"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": queue}},
    }
    account = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{clients.server.instance.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [account, statement]})
    key = kms.create_key(Policy=document)["KeyMetadata"]["Arn"]
    sqs.set_queue_attributes(QueueUrl=url(clients), Attributes={"KmsMasterKeyId": key})
    clients("ec2").terminate_instances(InstanceIds=[instance])
    sqs.set_queue_attributes(QueueUrl=url(clients), Attributes={"KmsMasterKeyId": ""})
    assert bool(messages(clients)) == arrive


def test_events_are_lost_in_a_queue_with_the_key_of_aws(clients: Clients, instance: str) -> None:
    clients("sqs").set_queue_attributes(QueueUrl=url(clients), Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    clients("ec2").terminate_instances(InstanceIds=[instance])
    clients("sqs").set_queue_attributes(QueueUrl=url(clients), Attributes={"KmsMasterKeyId": ""})
    assert messages(clients) == []


def test_events_of_aws_are_not_accepted_from_others(clients: Clients) -> None:
    entry = {"Source": "aws.ec2", "DetailType": STATE, "Detail": "{}"}
    answer = clients("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert messages(clients) == []
