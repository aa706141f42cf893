"""Topics of Pub/Sub, and the subscriptions of notified principals."""

from collections.abc import Mapping
from typing import Any, Final

from pulumi import Input, Output
from pulumi_gcp import pubsub

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.context import DataKey
from aiplatform._shared.principals import renamed
from aiplatform.lakehouse.gcp.context import Context, ServiceAgents

WEEK: Final = f"{7 * 24 * 3600}s"
_ATTEMPTS: Final = 5


def create_topic(context: Context, key: DataKey, purpose: str) -> pubsub.Topic:
    """Create a topic whose messages stay in the region, encrypted by the lakehouse's key."""
    return _topic(context, purpose, key.key.id, context.apis["pubsub"], *key.grants)


def _topic(context: Context, purpose: str, key: Output[Any], *depends_on: Dependency) -> pubsub.Topic:
    return pubsub.Topic(
        f"{context.name}-{purpose}",
        project=context.project,
        name=f"{context.settings.prefix}-{purpose}",
        kms_key_name=key,
        message_retention_duration=WEEK,
        message_storage_policy=pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[context.region]
        ),
        labels=context.labels,
        opts=context.options(*depends_on, delete_before_replace=True),
    )


def allow_publishing(
    context: Context,
    purpose: str,
    topic: pubsub.Topic,
    member: Input[str],
    former_purpose: str | None = None,
) -> pubsub.TopicIAMMember:
    """Allow a principal to publish. former_purpose: the purpose in the logical name that the role had."""
    return pubsub.TopicIAMMember(
        f"{context.name}-{purpose}-publisher",
        project=context.project,
        topic=topic.name,
        role="roles/pubsub.publisher",
        member=member,
        opts=context.options(
            former_names=[f"{context.name}-{former}-publisher" for former in renamed(purpose, former_purpose)]
        ),
    )


def create_target_subscriptions(
    context: Context,
    purpose: str,
    topic: pubsub.Topic,
    targets: Mapping[str, Input[str]],
    agents: ServiceAgents,
) -> None:
    """Create a subscription for each target, which only that principal reads. A message that it does not
    acknowledge in five attempts goes to a dead-letter topic, which keeps it for a week."""
    if not targets:
        return
    dead_letters = _topic(context, f"{purpose}-dead", topic.kms_key_name, topic)
    publisher = allow_publishing(context, f"{purpose}-dead", dead_letters, agents.pubsub_member)
    for name, principal in targets.items():
        subscription = pubsub.Subscription(
            f"{context.name}-{purpose}-{name}",
            project=context.project,
            name=f"{context.settings.prefix}-{purpose}-{name}",
            topic=topic.name,
            ack_deadline_seconds=60,
            message_retention_duration=WEEK,
            # Never, also without requests.
            expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
            dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
                dead_letter_topic=dead_letters.id, max_delivery_attempts=_ATTEMPTS
            ),
            retry_policy=pubsub.SubscriptionRetryPolicyArgs(minimum_backoff="10s", maximum_backoff="600s"),
            labels=context.labels,
            opts=context.options(publisher, delete_before_replace=True),
        )
        allow_subscribing(context, f"{purpose}-{name}", subscription, principal)
        # Pub/Sub itself acknowledges a message after the last attempt.
        allow_subscribing(context, f"{purpose}-{name}-agent", subscription, agents.pubsub_member)


def allow_subscribing(
    context: Context, purpose: str, subscription: pubsub.Subscription, member: Input[str]
) -> None:
    """Allow a principal to read and acknowledge messages."""
    pubsub.SubscriptionIAMMember(
        f"{context.name}-{purpose}",
        project=context.project,
        subscription=subscription.name,
        role="roles/pubsub.subscriber",
        member=member,
        opts=context.options(),
    )
