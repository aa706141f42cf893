"""Pub/Sub: subscriptions, also those that write into BigQuery or Cloud Storage."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.compute.operations.generic import check_labels
from twin.gcp.services.pubsub.operations.topics import agent, check_name, missing, seconds, taken

_KINDS: Final = ("pushConfig", "bigqueryConfig", "cloudStorageConfig")
_MUTABLE: Final = frozenset(
    {"labels", "ackDeadlineSeconds", "messageRetentionDuration", "retainAckedMessages", "expirationPolicy"}
    | {"deadLetterPolicy", "retryPolicy", "enableExactlyOnceDelivery", "messageTransforms", *_KINDS}
)
_TABLE: Final = re.compile(r"([^.:]+)[.:]([A-Za-z0-9_]+)\.([^.]+)")
_DAY: Final = 86400


@handles("pubsub.projects.subscriptions.create")
def create(call: Call) -> dict[str, Any]:
    """A subscription to a topic."""
    name = call.parameters["name"]
    check_name(name)
    taken(call, name)
    made: Body = {**call.body, "name": name}
    topic = str(made.get("topic") or "")
    if call.state.get(f"pubsub/{topic}") is None:
        raise missing(topic)
    if not made.get("ackDeadlineSeconds"):
        made["ackDeadlineSeconds"] = 10
    made.setdefault("messageRetentionDuration", f"{7 * _DAY}s")
    made.setdefault("expirationPolicy", {"ttl": f"{31 * _DAY}s"})
    made["state"] = "ACTIVE"
    _check(call, made)
    return call.state.put(f"pubsub/{name}", made)


def _check(call: Call, subscription: Body) -> None:
    check_labels(subscription, "labels")
    wait = int(subscription["ackDeadlineSeconds"])
    if not 10 <= wait <= 600:
        raise invalid(f"Invalid ack deadline given (ack_deadline_secs={wait}): from 10 to 600 is right.")
    kept = seconds(subscription["messageRetentionDuration"])
    if not 600 <= kept <= 31 * _DAY:
        raise invalid(f"message_retention_duration must be from 600s to {31 * _DAY}s, got {kept:g}s.")
    ttl = (subscription.get("expirationPolicy") or {}).get("ttl")
    if ttl and (seconds(ttl) < _DAY or seconds(ttl) < kept):
        raise invalid(
            f"Invalid expiration policy TTL ({ttl}): at least {_DAY}s, and no less than the message "
            "retention."
        )
    if len(subscription.get("filter") or "") > 256:
        raise invalid("The filter must not be longer than 256 bytes.")
    retry = subscription.get("retryPolicy") or {}
    low, high = seconds(retry.get("minimumBackoff") or "10s"), seconds(retry.get("maximumBackoff") or "600s")
    if retry and not 0 <= low <= high <= 600:
        raise invalid(
            "retry_policy: minimum_backoff and maximum_backoff are from 0 to 600 seconds, in order."
        )
    _check_dead(call, subscription.get("deadLetterPolicy"))
    kinds = [each for each in _KINDS if subscription.get(each)]
    if len(kinds) > 1:
        raise invalid(f"At most one of push_config, bigquery_config and cloud_storage_config, got {kinds}.")
    if kinds:
        _CHECKS[kinds[0]](call, subscription, subscription[kinds[0]])


def _check_dead(call: Call, policy: Body | None) -> None:
    if not policy:
        return
    topic = str(policy.get("deadLetterTopic") or "")
    if call.state.get(f"pubsub/{topic}") is None:
        raise missing(topic)
    times = int(policy.get("maxDeliveryAttempts") or 5)
    if not 5 <= times <= 100:
        raise invalid(f"dead_letter_policy.max_delivery_attempts must be from 5 to 100, got {times}.")
    policy["maxDeliveryAttempts"] = times


def _check_push(_: Call, subscription: Body, config: Body) -> None:
    endpoint = str(config.get("pushEndpoint") or "")
    if not endpoint.startswith("https://"):
        raise invalid(f"Invalid push endpoint given (endpoint={endpoint}): https:// is right.")
    if subscription.get("enableExactlyOnceDelivery"):
        raise invalid("Exactly-once delivery is not supported for push subscriptions.")


def _writer(call: Call, config: Body) -> str:
    given = config.get("serviceAccountEmail")
    return f"serviceAccount:{given or agent(call)}"


def _check_table(call: Call, subscription: Body, config: Body) -> None:
    found = _TABLE.fullmatch(str(config.get("table") or ""))
    if not found:
        raise invalid(f"Invalid table '{config.get('table', '')}': PROJECT.DATASET.TABLE is right.")
    if config.get("useTopicSchema") and config.get("useTableSchema"):
        raise invalid("Only one of use_topic_schema and use_table_schema can be set.")
    project, dataset, table = found.groups()
    row = f"bigquery/projects/{project}/datasets/{dataset}/tables/{table}"
    body = call.state.get(row)
    if body is None:
        raise GoogleError(404, "NOT_FOUND", f"The BigQuery table {config['table']} was not found.")
    member = _writer(call, config)
    for permission in ("bigquery.tables.get", "bigquery.tables.updateData"):
        places = (row, row.partition("/tables/")[0])
        if not any(call.front.identity.allowed(member, permission, each) for each in places):
            raise GoogleError(
                403,
                "PERMISSION_DENIED",
                f"The caller does not have permission: {member.partition(':')[2]} needs {permission} on the "
                f"table {config['table']} (roles/bigquery.dataEditor).",
            )
    columns = {each["name"].lower(): each for each in (body.get("schema") or {}).get("fields") or []}
    _check_columns(call, subscription, config, columns)
    config["state"] = "ACTIVE"


def _check_columns(call: Call, subscription: Body, config: Body, columns: dict[str, Body]) -> None:
    if config.get("useTopicSchema"):
        topic = call.state.get(f"pubsub/{subscription['topic']}") or {}
        if not (topic.get("schemaSettings") or {}).get("schema"):
            raise invalid("use_topic_schema needs a topic with a schema.")
    elif not config.get("useTableSchema"):
        data = columns.get("data")
        if data is None or data["type"] not in ("BYTES", "STRING", "JSON"):
            raise invalid(
                "Incompatible schema: the table must have a column data of type BYTES, STRING or JSON."
            )
    if config.get("writeMetadata"):
        for name in ("subscription_name", "message_id", "publish_time", "attributes"):
            if name not in columns:
                raise invalid(f"Incompatible schema: write_metadata needs the column {name}.")


def _check_bucket(call: Call, _: Body, config: Body) -> None:
    name = str(config.get("bucket") or "")
    if call.state.get(f"storage/b/{name}") is None:
        raise GoogleError(404, "NOT_FOUND", f"The Cloud Storage bucket {name} was not found.")
    wait = seconds(config.get("maxDuration") or "300s")
    if not 60 <= wait <= 600:
        raise invalid(f"cloud_storage_config.max_duration must be from 60s to 600s, got {wait:g}s.")
    size = int(config.get("maxBytes") or 0)
    if size and not 1000 <= size <= 10 * 2**30:
        raise invalid(f"cloud_storage_config.max_bytes must be from 1000 to {10 * 2**30}, got {size}.")
    member, prefix = _writer(call, config), str(config.get("filenamePrefix") or "")
    places = [f"storage/b/{name}", *_folders(call, name, prefix)]
    for permission, where in (("storage.buckets.get", places[:1]), ("storage.objects.create", places)):
        if not any(call.front.identity.allowed(member, permission, each) for each in where):
            raise GoogleError(
                403,
                "PERMISSION_DENIED",
                f"The caller does not have permission: {member.partition(':')[2]} needs {permission} on the "
                f"bucket {name}.",
            )
    config["state"] = "ACTIVE"


def _folders(call: Call, bucket: str, prefix: str) -> list[str]:
    """The managed folders around an object's name."""
    found = call.state.of("storage.managedFolders", f"storage/b/{bucket}/managedFolders/")
    return [row for row, _ in found if prefix.startswith(unquote(row.rpartition("/")[2]))]


_CHECKS: Final = {
    "pushConfig": _check_push,
    "bigqueryConfig": _check_table,
    "cloudStorageConfig": _check_bucket,
}


def _subscription(call: Call) -> Body:
    name = call.parameters.get("subscription") or call.parameters["name"]
    found = call.state.get(f"pubsub/{name}")
    if found is None:
        raise missing(name)
    return found


@handles("pubsub.projects.subscriptions.get")
def get(call: Call) -> dict[str, Any]:
    """A subscription."""
    return _subscription(call)


@handles("pubsub.projects.subscriptions.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a subscription."""
    before = _subscription(call)
    if not call.body.get("updateMask"):
        raise invalid(
            "The update_mask in the UpdateSubscriptionRequest must be set, and must contain a "
            "non-empty paths list."
        )
    made = generic.masked(call, before, _MUTABLE, call.body.get("subscription") or {})
    _check(call, made)
    return call.state.put(f"pubsub/{before['name']}", made)


@handles("pubsub.projects.subscriptions.delete")
def delete(call: Call) -> dict[str, Any]:
    """A subscription goes."""
    call.state.delete(f"pubsub/{_subscription(call)['name']}")
    return {}
