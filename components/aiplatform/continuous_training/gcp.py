"""Continuous training on Google Cloud: two topics of Pub/Sub with a subscription for each team, their key,
roles, and the notifications of Cloud Storage for commits to tables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_gcp import pubsub, storage

from aiplatform._shared.dependencies import Dependency
from aiplatform._shared.gcp.apis import enable_apis
from aiplatform._shared.gcp.context import GcpDataContext
from aiplatform._shared.gcp.keys import data_key, grant_member_key_use
from aiplatform._shared.outputs import mapped
from aiplatform.continuous_training.args import (
    REQUESTS_IDENTITY,
    ContinuousTrainingSettings,
)
from aiplatform.continuous_training.messages import VISIBLE_AGAIN_SECONDS
from aiplatform.continuous_training.platform import Queue, Queues, TeamQueues
from aiplatform.model_store.args import REQUESTS
from aiplatform.workload_identity import WorkloadIdentity

APIS: Final = ("cloudkms", "cloudresourcemanager", "iam", "pubsub", "storage")
TRAINING: Final = "training"
PROMOTIONS: Final = "promotions"
_PUBLISHER: Final = "roles/pubsub.publisher"
_SUBSCRIBER: Final = "roles/pubsub.subscriber"
_DAY: Final = 24 * 3600
_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class Context(GcpDataContext[ContinuousTrainingSettings]):
    """The component, its settings, the cluster's project and region, and APIs."""


@dataclass(frozen=True)
class _Topics:
    """What topics depend on. key: its id. agent: Pub/Sub's service agent, as a member."""

    key: Input[str]
    grant: Dependency
    agent: Output[str]


def create(parent: pulumi.ComponentResource, name: str, settings: ContinuousTrainingSettings) -> Queues:
    """Create the resources in the cloud as children of the component."""
    project, region = settings.cluster.project or "", settings.cluster.region or ""
    context = Context(parent, name, settings, project, region, enable_apis(parent, name, project, APIS))
    agent = context.service_agent("pubsub")
    crypto_key = data_key(context)
    key = crypto_key.id
    grant = grant_member_key_use(
        context.parent,
        f"{name}-key-pubsub",
        crypto_key,
        agent,
        depends_on=[context.apis["cloudkms"]],
    )
    topics = _Topics(key, grant, agent)
    args: Any = {
        "prefix": settings.prefix,
        "name": REQUESTS_IDENTITY,
        "cluster": settings.cluster,
        "namespace": REQUESTS,
        "service_account": REQUESTS,
    }
    identity = WorkloadIdentity(f"{name}-{REQUESTS}", args, context.options())
    teams: dict[str, TeamQueues] = {}
    ready: list[pulumi.Resource] = [identity]
    for team, declared in settings.teams.items():
        principal = declared.identity.principal
        training = _queue(context, topics, team, TRAINING)
        promotions = _queue(context, topics, team, PROMOTIONS)
        _subscribe(context, f"{team}-{TRAINING}", training, principal)
        _publish(context, f"{team}-{TRAINING}-promoter", training, settings.promoter)
        _publish(context, f"{team}-{PROMOTIONS}", promotions, principal)
        ready.append(_subscribe(context, f"{team}-{PROMOTIONS}", promotions, identity.principal))
        _notify(context, team, training)
        teams[team] = TeamQueues(_as_queue(context, training), _as_queue(context, promotions))
    return Queues(teams, identity, ready)


@dataclass(frozen=True)
class _Queue:
    topic: pubsub.Topic
    subscription: pubsub.Subscription


def _topic(context: Context, topics: _Topics, team: str, purpose: str) -> pubsub.Topic:
    return pubsub.Topic(
        f"{context.name}-{team}-{purpose}",
        project=context.project,
        name=f"{context.settings.prefix}-{team}-{purpose}",
        kms_key_name=topics.key,
        message_storage_policy=pubsub.TopicMessageStoragePolicyArgs(
            allowed_persistence_regions=[context.region]
        ),
        labels=context.labels,
        opts=context.options(topics.grant, context.apis["pubsub"], delete_before_replace=True),
    )


def _queue(context: Context, topics: _Topics, team: str, purpose: str) -> _Queue:
    """Create a topic and its subscription. A message that is not handled in some attempts goes to a topic
    with a subscription that keeps it."""
    settings = context.settings
    topic = _topic(context, topics, team, purpose)
    dead = _topic(context, topics, team, f"{purpose}-dead")
    publisher = pubsub.TopicIAMMember(
        f"{context.name}-{team}-{purpose}-dead-publisher",
        project=context.project,
        topic=dead.name,
        role=_PUBLISHER,
        member=topics.agent,
        opts=context.options(),
    )
    never = pubsub.SubscriptionExpirationPolicyArgs(ttl="")
    pubsub.Subscription(
        f"{context.name}-{team}-{purpose}-dead",
        project=context.project,
        name=f"{settings.prefix}-{team}-{purpose}-dead",
        topic=dead.name,
        message_retention_duration=f"{14 * _DAY}s",
        expiration_policy=never,
        labels=context.labels,
        opts=context.options(delete_before_replace=True),
    )
    subscription = pubsub.Subscription(
        f"{context.name}-{team}-{purpose}",
        project=context.project,
        name=f"{settings.prefix}-{team}-{purpose}",
        topic=topic.name,
        ack_deadline_seconds=VISIBLE_AGAIN_SECONDS,
        message_retention_duration=f"{4 * _DAY}s",
        expiration_policy=never,
        dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
            dead_letter_topic=dead.id, max_delivery_attempts=_ATTEMPTS
        ),
        labels=context.labels,
        opts=context.options(publisher, delete_before_replace=True),
    )
    # Pub/Sub itself acknowledges a message after the last attempt.
    _subscribe(context, f"{team}-{purpose}-agent", _Queue(topic, subscription), topics.agent)
    return _Queue(topic, subscription)


def _subscribe(context: Context, logical: str, queue: _Queue, member: Input[str]) -> pulumi.Resource:
    return pubsub.SubscriptionIAMMember(
        f"{context.name}-{logical}-subscriber",
        project=context.project,
        subscription=queue.subscription.name,
        role=_SUBSCRIBER,
        member=member,
        opts=context.options(),
    )


def _publish(context: Context, logical: str, queue: _Queue, member: Input[str]) -> pulumi.Resource:
    return pubsub.TopicIAMMember(
        f"{context.name}-{logical}-publisher",
        project=context.project,
        topic=queue.topic.name,
        role=_PUBLISHER,
        member=member,
        opts=context.options(),
    )


def _as_queue(context: Context, queue: _Queue) -> Queue:
    path = Output.concat("projects/", context.project, "/subscriptions/", queue.subscription.name)
    trigger: Mapping[str, Any] = {
        "type": "gcp-pubsub",
        "metadata": {"subscriptionName": path, "mode": "SubscriptionSize", "value": "1"},
    }
    topic = Output.concat("projects/", context.project, "/topics/", queue.topic.name)
    return Queue(topic, path, trigger, {"GOOGLE_CLOUD_PROJECT": context.project})


def _notify(context: Context, team: str, queue: _Queue) -> None:
    """Send a message for each file of the metadata of tables; the attribute `table` names the table."""
    tables: dict[str, tuple[str, Input[str], Input[str]]] = {}
    for model, declared in context.settings.teams[team].models.items():
        if not declared.on_data:
            continue
        keys = [model, *(f"{model}-{view}" for view in declared.feature_views)]
        names = [declared.table, *(view.table for view in declared.feature_views.values())]
        for key, name, location in zip(keys, names, declared.locations, strict=True):
            tables.setdefault(name if isinstance(name, str) else key, (key, name, location))
    if not tables:
        return
    member = Output.concat("serviceAccount:", context.storage_agent())
    publisher = _publish(context, f"{team}-{TRAINING}-storage", queue, member)
    for key, name, location in tables.values():
        storage.Notification(
            f"{context.name}-{team}-{key}",
            bucket=mapped(location, lambda known: _place(known)[0]),
            topic=queue.topic.id,
            payload_format="NONE",
            event_types=["OBJECT_FINALIZE"],
            object_name_prefix=mapped(location, lambda known: f"{_place(known)[1]}/metadata/"),
            custom_attributes={"table": name},
            opts=context.options(publisher),
        )


def _place(location: str) -> tuple[str, str]:
    """Return bucket and folder of a location."""
    matched = re.fullmatch(r"gs://([^/]+)/(.+)", location)
    if matched is None:
        raise ValueError(f"{location!r}: expected gs://BUCKET/FOLDER")
    return matched[1], matched[2]
