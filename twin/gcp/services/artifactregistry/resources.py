"""Artifact Registry: repositories."""

from __future__ import annotations

from typing import Any

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.gcp.resources.suppressed import seconds
from twin.provider_interface import Props


def _keyed(policies: Any) -> Any:
    """The API keeps cleanup policies by their ids, and takes seconds where the provider takes `30d` too."""
    if not isinstance(policies, list):
        return policies
    keyed: Props = {}
    for policy in policies:
        if isinstance(policy, dict) and policy.get("id"):
            condition = {
                name: _duration(value) if name in ("newerThan", "olderThan") else value
                for name, value in (policy.get("condition") or {}).items()
            }
            keyed[policy["id"]] = {**policy, "condition": condition} if condition else policy
    return keyed


def _as_list(policies: Any) -> Any:
    if not isinstance(policies, dict):
        return policies
    return [{"id": name, **policy} for name, policy in sorted(policies.items())]


class Repository(GcpResource):
    token = "gcp:artifactregistry/repository:Repository"
    fields = {
        "cleanupPolicies": Field(encode=_keyed, decode=_as_list),
    }


def _duration(text: Any) -> Any:
    number = seconds(str(text))
    return f"{int(number)}s" if isinstance(number, float) else text
