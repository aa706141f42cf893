"""Events of a function on AWS: the rule of EventBridge, and the queue of what failed.

Not a notification of the bucket: S3 has one configuration of them a bucket, and a second resource would
replace that of the bucket's owner.
"""

import json
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_aws import cloudwatch, lambda_, sqs

from aiplatform._shared.aws.policy_documents import Statement, document, queue_by_tls, rules_may_send
from aiplatform.function.aws.context import Context

_DAY: Final = 24 * 3600
_RETRIES: Final = 2
_AGE_SECONDS: Final = 6 * 3600
"""How long Lambda keeps an event that is throttled or fails: the most that it has."""


def events_may_use_key(context: Context) -> Statement:
    """Return a statement of the key's policy: EventBridge encrypts events that it could not deliver (Amazon
    EventBridge user guide, "Using dead-letter queues to process undelivered events")."""
    return {
        "Sid": "EventsEncrypt",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        # SQS passes it with each use of the key; EventBridge documents no condition on its rule.
        "Condition": {
            "StringEquals": {
                "kms:EncryptionContext:aws:sqs:arn": context.account.arn("sqs", context.dead_letters)
            }
        },
    }


def create_dead_letters(context: Context, key: Input[str] | None) -> sqs.Queue:
    """Create the queue of events that were not delivered, or whose calls failed."""
    encryption: dict[str, Any] = (
        {"sqs_managed_sse_enabled": True} if key is None else {"kms_master_key_id": key}
    )
    queue = sqs.Queue(
        f"{context.name}-dead",
        name=context.dead_letters,
        message_retention_seconds=14 * _DAY,
        tags=context.settings.all_tags,
        opts=context.options(delete_before_replace=True),
        **encryption,
    )
    sqs.QueuePolicy(
        f"{context.name}-dead",
        queue_url=queue.url,
        policy=queue.arn.apply(
            lambda arn: document(queue_by_tls(arn), rules_may_send(arn, [context.rule_arn]))
        ),
        opts=context.options(),
    )
    return queue


def create_rule(
    context: Context, alias: lambda_.Alias, dead_letters: sqs.Queue, policy: pulumi.Resource
) -> None:
    """Create the rule, and what is done with events that fail. policy: by which the function sends them."""
    settings = context.settings
    event = settings.event
    if event is None:
        return
    lambda_.FunctionEventInvokeConfig(
        context.name,
        function_name=alias.function_name,
        qualifier=alias.name,
        maximum_retry_attempts=_RETRIES,
        maximum_event_age_in_seconds=_AGE_SECONDS,
        destination_config=lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
            # With the error, which the queue of DeadLetterConfig would not get.
            on_failure=lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(
                destination=dead_letters.arn
            )
        ),
        opts=context.options(policy),
    )
    rule = cloudwatch.EventRule(
        context.name,
        name=context.function,
        description=f"Objects for {context.function}",
        event_pattern=Output.from_input(settings.bucket(event)).apply(
            lambda bucket: _pattern(bucket, event.prefix, event.suffix)
        ),
        tags=settings.all_tags,
        opts=context.options(delete_before_replace=True),
    )
    permission = lambda_.Permission(
        f"{context.name}-events",
        function=alias.function_name,
        qualifier=alias.name,
        action="lambda:InvokeFunction",
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=context.options(),
    )
    cloudwatch.EventTarget(
        context.name,
        rule=rule.name,
        target_id="function",
        arn=alias.arn,
        dead_letter_config=cloudwatch.EventTargetDeadLetterConfigArgs(arn=dead_letters.arn),
        retry_policy=cloudwatch.EventTargetRetryPolicyArgs(
            maximum_event_age_in_seconds=_AGE_SECONDS, maximum_retry_attempts=20
        ),
        opts=context.options(permission),
    )


def _pattern(bucket: str, prefix: str, suffix: str) -> str:
    """Return the pattern of events. A list of matches is an alternative: prefix and suffix together are one
    wildcard."""
    match: list[dict[str, str]] = []
    if prefix and suffix:
        match = [{"wildcard": f"{prefix}*{suffix}"}]
    elif prefix or suffix:
        match = [{"prefix": prefix} if prefix else {"suffix": suffix}]
    return json.dumps(
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [bucket]},
                **({"object": {"key": match}} if match else {}),
            },
        }
    )
