"""Topics and subscriptions of Pub/Sub, as the lakehouse's parts make them."""

from collections.abc import Mapping
from typing import Final

from pulumi import Input, Output
from pulumi_gcp import pubsub

from aiplatform._shared.principals import renamed
from aiplatform.lakehouse.gcp.context import Context, Key

WEEK: Final = f"{7 * 24 * 3600}s"
_ATTEMPTS: Final = 5


def topic(context: Context, key: Key, purpose: str) -> pubsub.Topic:
    """A topic whose messages stay in the region, under the lakehouse's key."""
    return pubsub.Topic(
        f"{context.name}-{purpose}",
        project=context.project,
        name=f"{context.settings.prefix}-{purpose}",
        kms_key_name=key.key.id,
        message_retention_duration=WEEK,
        message_storage_policy=pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[context.region]
        ),
        labels=context.labels,
        opts=context.options(context.apis["pubsub"], *key.users, delete_before_replace=True),
    )


def publisher(
    context: Context, purpose: str, made: pubsub.Topic, member: Input[str], formerly: str | None = None
) -> pubsub.TopicIAMMember:
    """Let a principal publish. formerly: the purpose in the logical name that it had."""
    return pubsub.TopicIAMMember(
        f"{context.name}-{purpose}-publisher",
        project=context.project,
        topic=made.name,
        role="roles/pubsub.publisher",
        member=member,
        opts=context.options(
            formerly=[f"{context.name}-{each}-publisher" for each in renamed(purpose, formerly)]
        ),
    )


def told(
    context: Context,
    purpose: str,
    made: pubsub.Topic,
    principals: Mapping[str, Input[str]],
    agent: Output[str],
) -> None:
    """A subscription for each of those that are told, which it alone reads. What it does not acknowledge
    in five attempts goes to a topic of its own, which is kept for a week. agent: Pub/Sub's own service
    account."""
    if not principals:
        return
    dead = pubsub.Topic(
        f"{context.name}-{purpose}-dead",
        project=context.project,
        name=f"{context.settings.prefix}-{purpose}-dead",
        kms_key_name=made.kms_key_name,
        message_retention_duration=WEEK,
        message_storage_policy=pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[context.region]
        ),
        labels=context.labels,
        opts=context.options(made, delete_before_replace=True),
    )
    forwards = publisher(context, f"{purpose}-dead", dead, agent)
    for name, principal in principals.items():
        subscription = pubsub.Subscription(
            f"{context.name}-{purpose}-{name}",
            project=context.project,
            name=f"{context.settings.prefix}-{purpose}-{name}",
            topic=made.name,
            ack_deadline_seconds=60,
            message_retention_duration=WEEK,
            # Never, however long nobody asks.
            expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
            dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
                dead_letter_topic=dead.id, max_delivery_attempts=_ATTEMPTS
            ),
            retry_policy=pubsub.SubscriptionRetryPolicyArgs(minimum_backoff="10s", maximum_backoff="600s"),
            labels=context.labels,
            opts=context.options(forwards, delete_before_replace=True),
        )
        _reads(context, f"{purpose}-{name}", subscription, principal)
        # To take a message off after the last attempt, Pub/Sub acknowledges it.
        _reads(context, f"{purpose}-{name}-agent", subscription, agent)


def _reads(context: Context, purpose: str, subscription: pubsub.Subscription, member: Input[str]) -> None:
    pubsub.SubscriptionIAMMember(
        f"{context.name}-{purpose}",
        project=context.project,
        subscription=subscription.name,
        role="roles/pubsub.subscriber",
        member=member,
        opts=context.options(),
    )
