"""Pub/Sub: subscriptions, also those that write into BigQuery or Cloud Storage."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.rules import seconds
from twin.gcp.methods.standard_methods import serve
from twin.gcp.services.pubsub.operations.topics import agent

_TABLE: Final = re.compile(r"([^.:]+)[.:]([A-Za-z0-9_]+)\.([^.]+)")
_DAY: Final = 86400


def _prepare(_: Call, subscription: Body) -> None:
    subscription["ackDeadlineSeconds"] = subscription.get("ackDeadlineSeconds") or 10
    subscription.setdefault("expirationPolicy", {"ttl": f"{31 * _DAY}s"})
    if subscription.get("deadLetterPolicy"):
        subscription["deadLetterPolicy"].setdefault("maxDeliveryAttempts", 5)


def _check(call: Call, subscription: Body) -> None:
    ttl = (subscription.get("expirationPolicy") or {}).get("ttl")
    if ttl and (seconds(ttl) < _DAY or seconds(ttl) < seconds(subscription["messageRetentionDuration"])):
        raise invalid(
            f"Invalid expiration policy TTL ({ttl}): at least {_DAY}s, and no less than the message "
            "retention."
        )
    retry = subscription.get("retryPolicy") or {}
    low, high = seconds(retry.get("minimumBackoff") or "10s"), seconds(retry.get("maximumBackoff") or "600s")
    if retry and not 0 <= low <= high <= 600:
        raise invalid(
            "retry_policy: minimum_backoff and maximum_backoff are from 0 to 600 seconds, in order."
        )
    if subscription.get("pushConfig") and subscription.get("enableExactlyOnceDelivery"):
        raise invalid("Exactly-once delivery is not supported for push subscriptions.")
    if subscription.get("bigqueryConfig"):
        _check_table(call, subscription, subscription["bigqueryConfig"])
    if subscription.get("cloudStorageConfig"):
        _check_bucket(call, subscription["cloudStorageConfig"])


def _writer(call: Call, config: Body) -> str:
    given = config.get("serviceAccountEmail")
    return f"serviceAccount:{given or agent(call)}"


def _check_table(call: Call, subscription: Body, config: Body) -> None:
    found = _TABLE.fullmatch(str(config.get("table") or ""))
    if not found:
        raise invalid(f"Invalid table '{config.get('table', '')}': PROJECT.DATASET.TABLE is right.")
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


def _check_bucket(call: Call, config: Body) -> None:
    name = str(config.get("bucket") or "")
    if call.state.get(f"storage/b/{name}") is None:
        raise GoogleError(404, "NOT_FOUND", f"The Cloud Storage bucket {name} was not found.")
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


serve("pubsub.projects.subscriptions", prepare=_prepare, check=_check)
