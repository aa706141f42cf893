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
    f"{_REMOTE}.{each}Repository" for each in ("apt", "common", "docker", "maven", "npm", "python", "yum")
)


def _keyed(policies: Any) -> Any:
    """The API keeps cleanup policies by their ids, and takes seconds where the provider takes `30d` too."""
    if not isinstance(policies, list):
        return policies
    made: Props = {}
    for each in policies:
        if isinstance(each, dict) and each.get("id"):
            condition = {
                name: _duration(value) if name in ("newerThan", "olderThan") else value
                for name, value in (each.get("condition") or {}).items()
            }
            made[each["id"]] = {**each, "condition": condition} if condition else each
    return made


def _listed(policies: Any) -> Any:
    if not isinstance(policies, dict):
        return policies
    return [{"id": name, **each} for name, each in sorted(policies.items())]


class Repository(GcpResource):
    token = "gcp:artifactregistry/repository:Repository"
    fields = {
        "cleanupPolicies": Field(encode=_keyed, decode=_listed),
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        remote = inputs.get(_REMOTE)
        if isinstance(remote, dict):
            given = [each for each in _SOURCES if remote.get(each.rpartition(".")[2]) is not None]
            if len(given) != 1:
                listed = ",".join(_SOURCES)
                yield Failure(_REMOTE, f"exactly one of `{listed}` must be specified, got {given or 'none'}")


def _duration(text: Any) -> Any:
    number = seconds(str(text))
    return f"{int(number)}s" if isinstance(number, float) else text
