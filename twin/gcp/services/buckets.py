"""Cloud Storage: buckets and their IAM policies."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp import capacity, iam_policy
from twin.gcp.call import Call
from twin.gcp.errors import GoogleError, invalid, not_found, stale
from twin.gcp.services import generic, handles
from twin.gcp.services.compute import check_labels, merge
from twin.gcp.state import Body

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{1,61}[a-z0-9])(?:\.[a-z0-9_-]+)*")
_IP: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
_MULTI: Final = {"US": "multi-region", "EU": "multi-region", "ASIA": "multi-region", "NAM4": "dual-region",
                 "EUR4": "dual-region", "ASIA1": "dual-region"}  # fmt: skip
_CLASSES: Final = ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL")
_OWN: Final = frozenset({"id", "kind", "selfLink", "projectNumber", "metageneration", "etag", "timeCreated"}
                        | {"updated", "name", "location", "locationType", "generation"})  # fmt: skip


def bucket_of(call: Call) -> Body:
    """The bucket of the path."""
    name = call.parameters["bucket"]
    found = call.state.get(f"storage/b/{name}")
    if found is None:
        raise not_found("The specified bucket does not exist.")
    return found


def check_preconditions(call: Call, body: Body | None) -> None:
    """ifMetagenerationMatch and ifGenerationMatch."""
    for field in ("metageneration", "generation"):
        wanted = call.parameters.get(f"if{field.title()}Match")
        held = body.get(field, "0") if body else "0"
        if wanted is not None and str(wanted) != str(held):
            raise stale("At least one of the pre-conditions you specified did not hold.")


@handles("storage.buckets.insert")
def insert(call: Call) -> dict[str, Any]:
    """A bucket; its name is one in the world."""
    body = call.body
    name = body.get("name", "")
    if not call.parameters.get("project"):
        raise invalid("Required parameter: project", reason="required")
    if not _NAME.fullmatch(name) or not 3 <= len(name) <= 222 or _IP.fullmatch(name):
        raise invalid(f"Invalid bucket name: '{name}'")
    if name.startswith("goog") or "google" in name or ".." in name:
        raise invalid(f"Invalid bucket name: '{name}': it cannot begin with goog or hold google.")
    if call.state.get(f"storage/b/{name}") is not None:
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise GoogleError(409, "ALREADY_EXISTS", message, "conflict")
    location = str(body.get("location") or "US").upper()
    if location not in _MULTI and not capacity.is_region(location.lower()):
        raise invalid(f"The specified location constraint is not valid: '{location}'.")
    made: Body = {
        **{key: each for key, each in body.items() if key not in _OWN},
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "projectNumber": call.project_number,
        "location": location,
        "locationType": _MULTI.get(location, "region"),
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "timeCreated": call.timestamp[:23] + "Z",
        "generation": str(int(call.at * 1_000_000)),
        "metageneration": "0",
    }
    made.setdefault("storageClass", "STANDARD")
    made.setdefault(
        "softDeletePolicy", {"retentionDurationSeconds": "604800", "effectiveTime": made["timeCreated"]}
    )
    made.setdefault("iamConfiguration", {})
    made["iamConfiguration"].setdefault("publicAccessPrevention", "inherited")
    made["iamConfiguration"].setdefault("uniformBucketLevelAccess", {"enabled": False})
    made["iamConfiguration"]["bucketPolicyOnly"] = made["iamConfiguration"]["uniformBucketLevelAccess"]
    _check(call, made)
    call.state.put_policy(f"storage/b/{name}", {"version": 1, "bindings": [
        {"role": "roles/storage.legacyBucketOwner",
         "members": [f"projectEditor:{call.project}", f"projectOwner:{call.project}"]},
        {"role": "roles/storage.legacyBucketReader", "members": [f"projectViewer:{call.project}"]},
    ]})  # fmt: skip
    return _save(call, made)


def _check(call: Call, bucket: Body) -> None:
    check_labels(bucket, "labels")
    if bucket["storageClass"] not in _CLASSES:
        raise invalid(f"Invalid argument: storageClass '{bucket['storageClass']}'.")
    uniform = bucket["iamConfiguration"]["uniformBucketLevelAccess"].get("enabled")
    if uniform and (bucket.get("acl") or bucket.get("defaultObjectAcl")):
        raise invalid("Cannot set ACLs when uniform bucket-level access is enabled.")
    if bucket["iamConfiguration"]["publicAccessPrevention"] not in ("inherited", "enforced"):
        raise invalid("iamConfiguration.publicAccessPrevention must be inherited or enforced.")
    key = bucket.get("encryption", {}).get("defaultKmsKeyName")
    if key:
        _check_key(call, bucket, key)
    seconds = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds") or 0)
    if seconds and not 604800 <= seconds <= 7776000:
        raise invalid("softDeletePolicy.retentionDurationSeconds must be 0, or from 604800 to 7776000.")
    if bucket.get("retentionPolicy") and bucket.get("versioning", {}).get("enabled"):
        raise invalid("A bucket cannot have both a retention policy and object versioning.")


def _check_key(call: Call, bucket: Body, key: str) -> None:
    from twin.gcp.services.cloudkms import check_granted

    place = key.split("/")[3]
    if place != bucket["location"].lower():
        raise invalid(
            f"The Cloud KMS key's location '{place}' must be that of the bucket, "
            f"'{bucket['location'].lower()}'."
        )
    check_granted(call, key, f"service-{call.project_number}@gs-project-accounts.iam.gserviceaccount.com")


@handles("storage.buckets.get")
def get(call: Call) -> dict[str, Any]:
    """A bucket."""
    return bucket_of(call)


@handles("storage.buckets.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's buckets."""
    prefix = call.parameters.get("prefix", "")
    found = [body for _, body in call.state.of("storage.b", "storage/b/") if body["name"].startswith(prefix)]
    return {"kind": "storage#buckets", **generic.page(call, found, "items")}


@handles("storage.buckets.patch", "storage.buckets.update")
def change(call: Call) -> dict[str, Any]:
    """What can change of a bucket."""
    before = bucket_of(call)
    check_preconditions(call, before)
    body = {key: each for key, each in call.body.items() if key not in _OWN}
    if isinstance(body.get("labels"), dict):
        kept = (
            {**before.get("labels", {}), **body["labels"]} if call.method.verb == "PATCH" else body["labels"]
        )
        body["labels"] = {key: each for key, each in kept.items() if each is not None} or None
    made = merge(before, body)
    if call.body.get("location") and call.body["location"].upper() != before["location"]:
        raise invalid("The location of a bucket cannot be changed.")
    if (
        before.get("retentionPolicy", {}).get("isLocked")
        and made.get("retentionPolicy") != before["retentionPolicy"]
    ):
        raise GoogleError(
            403, "PERMISSION_DENIED", "Cannot reduce or remove a locked retention policy.", "forbidden"
        )
    _check(call, made)
    return _save(call, made)


@handles("storage.buckets.delete")
def delete(call: Call) -> dict[str, Any]:
    """An empty bucket goes."""
    body = bucket_of(call)
    check_preconditions(call, body)
    if call.state.below(f"storage/b/{body['name']}"):
        raise GoogleError(
            409, "FAILED_PRECONDITION", "The bucket you tried to delete is not empty.", "conflict"
        )
    call.state.delete(f"storage/b/{body['name']}")
    return {}


@handles("storage.buckets.getIamPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    """Who may what in a bucket."""
    name = bucket_of(call)["name"]
    return _policy(name, iam_policy.read(call.state, f"storage/b/{name}"))


@handles("storage.buckets.setIamPolicy")
def set_policy(call: Call) -> dict[str, Any]:
    """Who may what in a bucket, anew."""
    body = bucket_of(call)
    bindings: list[Body] = call.body.get("bindings") or []
    public = any({"allUsers", "allAuthenticatedUsers"} & set(each.get("members") or []) for each in bindings)
    if public and body["iamConfiguration"]["publicAccessPrevention"] == "enforced":
        raise stale(
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access "
            "prevention is enforced."
        )
    conditional = any("condition" in each for each in bindings)
    if conditional and not body["iamConfiguration"]["uniformBucketLevelAccess"].get("enabled"):
        raise invalid("Conditions need uniform bucket-level access.")
    made = iam_policy.write(call, f"storage/b/{body['name']}", call.body)
    return _policy(body["name"], made)


@handles("storage.buckets.testIamPermissions")
def test_permissions(call: Call) -> dict[str, Any]:
    """Which permissions the caller has."""
    found = generic.policy(call, f"storage/b/{bucket_of(call)['name']}")
    return {"kind": "storage#testIamPermissionsResponse", **found}


@handles("storage.projects.serviceAccount.get")
def agent(call: Call) -> dict[str, Any]:
    """The account by which Cloud Storage uses keys."""
    return {
        "kind": "storage#serviceAccount",
        "email_address": f"service-{call.project_number}@gs-project-accounts.iam.gserviceaccount.com",
    }


def _policy(name: str, policy: Body) -> Body:
    return {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{name}", **policy}


def _save(call: Call, bucket: Body) -> Body:
    bucket["metageneration"] = str(int(bucket["metageneration"]) + 1)
    bucket["updated"] = call.timestamp[:23] + "Z"
    bucket["etag"] = iam_policy.etag({"metageneration": bucket["metageneration"], "id": bucket["id"]})
    return call.state.put(f"storage/b/{bucket['name']}", bucket)
