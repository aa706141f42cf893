"""What Cloud Storage refuses of a bucket, new or changed."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import denied, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import rules
from twin.gcp.methods.cmek import check_key
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import check_labels

MULTI: Final = {"US": "multi-region", "EU": "multi-region", "ASIA": "multi-region", "NAM4": "dual-region",
                "EUR4": "dual-region", "EUR5": "dual-region", "EUR7": "dual-region", "EUR8": "dual-region",
                "ASIA1": "dual-region"}  # fmt: skip
"""Places that are no region. Source: "Bucket locations"."""
_PART: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_IP: Final = re.compile(r"\d+\.\d+\.\d+\.\d+")
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
        raise denied("The bucket you tried to create is a domain name owned by another user.")


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
    if bucket.get("autoclass", {}).get("enabled"):
        bucket["autoclass"].setdefault("terminalStorageClass", "NEARLINE")
    rules.check(call, bucket, services.rules("storage")["bucket"])
    for rule in bucket.get("lifecycle", {}).get("rule") or []:
        _check_rule(bucket, rule["action"]["type"], rule["condition"])
    key = bucket.get("encryption", {}).get("defaultKmsKeyName")
    check_key(call, key, bucket["location"], "gs-project-accounts", "bucket")
    _check_log(call, bucket)


def _check_log(call: Call, bucket: Body) -> None:
    target = bucket.get("logging", {}).get("logBucket")
    if target and call.state.get(f"storage/b/{target}") is None and target != bucket["name"]:
        raise invalid(f"The target bucket for logging does not exist: '{target}'.")
    if target:
        bucket["logging"].setdefault("logObjectPrefix", bucket["name"])


def _check_rule(bucket: Body, kind: str, condition: dict[str, Any]) -> None:
    if kind == "SetStorageClass" and bucket.get("autoclass", {}).get("enabled"):
        raise invalid("A bucket with Autoclass cannot have SetStorageClass lifecycle rules.")
    if kind == "AbortIncompleteMultipartUpload" and set(condition) - _UPLOADS:
        raise invalid(
            "AbortIncompleteMultipartUpload supports the conditions age, matchesPrefix and matchesSuffix "
            f"only, got {', '.join(sorted(set(condition) - _UPLOADS))}."
        )
