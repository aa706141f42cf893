"""Cloud Storage: what belongs to a bucket in addition to its objects: managed folders and notifications."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

from twin.gcp.api_server.errors import GoogleError, denied, exists, invalid, not_found, stale
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy as iam_policy
from twin.gcp.methods import generic, handles
from twin.gcp.services.storage.operations.buckets import bucket_of, check_preconditions

_TOPIC: Final = re.compile(r"//pubsub\.googleapis\.com/(projects/([^/]+)/topics/[^/]+)")
_EVENTS: Final = frozenset({"OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"})
NOTIFICATIONS: Final = 100
"""Notification configurations of a bucket at most. Source: "Quotas & limits" of Cloud Storage."""


def _folder_row(call: Call, name: str = "") -> str:
    name = quote(name or call.parameters["managedFolder"], safe="")
    return f"storage/b/{call.parameters['bucket']}/managedFolders/{name}"


@handles("storage.managedFolders.insert")
def insert_folder(call: Call) -> dict[str, Any]:
    """A folder that can have an IAM policy."""
    bucket = bucket_of(call)
    name = str(call.body.get("name", ""))
    if not name.endswith("/") or len(name.encode()) > 1024 or "//" in name or name == "/":
        raise invalid(f"Invalid managed folder name: '{name}': it ends with / and has no empty part.")
    if not bucket["iamConfiguration"]["uniformBucketLevelAccess"].get("enabled"):
        raise stale("Managed folders need uniform bucket-level access to be enabled on the bucket.")
    row = _folder_row(call, name)
    if call.state.get(row) is not None:
        raise GoogleError(409, "ALREADY_EXISTS", "The managed folder already exists.", "conflict")
    now = call.timestamp[:23] + "Z"
    folder: Body = {
        "kind": "storage#managedFolder",
        "id": f"{bucket['name']}/{name}",
        "name": name,
        "bucket": bucket["name"],
        "metageneration": "1",
        "createTime": now,
        "updateTime": now,
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{bucket['name']}/managedFolders/"
        f"{quote(name, safe='')}",
    }
    return call.state.put(row, folder)


@handles("storage.managedFolders.get")
def _folder(call: Call) -> Body:
    bucket_of(call)
    return call.need(_folder_row(call), "The specified managed folder does not exist.")


@handles("storage.managedFolders.list")
def list_folders(call: Call) -> dict[str, Any]:
    """The managed folders of a bucket."""
    name = bucket_of(call)["name"]
    prefix = call.parameters.get("prefix", "")
    folders = [
        body for _, body in call.state.of("storage.managedFolders", f"storage/b/{name}/managedFolders/")
    ]
    matching = [folder for folder in folders if folder["name"].startswith(prefix)]
    return {"kind": "storage#managedFolders", **generic.page(call, matching, "items")}


@handles("storage.managedFolders.delete")
def delete_folder(call: Call) -> dict[str, Any]:
    """A managed folder goes; with allowNonEmpty its objects stay as they are."""
    body = _folder(call)
    check_preconditions(call, body)
    objects = f"storage/b/{body['bucket']}/o/{quote(body['name'], safe='')}"
    if call.state.of("storage.o", objects) and not call.parameters.get("allowNonEmpty"):
        raise GoogleError(
            409, "FAILED_PRECONDITION", "The managed folder you tried to delete is not empty.", "conflict"
        )
    call.state.delete(_folder_row(call))
    return {}


@handles("storage.managedFolders.getIamPolicy")
def folder_policy(call: Call) -> dict[str, Any]:
    """Access to what is in a managed folder."""
    return _policy(_folder(call), iam_policy.read(call.state, _folder_row(call)))


@handles("storage.managedFolders.setIamPolicy")
def set_folder_policy(call: Call) -> dict[str, Any]:
    """Set the access to what is in a managed folder."""
    return _policy(_folder(call), iam_policy.write(call, _folder_row(call), call.body))


def _policy(folder: Body, policy: Body) -> Body:
    where = f"projects/_/buckets/{folder['bucket']}/managedFolders/{folder['name']}"
    return {"kind": "storage#policy", "resourceId": where, **policy}


@handles("storage.notifications.insert")
def insert_notification(call: Call) -> dict[str, Any]:
    """Changes of objects are reported to a topic on which the service agent may publish."""
    bucket = bucket_of(call)["name"]
    topic = _TOPIC.fullmatch(str(call.body.get("topic", "")))
    if not topic:
        raise invalid(f"Invalid argument: topic '{call.body.get('topic', '')}': "
                      "//pubsub.googleapis.com/projects/P/topics/T is right.")  # fmt: skip
    if call.body.get("payload_format") not in ("JSON_API_V1", "NONE"):
        raise invalid("payload_format must be JSON_API_V1 or NONE.", reason="required")
    unknown = sorted(set(call.body.get("event_types") or []) - _EVENTS)
    if unknown:
        raise invalid(f"Invalid event type '{unknown[0]}': one of {', '.join(sorted(_EVENTS))} is right.")
    _check_topic(call, topic[1])
    notifications = call.state.of("storage.notificationConfigs", f"storage/b/{bucket}/notificationConfigs/")
    if len(notifications) >= NOTIFICATIONS:
        raise exists(f"A bucket can have at most {NOTIFICATIONS} notification configurations.")
    number = str(1 + max((int(body["id"]) for _, body in notifications), default=0))
    link = f"https://www.googleapis.com/storage/v1/b/{bucket}/notificationConfigs/{number}"
    notification: Body = {
        **call.body,
        "kind": "storage#notification",
        "id": number,
        "selfLink": link,
        "etag": number,
    }
    return call.state.put(f"storage/b/{bucket}/notificationConfigs/{number}", notification)


def _check_topic(call: Call, topic: str) -> None:
    if topic.split("/")[1] == call.project and call.state.get(f"pubsub/{topic}") is None:
        raise not_found(f"Topic '{topic}' not found.")
    email = f"service-{call.project_number}@gs-project-accounts.iam.gserviceaccount.com"
    allowed = call.server.identity.allowed
    if not allowed(f"serviceAccount:{email}", "pubsub.topics.publish", f"pubsub/{topic}"):
        raise denied(
            f"The service account '{email}' does not have permission to publish messages to the Cloud "
            f"Pub/Sub topic '//pubsub.googleapis.com/{topic}', or that topic does not exist."
        )


def _notification_row(call: Call) -> str:
    return f"storage/b/{bucket_of(call)['name']}/notificationConfigs/{call.parameters['notification']}"


@handles("storage.notifications.get")
def get_notification(call: Call) -> dict[str, Any]:
    """One notification configuration."""
    return call.need(_notification_row(call), "Notification not found.")


@handles("storage.notifications.list")
def list_notifications(call: Call) -> dict[str, Any]:
    """The notification configurations of a bucket."""
    name = bucket_of(call)["name"]
    notifications = call.state.of("storage.notificationConfigs", f"storage/b/{name}/notificationConfigs/")
    items = [body for _, body in notifications]
    return {"kind": "storage#notifications", **({"items": items} if items else {})}


@handles("storage.notifications.delete")
def delete_notification(call: Call) -> dict[str, Any]:
    """A notification configuration goes."""
    get_notification(call)
    call.state.delete(_notification_row(call))
    return {}
