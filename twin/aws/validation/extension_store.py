"""Things that moto does not have: kept in its backends, so that the journal and the inventory know them,
and reported in the words of each service's protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twin.aws.api_server.request import Answer, Call, Refusal

Params = dict[str, Any]


@dataclass
class Thing:
    """One of them: what its describing call reports, and what only the twin knows."""

    description: Params
    internal: Params = field(default_factory=dict[str, Any])


def resources(backend: Any, kind: str) -> dict[str, Thing]:
    """All of a kind in a backend, by name or arn."""
    return vars(backend).setdefault(kind, {})


def require(things: Mapping[str, Any], name: Any, code: str, words: str, status: int = 400) -> Any:
    """What has this name. Raises the Refusal where there is none."""
    if name not in things:
        raise Refusal(code, words, status)
    return things[name]


def tags(backend: Any, arn: str) -> dict[str, str]:
    """The tags of a thing, to be reported and to be changed."""
    known: dict[str, dict[str, str]] = vars(backend).setdefault("twin_tags", {})
    return known.setdefault(arn, {})


def pairs(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as a map, of a service that takes a list of Key and Value."""
    return {tag["Key"]: tag.get("Value", "") for tag in tags or ()}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as such a list."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def with_values(params: Params) -> Params:
    """The parameters that have a value."""
    return {name: value for name, value in params.items() if value is not None}


def now() -> datetime:
    """The time of the call, which is the same when it is made again."""
    return datetime.now(UTC)


def respond(call: Call, result: Params) -> Answer:
    """An answer by the service's published model, whatever its protocol is."""
    from moto.core.serialize import get_serializer_class

    kind: Any = get_serializer_class(call.model.service_name, call.protocol)
    operation = call.model.operation_model(call.operation)
    response = kind(operation_model=operation).serialize(result)
    body = response["body"]
    content: bytes = body.encode() if isinstance(body, str) else body or b""
    return Answer(response["status_code"], list(response["headers"].items()), content)


def operation(act: Callable[[Params, Any], Params]) -> Callable[[Call, Any], Answer]:
    """An operation from a function of (parameters, backend) that gives the answer's members."""

    def handle(call: Call, backend: Any) -> Answer:
        return respond(call, act(call.params, backend))

    return handle


Act = Callable[[Params, Any], Params]
"""What an operation does: (parameters, backend) -> the members of its answer."""


def operations(acts: Mapping[str, Act]) -> dict[str, Callable[[Call, Any], Answer | None]]:
    """Operations from such functions."""
    return {name: operation(act) for name, act in acts.items()}


def tag_anew(backend: Any, arn: str, values: Mapping[str, str]) -> None:
    """The tags of a thing that is new: one of its name may have been there before."""
    tags(backend, arn).clear()
    tags(backend, arn).update(values)


@dataclass(frozen=True)
class TagCalls:
    """The three operations on tags, by what a service calls their members.

    arn, tags, keys: in the parameters. answer: in what the listing answers. calls: tag, untag, list. is_map:
    its tags are no list of Key and Value. answers: the first two answer with the list, too.
    """

    arn: str = "ResourceArn"
    tags: str = "Tags"
    keys: str = "TagKeys"
    answer: str = "TagList"
    calls: tuple[str, str, str] = ("TagResource", "UntagResource", "ListTagsForResource")
    is_map: bool = False
    answers: bool = False

    def acts(self) -> dict[str, Act]:
        """The functions by operation."""
        return dict(zip(self.calls, (self._tag, self._untag, self._list), strict=True))

    def _tag(self, params: Params, backend: Any) -> Params:
        values = params[self.tags]
        tags(backend, params[self.arn]).update(values if self.is_map else pairs(values))
        return self._list(params, backend) if self.answers else {}

    def _untag(self, params: Params, backend: Any) -> Params:
        for key in params[self.keys]:
            tags(backend, params[self.arn]).pop(key, None)
        return self._list(params, backend) if self.answers else {}

    def _list(self, params: Params, backend: Any) -> Params:
        values = tags(backend, str(params.get(self.arn)))
        return {self.answer: values if self.is_map else tag_list(values)}
