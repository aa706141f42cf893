"""Karpenter's messages from EC2: a queue, and the rules that send to it what announces the end of an
instance."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Output
from pulumi_aws import cloudwatch, kms, sqs

from aiplatform._shared.aws.account import Account
from aiplatform._shared.aws.keys import Key, existing_key
from aiplatform._shared.aws.logs import name_key
from aiplatform._shared.aws.policy_documents import document, key_policy, queue_by_tls, rules_may_send
from aiplatform._shared.context import Context
from aiplatform.addons.permissions.settings import (
    INTERRUPTION_KEY_ALIAS,
    INTERRUPTION_RULE,
    INTERRUPTIONS,
    Settings,
)

_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "health": ("aws.health", "AWS Health Event"),
    "spot-end": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
    "reservation-end": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
}
"""Rule -> source and type of its events (Karpenter documentation, "Interruption")."""
_RETENTION_SECONDS: Final = 300
"""An older message is about an instance that no longer exists."""


@dataclass(frozen=True)
class Interruptions:
    """The queue, its key, and all that must exist before messages arrive."""

    queue: sqs.Queue
    key: Key
    needed: Sequence[pulumi.Resource]


def create(context: Context[Settings], account: Account, logical: str) -> Interruptions:
    """Create the queue, its key and its rules."""
    settings = context.settings
    key = _key(context, account, logical)
    queue = sqs.Queue(
        f"{logical}-interruptions",
        name=INTERRUPTIONS.of(settings.prefix),
        message_retention_seconds=_RETENTION_SECONDS,
        kms_master_key_id=key.arn,
        tags=settings.tags,
        opts=context.options(delete_before_replace=True),
    )
    rules = {purpose: _rule(context, logical, purpose) for purpose in _RULES}
    policy = sqs.QueuePolicy(
        f"{logical}-interruptions",
        queue_url=queue.url,
        policy=Output.all(queue.arn, *(rule.arn for rule in rules.values())).apply(
            lambda arns: _policy(arns[0], arns[1:])
        ),
        opts=context.options(),
    )
    targets = [
        cloudwatch.EventTarget(
            f"{logical}-{purpose}",
            rule=rule.name,
            target_id="karpenter",
            arn=queue.arn,
            # Events that the queue refuses are lost.
            opts=context.options(policy),
        )
        for purpose, rule in rules.items()
    ]
    return Interruptions(queue, key, [policy, *targets])


def _key(context: Context[Settings], account: Account, logical: str) -> Key:
    """Return the key of the messages, a new one where the settings name none. With a key of AWS's own
    EventBridge could not send to the queue, and that of SQS cannot be revoked."""
    settings = context.settings
    if settings.interruptions_kms_key is not None:
        return existing_key(settings.interruptions_kms_key, account, "AddonsArgs.interruptions_kms_key")
    queue = account.arn("sqs", INTERRUPTIONS.of(settings.prefix))
    # Amazon EventBridge user guide, "Troubleshooting": events are not delivered to an encrypted queue.
    sends = {
        "Sid": "EventsEncrypt",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": queue}},
    }
    key = kms.Key(
        f"{logical}-interruptions-key",
        description=f"Messages in {INTERRUPTIONS.of(settings.prefix)}",
        enable_key_rotation=True,
        policy=key_policy(account, sends),
        tags=settings.tags,
        opts=context.options(),
    )
    alias = INTERRUPTION_KEY_ALIAS.of(settings.prefix)
    name_key(f"{logical}-interruptions-key", key, alias, context.options())
    return Key(key.arn)


def _rule(context: Context[Settings], logical: str, purpose: str) -> cloudwatch.EventRule:
    settings, (source, detail_type) = context.settings, _RULES[purpose]
    name = INTERRUPTION_RULE.of(settings.prefix).replace("reservation-end", purpose)
    return cloudwatch.EventRule(
        f"{logical}-{purpose}",
        name=name,
        description=f"{detail_type}, for Karpenter",
        event_pattern=json.dumps({"source": [source], "detail-type": [detail_type]}),
        tags=settings.tags,
        opts=context.options(delete_before_replace=True),
    )


def _policy(queue: str, rules: list[str]) -> str:
    """Return the policy of the queue: these rules alone send to it, and only by TLS."""
    return document(rules_may_send(queue, rules), queue_by_tls(queue))
