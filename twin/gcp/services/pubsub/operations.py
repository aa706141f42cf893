"""Pub/Sub: topics and subscriptions, also those that write into BigQuery or Cloud Storage, and messages of
subscriptions that are pulled.

A message is stored with each subscription until it is acknowledged, or as long as the subscription retains
it. Filters of subscriptions and transforms are not evaluated, and nothing is pushed or exported.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from twin.gcp.api_server.errors import denied, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles
from twin.gcp.methods.rules import seconds
from twin.gcp.methods.standard_methods import serve
from twin.gcp.services.cloudkms.operations import check_granted
from twin.gcp.services.compute import capacity


def agent(call: Call) -> str:
    """Pub/Sub's account in the project."""
    return f"service-{call.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"


def missing(name: str) -> str:
    """The message of a 404 as Pub/Sub words it."""
    return f"Resource not found (resource={name.rpartition('/')[2]})."


def _topic_check(call: Call, topic: Body) -> None:
    regions: list[str] | None = (topic.get("messageStoragePolicy") or {}).get("allowedPersistenceRegions")
    for region in regions or []:
        if not capacity.is_region(region):
            raise invalid(f"Invalid region in message_storage_policy.allowed_persistence_regions: {region}.")
    if topic.get("kmsKeyName"):
        check_granted(call, topic["kmsKeyName"], agent(call))


def _vacate(call: Call, topic: Body) -> None:
    """Subscriptions of a topic that goes stay, without one."""
    for row, body in call.state.of("pubsub.subscriptions", f"pubsub/projects/{call.project}/"):
        if body["topic"] == topic["name"]:
            call.state.put(row, {**body, "topic": "_deleted-topic_"})


serve("pubsub.projects.topics", check=_topic_check, vacate=_vacate)


_PUSHED: Final = ("pushConfig", "bigqueryConfig", "cloudStorageConfig")
_MOST: Final = 1000
"""Messages of a request ("Pub/Sub quotas and limits")."""
_LONGEST: Final = 600
"""Seconds of an acknowledgement deadline."""


@handles("pubsub.projects.topics.publish")
def publish(call: Call) -> dict[str, Any]:
    """Add messages to each subscription of a topic that is pulled."""
    name = call.parameters["topic"]
    call.need(f"pubsub/{name}", missing(name))
    messages: list[Body] = call.body.get("messages") or []
    if not 1 <= len(messages) <= _MOST:
        raise invalid(f"The value for message_count is out of range: {len(messages)}; it is 1 to {_MOST}.")
    if any(not message.get("data") and not message.get("attributes") for message in messages):
        raise invalid(
            "One or more messages in the publish request is empty. Each message must contain either "
            "non-empty data, or at least one attribute."
        )
    moment = datetime.fromtimestamp(call.at, UTC).isoformat().replace("+00:00", "Z")
    stored: list[Body] = [
        {**message, "messageId": str(secrets.randbelow(10**16)), "publishTime": moment}
        for message in messages
    ]
    for row, subscription in call.state.of("pubsub.subscriptions", "pubsub/"):
        if subscription["topic"] == name and not _is_pushed(subscription):
            pending = [{"message": message, "at": call.at, "until": 0.0, "ack": ""} for message in stored]
            call.state.keep(row, {"messages": [*_messages(call, row), *pending]})
    return {"messageIds": [message["messageId"] for message in stored]}


@handles("pubsub.projects.subscriptions.pull")
def pull(call: Call) -> dict[str, Any]:
    """Return messages that no other pull has; each comes again after the deadline."""
    row, subscription = _subscription(call)
    most = int(call.body.get("maxMessages") or 0)
    if most < 1:
        raise invalid(f"The value for max_messages is too small. You passed {most}; the minimum value is 1.")
    retained = call.at - seconds(subscription["messageRetentionDuration"])
    messages = [entry for entry in _messages(call, row) if entry["at"] >= retained]
    received = [entry for entry in messages if entry["until"] <= call.at][:most]
    for entry in received:
        entry.update(until=call.at + int(subscription["ackDeadlineSeconds"]), ack=secrets.token_urlsafe(24))
    call.state.keep(row, {"messages": messages})
    if not received:
        return {}
    return {"receivedMessages": [{"ackId": entry["ack"], "message": entry["message"]} for entry in received]}


@handles("pubsub.projects.subscriptions.acknowledge")
def acknowledge(call: Call) -> dict[str, Any]:
    """Delete messages. An unknown id is no error: the message has come again since."""
    row, _ = _subscription(call)
    ids = _ack_ids(call)
    call.state.keep(row, {"messages": [entry for entry in _messages(call, row) if entry["ack"] not in ids]})
    return {}


@handles("pubsub.projects.subscriptions.modifyAckDeadline")
def modify_deadline(call: Call) -> dict[str, Any]:
    """Change when messages come again; 0 is at once."""
    row, _ = _subscription(call)
    ids, wait = _ack_ids(call), int(call.body.get("ackDeadlineSeconds") or 0)
    if not 0 <= wait <= _LONGEST:
        raise invalid(
            f"Invalid ack deadline given (ack_deadline_secs={wait}): from 0 to {_LONGEST} is right."
        )
    messages = _messages(call, row)
    for entry in messages:
        if entry["ack"] in ids:
            entry["until"] = call.at + wait
    call.state.keep(row, {"messages": messages})
    return {}


def _ack_ids(call: Call) -> set[str]:
    ids = call.body.get("ackIds") or []
    if not ids:
        raise invalid("No ack ids specified.")
    return set(ids)


def _messages(call: Call, row: str) -> list[Body]:
    return call.state.internal(row).get("messages", [])


def _is_pushed(subscription: Body) -> bool:
    return any(subscription.get(kind) for kind in _PUSHED)


def _subscription(call: Call) -> tuple[str, Body]:
    name = call.parameters["subscription"]
    subscription = call.need(f"pubsub/{name}", missing(name))
    if _is_pushed(subscription):
        raise precondition("This method is only supported for pull subscriptions.")
    return f"pubsub/{name}", subscription


_TABLE: Final = re.compile(r"([^.:]+)[.:]([A-Za-z0-9_]+)\.([^.]+)")
_DAY: Final = 86400


def _prepare(_: Call, subscription: Body) -> None:
    subscription["ackDeadlineSeconds"] = subscription.get("ackDeadlineSeconds") or 10
    subscription.setdefault("expirationPolicy", {"ttl": f"{31 * _DAY}s"})
    if subscription.get("deadLetterPolicy"):
        subscription["deadLetterPolicy"].setdefault("maxDeliveryAttempts", 5)


def _subscription_check(call: Call, subscription: Body) -> None:
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
    if subscription.get("bigqueryConfig"):
        _check_table(call, subscription, subscription["bigqueryConfig"])
    if subscription.get("cloudStorageConfig"):
        _check_bucket(call, subscription["cloudStorageConfig"])


def _writer(call: Call, config: Body) -> str:
    service_account_email = config.get("serviceAccountEmail")
    return f"serviceAccount:{service_account_email or agent(call)}"


def _check_table(call: Call, subscription: Body, config: Body) -> None:
    match = _TABLE.fullmatch(str(config.get("table") or ""))
    if not match:
        raise invalid(f"Invalid table '{config.get('table', '')}': PROJECT.DATASET.TABLE is right.")
    project, dataset, table = match.groups()
    row = f"bigquery/projects/{project}/datasets/{dataset}/tables/{table}"
    body = call.need(row, f"The BigQuery table {config['table']} was not found.")
    member = _writer(call, config)
    for permission in ("bigquery.tables.get", "bigquery.tables.updateData"):
        places = (row, row.partition("/tables/")[0])
        if not any(call.server.identity.allowed(member, permission, place) for place in places):
            raise denied(
                f"The caller does not have permission: {member.partition(':')[2]} needs {permission} on the "
                f"table {config['table']} (roles/bigquery.dataEditor).",
            )
    columns = {field["name"].lower(): field for field in (body.get("schema") or {}).get("fields") or []}
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
    call.need(f"storage/b/{name}", f"The Cloud Storage bucket {name} was not found.")
    member, prefix = _writer(call, config), str(config.get("filenamePrefix") or "")
    places = [f"storage/b/{name}", *_folders(call, name, prefix)]
    for permission, where in (("storage.buckets.get", places[:1]), ("storage.objects.create", places)):
        if not any(call.server.identity.allowed(member, permission, location) for location in where):
            raise denied(
                f"The caller does not have permission: {member.partition(':')[2]} needs {permission} on the "
                f"bucket {name}.",
            )
    config["state"] = "ACTIVE"


def _folders(call: Call, bucket: str, prefix: str) -> list[str]:
    """The managed folders around an object's name."""
    managed_folders = call.state.of("storage.managedFolders", f"storage/b/{bucket}/managedFolders/")
    return [row for row, _ in managed_folders if prefix.startswith(unquote(row.rpartition("/")[2]))]


serve("pubsub.projects.subscriptions", prepare=_prepare, check=_subscription_check)
