"""Spec of encryption.encrypt_messages."""

from __future__ import annotations

from tests.policies.spec import UNKNOWN, Fails, Spec, resource

_KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
_QUEUE = "aws:sqs/queue:Queue"
_DELIVERY = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"

SPEC = Spec(
    passes={
        "a queue with a key": resource(_QUEUE, {"kmsMasterKeyId": _KEY}),
        "a delivery stream with a source": resource(
            _DELIVERY, {"kinesisSourceConfiguration": {"kinesisStreamArn": "arn:aws:kinesis:::stream/a"}}
        ),
        "a Pub/Sub topic with a key": resource("gcp:pubsub/topic:Topic", {"kmsKeyName": "projects/a/b"}),
    },
    fails={
        "a queue with SQS's own key": Fails(
            resource(_QUEUE, {"sqsManagedSseEnabled": True}), "kmsMasterKeyId"
        ),
        "a queue with AWS's alias": Fails(
            resource(_QUEUE, {"kmsMasterKeyId": "alias/aws/sqs"}), "kmsMasterKeyId", "alias/aws/sqs"
        ),
        "a topic without encryption": Fails(resource("aws:sns/topic:Topic"), "kmsMasterKeyId"),
        "a stream without encryption": Fails(
            resource("aws:kinesis/stream:Stream", {"shardCount": 1}), "kmsKeyId"
        ),
        "a delivery stream": Fails(
            resource(_DELIVERY, {"destination": "extended_s3"}), "serverSideEncryption.keyArn"
        ),
        "a Pub/Sub topic": Fails(resource("gcp:pubsub/topic:Topic", {"name": "a"}), "kmsKeyName"),
    },
    unknown={"a key that does not exist yet": resource(_QUEUE, {"kmsMasterKeyId": UNKNOWN})},
)
