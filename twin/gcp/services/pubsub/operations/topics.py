"""Pub/Sub: topics; subscriptions are beside it."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.api_server.errors import GoogleError, exists, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.cloudkms.operations import check_granted
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import check_labels

NAME: Final = re.compile(r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
_LEAST, _MOST = 600, 31 * 86400
"""Seconds that messages may be kept. Source: "Replay and purge messages: Topic message retention"."""
_TOPIC: Final = frozenset(
    {"labels", "messageStoragePolicy", "kmsKeyName", "schemaSettings", "messageRetentionDuration"}
    | {"ingestionDataSourceSettings", "messageTransforms"}
)


def agent(call: Call) -> str:
    """Pub/Sub's own account in the project."""
    return f"service-{call.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"


def missing(name: str) -> GoogleError:
    """404 as Pub/Sub words it."""
    return not_found(f"Resource not found (resource={name.rpartition('/')[2]}).")


def check_name(name: str) -> None:
    """A new resource's name. Raises 400."""
    last = name.rpartition("/")[2]
    if not NAME.fullmatch(last):
        kind = name.split("/")[-2]
        raise invalid(
            f"Invalid resource name given (name={name}). Refer to https://cloud.google.com/pubsub/docs/"
            f"pubsub-basics#resource_names for more information (a name of {kind} begins with a "
            "letter, has 3 to "
            "255 letters, digits and -._~+%, and does not begin with goog)."
        )


def taken(call: Call, name: str) -> None:
    """Raise 409 where there is one of that name."""
    if call.state.get(f"pubsub/{name}") is not None:
        raise exists(f"Resource already exists in the project (resource={name.rpartition('/')[2]}).")


def seconds(text: Any) -> float:
    """Of a duration (`604800s`)."""
    return float(str(text or "0s").removesuffix("s"))


@handles("pubsub.projects.topics.create")
def create(call: Call) -> dict[str, Any]:
    """A topic."""
    name = call.parameters["name"]
    check_name(name)
    taken(call, name)
    made: Body = {**call.body, "name": name, "state": "ACTIVE"}
    _check(call, made)
    return _shown(call.state.put(f"pubsub/{name}", made))


def _shown(topic: Body) -> Body:
    return {key: each for key, each in topic.items() if key != "state"}


def _check(call: Call, topic: Body) -> None:
    check_labels(topic, "labels")
    kept = topic.get("messageRetentionDuration")
    if kept and not _LEAST <= seconds(kept) <= _MOST:
        raise invalid(f"message_retention_duration must be from {_LEAST}s to {_MOST}s, got {kept}.")
    regions: list[str] | None = (topic.get("messageStoragePolicy") or {}).get("allowedPersistenceRegions")
    for each in regions or []:
        if not capacity.is_region(each):
            raise invalid(f"Invalid region in message_storage_policy.allowed_persistence_regions: {each}.")
    if topic.get("kmsKeyName"):
        check_granted(call, topic["kmsKeyName"], agent(call))
    schema = (topic.get("schemaSettings") or {}).get("schema")
    if schema:
        raise missing(schema)  # the twin has no schemas


def _topic(call: Call) -> Body:
    name = call.parameters.get("topic") or call.parameters["name"]
    found = call.state.get(f"pubsub/{name}")
    if found is None:
        raise missing(name)
    return found


@handles("pubsub.projects.topics.get")
def get(call: Call) -> dict[str, Any]:
    """A topic."""
    return _shown(_topic(call))


@handles("pubsub.projects.topics.list", "pubsub.projects.subscriptions.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's topics or subscriptions."""
    kind = call.method.id.split(".")[-2]
    place = call.parameters.get("project") or call.parameters["parent"]
    found = call.state.of(f"pubsub.{kind}", f"pubsub/{place}/{kind}/")
    return generic.page(call, [body for _, body in found], kind)


@handles("pubsub.projects.topics.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a topic."""
    before = _topic(call)
    if not call.body.get("updateMask"):
        raise invalid(
            "The update_mask in the UpdateTopicRequest must be set, and must contain a non-empty paths list."
        )
    made = generic.masked(call, before, _TOPIC, call.body.get("topic") or {})
    _check(call, made)
    return _shown(call.state.put(f"pubsub/{before['name']}", made))


@handles("pubsub.projects.topics.delete")
def delete(call: Call) -> dict[str, Any]:
    """A topic goes; its subscriptions stay, without one."""
    name = _topic(call)["name"]
    for row, body in call.state.of("pubsub.subscriptions", f"pubsub/projects/{call.project}/"):
        if body["topic"] == name:
            call.state.put(row, {**body, "topic": "_deleted-topic_"})
    call.state.delete(f"pubsub/{name}")
    return {}
