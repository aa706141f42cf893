"""Queues, topics and streams are encrypted with a customer's key."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import Judgement, Policy, Resource
from ..pack.keys import customer_key

POLICY = Policy(
    title="Messages under a customer's key",
    severity="medium",
    description="What waits in a queue, a topic or a stream is the same data as in the tables that it ends "
    "in, and is encrypted with a key of one's own as they are.",
    remediation="Set `kmsMasterKeyId` on queues and topics, `kmsKeyId` on streams; `kmsKeyName` on Pub/Sub "
    "topics.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)


@POLICY.on("aws:sqs/queue:Queue", "aws:sns/topic:Topic")
def on_queues(resource: Resource) -> Iterator[Judgement]:
    """Queues and topics: a topic is in the clear, a queue under SQS's own key unless it is said."""
    yield from customer_key(resource, "kmsMasterKeyId", "its messages")


@POLICY.on("aws:kinesis/stream:Stream")
def on_streams(resource: Resource) -> Iterator[Judgement]:
    """Streams are in the clear unless it is said."""
    yield from customer_key(resource, "kmsKeyId", "its records")


@POLICY.on("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream")
def on_deliveries(resource: Resource) -> Iterator[Judgement]:
    """Delivery streams that are written to directly; with a stream as source, that one's key counts."""
    if resource.get("kinesisSourceConfiguration") is None and resource.get("mskSourceConfiguration") is None:
        yield from customer_key(resource, "serverSideEncryption.keyArn", "its records")


@POLICY.on("gcp:pubsub/topic:Topic")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Pub/Sub; its subscriptions are under their topic's key."""
    yield from customer_key(resource, "kmsKeyName", "its messages")
