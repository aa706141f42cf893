"""What Cloud Storage refuses of a bucket, new or changed."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods.cmek import check_key
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import check_labels

MULTI: Final = {"US": "multi-region", "EU": "multi-region", "ASIA": "multi-region", "NAM4": "dual-region",
                "EUR4": "dual-region", "EUR5": "dual-region", "EUR7": "dual-region", "EUR8": "dual-region",
                "ASIA1": "dual-region"}  # fmt: skip
"""Places that are no region. Source: "Bucket locations"."""
_CLASSES: Final = ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL",
                   "DURABLE_REDUCED_AVAILABILITY")  # fmt: skip
_PART: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_IP: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
_CENTURY: Final = 3_155_760_000
"""Seconds that a retention period may have at most: 100 years. Source: "Bucket Lock"."""
RULES: Final = 100
"""Lifecycle rules of a bucket at most. Source: "Object Lifecycle Management"."""
_ACTIONS: Final = ("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload")
_UPLOADS: Final = frozenset({"age", "matchesPrefix", "matchesSuffix"})
"""Conditions that AbortIncompleteMultipartUpload knows."""


def check_name(name: str) -> None:
    """A bucket's name, by "Bucket naming guidelines"."""
    parts = name.split(".")
    longest = 222 if len(parts) > 1 else 63
    good = 3 <= len(name) <= longest and all(_PART.fullmatch(part) for part in parts)
    if not good or _IP.fullmatch(name):
        raise invalid(f"Invalid bucket name: '{name}'")
    if name.startswith("goog") or "google" in name or "g00gle" in name:
        raise invalid(f"Invalid bucket name: '{name}': it cannot begin with goog or hold google.")
    if len(parts) > 1:
        raise GoogleError(
            403,
            "PERMISSION_DENIED",
            "The bucket you tried to create is a domain name owned by another user.",
            "forbidden",
        )


def check_location(bucket: Body) -> str:
    """The location in capital letters. Raises 400 for one that is none."""
    location = str(bucket.get("location") or "US").upper()
    if location not in MULTI and not capacity.is_region(location.lower()):
        raise invalid(f"The specified location constraint is not valid: '{location}'.")
    placed = (bucket.get("customPlacementConfig") or {}).get("dataLocations")
    if placed is not None:
        regions = {str(placement).lower() for placement in placed}
        if len(regions) != 2 or not all(map(capacity.is_region, regions)):
            raise invalid(f"customPlacementConfig.dataLocations must name two regions, got {placed}.")
        if location not in ("US", "EU", "ASIA"):
            raise invalid(f"A custom dual-region needs one of the locations US, EU, ASIA, got '{location}'.")
    return location


def location_type(bucket: Body) -> str:
    """`region`, `dual-region` or `multi-region`."""
    if bucket.get("customPlacementConfig"):
        return "dual-region"
    return MULTI.get(bucket["location"], "region")


def check(call: Call, bucket: Body) -> None:
    """All that must hold of a bucket. Raises 400 or 403."""
    check_labels(bucket, "labels")
    _check_class(bucket)
    _check_access(bucket)
    key = bucket.get("encryption", {}).get("defaultKmsKeyName")
    if key:
        email = f"service-{call.project_number}@gs-project-accounts.iam.gserviceaccount.com"
        check_key(call, key, bucket["location"], email, "bucket")
    seconds = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds") or 0)
    if seconds and not 604800 <= seconds <= 7776000:
        raise invalid("softDeletePolicy.retentionDurationSeconds must be 0, or from 604800 to 7776000.")
    _check_retention(bucket)
    _check_log(call, bucket)
    _check_rules(bucket)
    if bucket.get("rpo") == "ASYNC_TURBO" and bucket["locationType"] != "dual-region":
        raise invalid("Turbo replication (rpo ASYNC_TURBO) is supported in dual-regions only.")


def _check_class(bucket: Body) -> None:
    if bucket["storageClass"] not in _CLASSES:
        raise invalid(f"Invalid argument: storageClass '{bucket['storageClass']}'.")
    if not bucket.get("autoclass", {}).get("enabled"):
        return
    if bucket["storageClass"] != "STANDARD":
        raise invalid("The storage class of a bucket with Autoclass must be STANDARD.")
    end = bucket["autoclass"].setdefault("terminalStorageClass", "NEARLINE")
    if end not in ("NEARLINE", "ARCHIVE"):
        raise invalid(f"autoclass.terminalStorageClass must be NEARLINE or ARCHIVE, got '{end}'.")


def _check_access(bucket: Body) -> None:
    access = bucket["iamConfiguration"]
    uniform = access["uniformBucketLevelAccess"].get("enabled")
    if uniform and (bucket.get("acl") or bucket.get("defaultObjectAcl")):
        raise invalid("Cannot set ACLs when uniform bucket-level access is enabled.")
    if access["publicAccessPrevention"] not in ("inherited", "enforced", "unspecified"):
        raise invalid("iamConfiguration.publicAccessPrevention must be inherited or enforced.")
    if bucket.get("hierarchicalNamespace", {}).get("enabled"):
        if not uniform:
            raise invalid("Hierarchical namespace needs uniform bucket-level access.")
        if bucket.get("versioning", {}).get("enabled"):
            raise invalid("Hierarchical namespace cannot be used together with object versioning.")
        if bucket.get("retentionPolicy") or bucket.get("objectRetention"):
            raise invalid("Hierarchical namespace cannot be used together with retention policies.")


def _check_retention(bucket: Body) -> None:
    policy = bucket.get("retentionPolicy")
    if not policy:
        return
    if bucket.get("versioning", {}).get("enabled"):
        raise invalid("A bucket cannot have both a retention policy and object versioning.")
    period = int(policy.get("retentionPeriod") or 0)
    if not 0 < period < _CENTURY:
        raise invalid(
            f"retentionPolicy.retentionPeriod must be greater than 0 and less than {_CENTURY} seconds, "
            f"got {period}."
        )


def _check_log(call: Call, bucket: Body) -> None:
    target = bucket.get("logging", {}).get("logBucket")
    if target and call.state.get(f"storage/b/{target}") is None and target != bucket["name"]:
        raise invalid(f"The target bucket for logging does not exist: '{target}'.")
    if target:
        bucket["logging"].setdefault("logObjectPrefix", bucket["name"])


def _check_rules(bucket: Body) -> None:
    rules: list[Body] = bucket.get("lifecycle", {}).get("rule") or []
    if len(rules) > RULES:
        raise invalid(f"A bucket can have at most {RULES} lifecycle rules, got {len(rules)}.")
    for rule in rules:
        _check_rule(bucket, rule.get("action") or {}, rule.get("condition") or {})


def _check_rule(bucket: Body, action: dict[str, Any], condition: dict[str, Any]) -> None:
    kind = action.get("type")
    if kind not in _ACTIONS:
        raise invalid(f"Invalid lifecycle action '{kind}': one of {', '.join(_ACTIONS)} is right.")
    if not condition:
        raise invalid("A lifecycle management condition must be specified.")
    if kind == "SetStorageClass":
        if action.get("storageClass") not in _CLASSES:
            raise invalid(f"Invalid storage class of a lifecycle rule: '{action.get('storageClass')}'.")
        if bucket.get("autoclass", {}).get("enabled"):
            raise invalid("A bucket with Autoclass cannot have SetStorageClass lifecycle rules.")
    if kind == "AbortIncompleteMultipartUpload" and set(condition) - _UPLOADS:
        raise invalid(
            "AbortIncompleteMultipartUpload supports the conditions age, matchesPrefix and matchesSuffix "
            f"only, got {', '.join(sorted(set(condition) - _UPLOADS))}."
        )
