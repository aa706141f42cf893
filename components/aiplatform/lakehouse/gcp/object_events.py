"""Notifications of files that arrive in raw, by Pub/Sub."""

from pulumi import Output
from pulumi_gcp import storage

from aiplatform._shared.gcp.context import DataKey
from aiplatform.lakehouse.gcp.context import FILES, Context, ServiceAgents
from aiplatform.lakehouse.gcp.topics import allow_publishing, create_target_subscriptions, create_topic


def notify_arrivals(context: Context, key: DataKey, raw: storage.Bucket, agents: ServiceAgents) -> None:
    """Send a message for each object that is created under `files/` of raw. Not for files of tables: a table
    changes by a commit, not by a file."""
    if not context.settings.arrival_events:
        return
    topic = create_topic(context, key, "arrivals")
    member = Output.concat("serviceAccount:", context.storage_agent())
    publisher = allow_publishing(context, "arrivals", topic, member)
    storage.Notification(
        f"{context.name}-arrivals",
        bucket=raw.name,
        topic=topic.id,
        payload_format="JSON_API_V1",
        event_types=["OBJECT_FINALIZE"],
        object_name_prefix=f"{FILES}/",
        opts=context.options(publisher),
    )
    create_target_subscriptions(context, "arrivals", topic, context.settings.arrival_targets, agents)
