"""SQS: queues and their policies through the API server."""

from __future__ import annotations

import json

import pytest

from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make, refused

QUEUE = "aws:sqs/queue:Queue"
POLICY = "aws:sqs/queuePolicy:QueuePolicy"


def test_a_queue_and_its_policy_are_made_changed_and_gone(clients: Clients) -> None:
    context = clients.context()
    queue = make(
        context,
        QUEUE,
        name="interruptions",
        messageRetentionSeconds=300,
        sqsManagedSseEnabled=True,
        tags={"team": "a"},
    )
    assert queue.outputs["arn"] == f"arn:aws:sqs:us-west-2:{context.account}:interruptions"
    assert queue.outputs["url"] == queue.id
    assert queue.outputs["sqsManagedSseEnabled"] is True
    assert queue.outputs["visibilityTimeoutSeconds"] == 30
    statement = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": queue.outputs["arn"]}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = make(context, POLICY, queueUrl=queue.id, policy=document)
    assert json.loads(policy.outputs["policy"]) == json.loads(document)
    changed = queue.update(messageRetentionSeconds=600)
    assert changed["messageRetentionSeconds"] == 600
    assert changed["tags"] == {"team": "a"}
    assert json.loads((policy.read() or {})["policy"]) == json.loads(document), "the queue's change leaves it"
    policy.delete()
    assert policy.read() is None
    queue.delete()
    assert queue.read() is None
    assert "sqs/queues" not in clients.server._inventory.of(clients.server)


def test_two_queues_of_one_name_with_other_attributes_are_refused(clients: Clients) -> None:
    context = clients.context()
    first = make(context, QUEUE, name="twice", delaySeconds=1)
    with pytest.raises(CloudError):
        make(context, QUEUE, name="twice", delaySeconds=2)
    first.delete()


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"name": "a.fifo"}, "name"),
        ({"name": "a", "fifoQueue": True}, "name"),
        ({"name": "a", "sqsManagedSseEnabled": True, "kmsMasterKeyId": "alias/a"}, "sqsManagedSseEnabled"),
    ],
)
def test_a_queue_that_sqs_would_refuse_is_refused(
    clients: Clients, inputs: dict[str, object], path: str
) -> None:
    assert path in refused(clients.context(), QUEUE, **inputs)
