"""Who is told of files that arrive, by Pub/Sub."""

from pulumi import Output
from pulumi_gcp import storage

from aiplatform.lakehouse.gcp.context import FILES, Context, Key
from aiplatform.lakehouse.gcp.topics import publisher, told, topic


def tell(
    context: Context, key: Key, raw: storage.Bucket, agent: Output[str], storage_agent: Output[str]
) -> None:
    """A message for each object that is made under `files/` of raw. Files of tables are no news: a table
    changes with a commit, not with a file. agent, storage_agent: the services' own accounts, as members."""
    if not context.settings.arrival_events:
        return
    made = topic(context, key, "arrivals")
    lets = publisher(context, "arrivals", made, storage_agent)
    storage.Notification(
        f"{context.name}-arrivals",
        bucket=raw.name,
        topic=made.id,
        payload_format="JSON_API_V1",
        event_types=["OBJECT_FINALIZE"],
        object_name_prefix=f"{FILES}/",
        opts=context.options(lets),
    )
    told(context, "arrivals", made, context.settings.arrival_targets, agent)
