"""Things that moto does not have: kept in its backends, so that the journal and the inventory know them,
and told in the words of each service's protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twin.aws.api_server.request import Answer, Call

Params = dict[str, Any]


@dataclass
class Thing:
    """One of them: what its describing call tells, and what only the twin knows."""

    shown: Params
    kept: Params = field(default_factory=dict[str, Any])


def held(backend: Any, kind: str) -> dict[str, Thing]:
    """All of a kind in a backend, by name or arn."""
    return vars(backend).setdefault(kind, {})


def tags(backend: Any, arn: str) -> dict[str, str]:
    """The tags of a thing, to be told and to be changed."""
    known: dict[str, dict[str, str]] = vars(backend).setdefault("twin_tags", {})
    return known.setdefault(arn, {})


def pairs(given: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as a map, of a service that takes a list of Key and Value."""
    return {each["Key"]: each.get("Value", "") for each in given or ()}


def listed(held: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as such a list."""
    return [{"Key": key, "Value": held[key]} for key in sorted(held)]


def now() -> datetime:
    """The time of the call, which is the same when it is made again."""
    return datetime.now(UTC)


def respond(call: Call, result: Params) -> Answer:
    """An answer by the service's published model, whatever its protocol is."""
    from moto.core.serialize import get_serializer_class

    kind: Any = get_serializer_class(call.model.service_name, call.protocol)
    operation = call.model.operation_model(call.operation)
    made = kind(operation_model=operation).serialize(result)
    body = made["body"]
    content: bytes = body.encode() if isinstance(body, str) else body or b""
    return Answer(made["status_code"], list(made["headers"].items()), content)


def operation(act: Callable[[Params, Any], Params]) -> Callable[[Call, Any], Answer]:
    """An operation from a function of (parameters, backend) that gives the answer's members."""

    def handle(call: Call, backend: Any) -> Answer:
        return respond(call, act(call.params, backend))

    return handle
