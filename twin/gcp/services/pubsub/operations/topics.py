"""Pub/Sub: topics; subscriptions are next to it."""

from __future__ import annotations

from twin.gcp.api_server.errors import GoogleError, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.standard_methods import serve
from twin.gcp.services.cloudkms.operations import check_granted
from twin.gcp.services.compute import capacity


def agent(call: Call) -> str:
    """Pub/Sub's account in the project."""
    return f"service-{call.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"


def missing(name: str) -> GoogleError:
    """404 as Pub/Sub words it."""
    return not_found(f"Resource not found (resource={name.rpartition('/')[2]}).")


def _check(call: Call, topic: Body) -> None:
    regions: list[str] | None = (topic.get("messageStoragePolicy") or {}).get("allowedPersistenceRegions")
    for each in regions or []:
        if not capacity.is_region(each):
            raise invalid(f"Invalid region in message_storage_policy.allowed_persistence_regions: {each}.")
    if topic.get("kmsKeyName"):
        check_granted(call, topic["kmsKeyName"], agent(call))


def _vacate(call: Call, topic: Body) -> None:
    """Subscriptions of a topic that goes stay, without one."""
    for row, body in call.state.of("pubsub.subscriptions", f"pubsub/projects/{call.project}/"):
        if body["topic"] == topic["name"]:
            call.state.put(row, {**body, "topic": "_deleted-topic_"})


serve("pubsub.projects.topics", check=_check, vacate=_vacate)
