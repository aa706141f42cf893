"""Events of a function on Google Cloud: a notification of the bucket, its topic, the subscription that pushes
to the service, and what keeps dead letters.

Not Eventarc, which gives no dead letters and no key to the topic that it creates. A bucket may have several
notifications: none replaces another.
"""

from dataclasses import dataclass
from typing import Final

from pulumi import Input, Output
from pulumi_gcp import cloudrunv2, pubsub, serviceaccount, storage

from aiplatform.function.gcp.context import Context, Key

_DAY: Final = 24 * 3600
_WEEK: Final = f"{7 * _DAY}s"
_ATTEMPTS: Final = 5
_INVOKER: Final = "roles/run.invoker"
_PUBLISHER: Final = "roles/pubsub.publisher"


@dataclass(frozen=True)
class Events:
    """The subscription that pushes, and that of dead letters."""

    pushed: pubsub.Subscription
    dead_letters: pubsub.Subscription


def create_events(
    context: Context, service: cloudrunv2.Service, agent: Input[str], key: Key | None
) -> Events:
    """Create the resources. agent: the service agent of Pub/Sub, as a member."""
    event = context.settings.event
    if event is None:
        raise ValueError("the function has no events")
    topic = _topic(context, "events", key)
    publisher = pubsub.TopicIAMMember(
        f"{context.name}-events-storage",
        project=context.project,
        topic=topic.name,
        role=_PUBLISHER,
        member=Output.concat("serviceAccount:", context.storage_agent()),
        opts=context.options(),
    )
    pushed, dead_letters = _push(context, service, topic, agent, key)
    storage.Notification(
        f"{context.name}-events",
        bucket=context.settings.bucket(event),
        topic=topic.id,
        payload_format="JSON_API_V1",
        event_types=["OBJECT_FINALIZE"],
        object_name_prefix=event.prefix or None,
        # Only once messages have a subscription.
        opts=context.options(publisher, pushed),
    )
    return Events(pushed, dead_letters)


def _topic(context: Context, purpose: str, key: Key | None) -> pubsub.Topic:
    grants = () if key is None else key.grants
    return pubsub.Topic(
        f"{context.name}-{purpose}",
        project=context.project,
        name=f"{context.service}-{purpose}",
        kms_key_name=None if key is None else key.id,
        message_storage_policy=pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[context.region]
        ),
        labels=context.labels,
        opts=context.options(context.apis["pubsub"], *grants, delete_before_replace=True),
    )


def _push(
    context: Context,
    service: cloudrunv2.Service,
    topic: pubsub.Topic,
    agent: Input[str],
    key: Key | None,
) -> tuple[pubsub.Subscription, pubsub.Subscription]:
    settings = context.settings
    dead = _topic(context, "dead", key)
    dead_letters = pubsub.Subscription(
        f"{context.name}-dead",
        project=context.project,
        name=f"{context.service}-dead",
        topic=dead.name,
        message_retention_duration=f"{14 * _DAY}s",
        expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
        labels=context.labels,
        opts=context.options(delete_before_replace=True),
    )
    forwards = pubsub.TopicIAMMember(
        f"{context.name}-dead-agent",
        project=context.project,
        topic=dead.name,
        role=_PUBLISHER,
        member=agent,
        opts=context.options(),
    )
    account, invoker = _caller(context, service)
    pushed = pubsub.Subscription(
        f"{context.name}-events",
        project=context.project,
        name=f"{context.service}-events",
        topic=topic.name,
        push_config=pubsub.SubscriptionPushConfigArgs(
            push_endpoint=service.uri,
            oidc_token=pubsub.SubscriptionPushConfigOidcTokenArgs(
                service_account_email=account.email, audience=service.uri
            ),
        ),
        # A call that takes longer is repeated: as long as the call may take.
        ack_deadline_seconds=max(10, settings.timeout_seconds),
        message_retention_duration=_WEEK,
        expiration_policy=pubsub.SubscriptionExpirationPolicyArgs(ttl=""),
        dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
            dead_letter_topic=dead.id, max_delivery_attempts=_ATTEMPTS
        ),
        retry_policy=pubsub.SubscriptionRetryPolicyArgs(minimum_backoff="10s", maximum_backoff="600s"),
        labels=context.labels,
        opts=context.options(invoker, forwards, dead_letters, delete_before_replace=True),
    )
    # Pub/Sub itself acknowledges a message after the last attempt.
    pubsub.SubscriptionIAMMember(
        f"{context.name}-events-agent",
        project=context.project,
        subscription=pushed.name,
        role="roles/pubsub.subscriber",
        member=agent,
        opts=context.options(),
    )
    return pushed, dead_letters


def _caller(
    context: Context, service: cloudrunv2.Service
) -> tuple[serviceaccount.Account, cloudrunv2.ServiceIamMember]:
    """Create the account by which Pub/Sub calls the service. It has no other right; the code has another."""
    settings = context.settings
    account = serviceaccount.Account(
        f"{context.name}-events",
        project=context.project,
        account_id=f"{settings.prefix}-ev-{settings.name}",
        display_name=f"Events of {context.service}",
        opts=context.options(context.apis["iam"], delete_before_replace=True),
    )
    invoker = cloudrunv2.ServiceIamMember(
        f"{context.name}-events",
        project=context.project,
        location=context.region,
        name=service.name,
        role=_INVOKER,
        member=account.member,
        opts=context.options(),
    )
    return account, invoker
