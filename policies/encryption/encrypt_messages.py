"""Queues, topics and streams are encrypted with a customer-managed key."""

from __future__ import annotations

from ..framework import Policy
from ..framework.customer_keys import Key, require_customer_keys

POLICY = Policy(
    title="Messages with a customer-managed key",
    severity="medium",
    description="Messages in a queue, a topic or a stream are the same data as the tables that they are "
    "written to, and are encrypted with a customer-managed key like them.",
    remediation="Set `kmsMasterKeyId` on queues and topics, `kmsKeyId` on streams; `kmsKeyName` on Pub/Sub "
    "topics.",
    frameworks=("NIST 800-53 SC-28", "SOC 2 CC6.1"),
)

require_customer_keys(
    POLICY,
    {
        # By default a queue has SQS's own key; topics and streams are not encrypted.
        "aws:sqs/queue:Queue": Key("kmsMasterKeyId", "its messages"),
        "aws:sns/topic:Topic": Key("kmsMasterKeyId", "its messages"),
        "aws:kinesis/stream:Stream": Key("kmsKeyId", "its records"),
        # With a stream as its source, the key of the stream applies.
        "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": Key(
            "serverSideEncryption.keyArn",
            "its records",
            unless={"kinesisSourceConfiguration": (), "mskSourceConfiguration": ()},
        ),
        # Subscriptions have the key of their topic.
        "gcp:pubsub/topic:Topic": Key("kmsKeyName", "its messages"),
    },
)
