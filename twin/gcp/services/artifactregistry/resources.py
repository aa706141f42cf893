"""Artifact Registry: repositories."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.gcp.resources.suppressed import seconds
from twin.provider_interface import Failure, Props

_REMOTE: Final = "remoteRepositoryConfig"
_SOURCES: Final = tuple(
    f"{_REMOTE}.{name}Repository" for name in ("apt", "common", "docker", "maven", "npm", "python", "yum")
)


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

    def rules(self, inputs: Props) -> Iterator[Failure]:
        remote = inputs.get(_REMOTE)
        if isinstance(remote, dict):
            sources = [source for source in _SOURCES if remote.get(source.rpartition(".")[2]) is not None]
            if len(sources) != 1:
                sources_text = ",".join(_SOURCES)
                yield Failure(
                    _REMOTE, f"exactly one of `{sources_text}` must be specified, got {sources or 'none'}"
                )


def _duration(text: Any) -> Any:
    number = seconds(str(text))
    return f"{int(number)}s" if isinstance(number, float) else text
