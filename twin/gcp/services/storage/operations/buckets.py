"""Cloud Storage: buckets and their IAM policies."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.api_server import initial_state
from twin.gcp.api_server.errors import GoogleError, denied, invalid, stale
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy as iam_policy
from twin.gcp.methods import generic, handles
from twin.gcp.services.compute.operations.generic import merge
from twin.gcp.services.storage import validation as storage

_OWN: Final = frozenset({"id", "kind", "selfLink", "projectNumber", "metageneration", "etag", "timeCreated"}
                        | {"updated", "name", "location", "locationType", "generation"})  # fmt: skip


@handles("storage.buckets.get")
def bucket_of(call: Call) -> Body:
    """The bucket of the path."""
    return call.need(f"storage/b/{call.parameters['bucket']}", "The specified bucket does not exist.")


def check_preconditions(call: Call, body: Body | None) -> None:
    """ifMetagenerationMatch and ifGenerationMatch."""
    for field in ("metageneration", "generation"):
        wanted = call.parameters.get(f"if{field.title()}Match")
        current = body.get(field, "0") if body else "0"
        if wanted is not None and str(wanted) != str(current):
            raise stale("At least one of the pre-conditions you specified did not hold.")


@handles("storage.buckets.insert")
def insert(call: Call) -> dict[str, Any]:
    """A bucket; its name is unique among all accounts."""
    body = call.body
    name = body.get("name", "")
    if not call.parameters.get("project"):
        raise invalid("Required parameter: project", reason="required")
    storage.check_name(name)
    if call.state.get(f"storage/b/{name}") is not None:
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise GoogleError(409, "ALREADY_EXISTS", message, "conflict")
    location = storage.check_location(body)
    bucket: Body = {
        **{key: value for key, value in body.items() if key not in _OWN},
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "projectNumber": call.project_number,
        "location": location,
        "locationType": storage.location_type({**body, "location": location}),
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "timeCreated": call.timestamp[:23] + "Z",
        "generation": str(int(call.at * 1_000_000)),
        "metageneration": "0",
    }
    bucket.setdefault("storageClass", "STANDARD")
    if bucket["locationType"] != "region":
        bucket.setdefault("rpo", "DEFAULT")
    bucket.setdefault("softDeletePolicy", {"retentionDurationSeconds": "604800"})
    if call.parameters.get("enableObjectRetention"):
        bucket["objectRetention"] = {"mode": "Enabled"}
    _stamp(call, {}, bucket)
    bucket.setdefault("iamConfiguration", {})
    bucket["iamConfiguration"].setdefault("publicAccessPrevention", "inherited")
    bucket["iamConfiguration"].setdefault("uniformBucketLevelAccess", {"enabled": False})
    bucket["iamConfiguration"]["bucketPolicyOnly"] = bucket["iamConfiguration"]["uniformBucketLevelAccess"]
    storage.check(call, bucket)
    call.state.put_policy(f"storage/b/{name}", {"version": 1, "bindings": [
        {"role": "roles/storage.legacyBucketOwner",
         "members": [f"projectEditor:{call.project}", f"projectOwner:{call.project}"]},
        {"role": "roles/storage.legacyBucketReader", "members": [f"projectViewer:{call.project}"]},
    ]})  # fmt: skip
    return _save(call, bucket)


def _stamp(call: Call, before: Body, bucket: Body) -> None:
    """The times since which policies hold."""
    now = call.timestamp[:23] + "Z"
    for name in ("softDeletePolicy", "retentionPolicy"):
        if bucket.get(name) and not bucket[name].get("effectiveTime"):
            bucket[name]["effectiveTime"] = (before.get(name) or {}).get("effectiveTime") or now
    if bucket.get("autoclass", {}).get("enabled"):
        bucket["autoclass"].setdefault("toggleTime", now)


@handles("storage.buckets.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's buckets."""
    prefix = call.parameters.get("prefix", "")
    buckets = [
        body for _, body in call.state.of("storage.b", "storage/b/") if body["name"].startswith(prefix)
    ]
    return {"kind": "storage#buckets", **generic.page(call, buckets, "items")}


@handles("storage.buckets.patch", "storage.buckets.update")
def change(call: Call) -> dict[str, Any]:
    """What can change of a bucket."""
    before = bucket_of(call)
    check_preconditions(call, before)
    body = {key: value for key, value in call.body.items() if key not in _OWN}
    if isinstance(body.get("labels"), dict):
        kept_labels = before.get("labels", {}) if call.method.verb == "PATCH" else {}
        labels = {**kept_labels, **body["labels"]}
        body["labels"] = {key: label for key, label in labels.items() if label is not None} or None
    bucket = merge(before, body)
    if call.body.get("location") and call.body["location"].upper() != before["location"]:
        raise invalid("The location of a bucket cannot be changed.")
    _check_change(before, bucket)
    _stamp(call, before, bucket)
    storage.check(call, bucket)
    return _save(call, bucket)


def _check_change(before: Body, changed: Body) -> None:
    """What cannot change: a locked policy becomes longer only, uniform access stays after 90 days."""
    retention, wanted = before.get("retentionPolicy") or {}, changed.get("retentionPolicy") or {}
    shorter = int(wanted.get("retentionPeriod") or 0) < int(retention.get("retentionPeriod") or 0)
    if retention.get("isLocked") and shorter:
        raise denied(
            f"Cannot reduce retention duration of a locked Retention Policy for bucket '{before['name']}'."
        )
    if retention.get("isLocked"):
        changed["retentionPolicy"]["isLocked"] = True
    if changed.get("hierarchicalNamespace") != before.get("hierarchicalNamespace"):
        raise invalid("The hierarchical namespace of a bucket cannot be changed after its creation.")


@handles("storage.buckets.lockRetentionPolicy")
def lock(call: Call) -> dict[str, Any]:
    """A retention policy is locked for good."""
    body = bucket_of(call)
    if call.parameters.get("ifMetagenerationMatch") is None:
        raise invalid("Required parameter: ifMetagenerationMatch", reason="required")
    check_preconditions(call, body)
    if not body.get("retentionPolicy"):
        raise invalid(f"Bucket '{body['name']}' does not have a retention policy that could be locked.")
    body["retentionPolicy"]["isLocked"] = True
    return _save(call, body)


@handles("storage.buckets.delete")
def delete(call: Call) -> dict[str, Any]:
    """An empty bucket goes."""
    body = bucket_of(call)
    check_preconditions(call, body)
    notifications = f"storage/b/{body['name']}/notificationConfigs/"
    if any(not name.startswith(notifications) for name in call.state.below(f"storage/b/{body['name']}")):
        raise GoogleError(
            409, "FAILED_PRECONDITION", "The bucket you tried to delete is not empty.", "conflict"
        )
    call.state.delete(f"storage/b/{body['name']}")
    return {}


@handles("storage.buckets.getIamPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    """Access to what is in a bucket."""
    name = bucket_of(call)["name"]
    return _policy(name, iam_policy.read(call.state, f"storage/b/{name}"))


@handles("storage.buckets.setIamPolicy")
def set_policy(call: Call) -> dict[str, Any]:
    """Set the access to what is in a bucket."""
    body = bucket_of(call)
    bindings: list[Body] = call.body.get("bindings") or []
    members = {member for binding in bindings for member in binding.get("members") or []}
    if (
        members & {"allUsers", "allAuthenticatedUsers"}
        and body["iamConfiguration"]["publicAccessPrevention"] == "enforced"
    ):
        raise stale(
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
            "prevention is enforced."
        )
    conditional = any("condition" in binding for binding in bindings)
    if conditional and not body["iamConfiguration"]["uniformBucketLevelAccess"].get("enabled"):
        raise invalid("Conditions need uniform bucket-level access.")
    policy = iam_policy.write(call, f"storage/b/{body['name']}", call.body)
    return _policy(body["name"], policy)


@handles("storage.buckets.testIamPermissions")
def test_permissions(call: Call) -> dict[str, Any]:
    """Which permissions the caller has."""
    policy = generic.policy(call, f"storage/b/{bucket_of(call)['name']}")
    return {"kind": "storage#testIamPermissionsResponse", **policy}


@handles("storage.projects.serviceAccount.get")
def agent(call: Call) -> dict[str, Any]:
    """The account by which Cloud Storage uses keys; it is made when it is first asked for."""
    email = f"service-{call.project_number}@gs-project-accounts.iam.gserviceaccount.com"
    initial_state.agent(call.state, call.project, email, "Cloud Storage Service Agent")
    return {"kind": "storage#serviceAccount", "email_address": email}


def _policy(name: str, policy: Body) -> Body:
    return {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{name}", **policy}


def _save(call: Call, bucket: Body) -> Body:
    bucket["metageneration"] = str(int(bucket["metageneration"]) + 1)
    bucket["updated"] = call.timestamp[:23] + "Z"
    bucket["etag"] = iam_policy.etag({"metageneration": bucket["metageneration"], "id": bucket["id"]})
    return call.state.put(f"storage/b/{bucket['name']}", bucket)
