"""Collections whose methods do what Google's API design guide says: create, patch and delete by their names.

Most services differ only in what a resource must hold, which fields can change, and what is in the way
of a delete. methods.toml of a service states that by the collection's methods (`Standard`); `serve` adds
what is no data. Get, list and IAM policies are generic.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import GoogleError, exists, invalid, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import etag
from twin.gcp.methods import generic, handles, rules
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import check_labels

Check = Callable[[Call, Body], None]
Renew = Callable[[Call, Body, Body], None]
_MAKES: Final[Mapping[str, Callable[[], str]]] = {
    "number": operations.numeric_id,
    "uuid": lambda: str(uuid.uuid4()),
}


@dataclass(frozen=True)
class Standard:
    """One collection: an entry of methods.toml, by its method ids without the last word."""

    methods: str
    title: str
    """In messages (`Secret`)."""
    id: str = "number"
    """The parameter with the new resource's id (`secretId`), of the query or of the body; `number` or `uuid`
    where the service makes it."""
    named: bool = False
    """Whether `id` is a field with the whole name."""
    short: bool = False
    """Whether a resource shows its last word as `name`."""
    pattern: str = r"[^/]+"
    right: str = ""
    """What an id must match, and the same in words."""
    exists: str = "{title} '{name}' already exists."
    missing: str = "Resource '{name}' was not found."
    """The words of a 409 and of a 404, with {name} and {last}."""
    inside: Mapping[str, str] = field(default_factory=dict[str, str])
    """By method, the field of the request with the resource."""
    mutable: tuple[str, ...] = ()
    """The top-level fields that a patch may change."""
    mask_needed: bool = True
    response: str = ""
    """The type of an operation's response; "" where methods answer the resource itself."""
    operation: str = "{place}/operations/operation-{id}"
    patch_at_once: bool = False
    """Whether a patch answers the resource where the other methods answer an operation."""
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a resource gets where it says nothing, inside of objects too."""
    sets: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a new resource gets always."""
    rules: tuple[rules.Rule, ...] = ()
    """See twin.gcp.methods.rules."""
    path: str = ""
    """What is in front of the rules' paths (`secret.`)."""
    most: int = 0
    """So many in a parent; 0: any number."""
    labels: bool = True
    """Whether `labels` are those of Google Cloud."""
    empty: str = ""
    """The refusal to delete a resource with others in it; "": they go with it."""
    stamps: tuple[str, str] = ("createTime", "updateTime")
    """The fields of the times of creation and change."""
    uid: bool = False
    tag: bool = False
    """Whether there is an `etag`, which must be the current one where a patch gives it."""
    places: tuple[str, ...] = ()
    """Multi-regions that are locations, too."""
    any: bool = False
    """Whether any location is right."""
    words: tuple[str, ...] = ("create", "patch", "delete")
    """The methods; one with another word is a patch, too."""
    # What is no data: see `serve`.
    prepare: Check | None = None
    check: Check | None = None
    renew: Renew | None = None
    vacate: Check | None = None
    after_create: Check | None = None

    @property
    def api(self) -> str:
        """The API's name."""
        return self.methods.partition(".")[0]

    @property
    def collection(self) -> str:
        """The last word of the names' template (`secrets`)."""
        return self.methods.rpartition(".")[2]

    def said(self, words: str, name: str) -> str:
        """Words with the name in them."""
        return words.format(title=self.title, name=name, last=name.rpartition("/")[2])

    def need(self, call: Call, name: str) -> Body:
        """A resource that must exist. Raises 404."""
        return call.need(f"{self.api}/{name}", self.said(self.missing, name))


def serve(
    methods: str,
    *,
    prepare: Check | None = None,
    check: Check | None = None,
    renew: Renew | None = None,
    vacate: Check | None = None,
    after_create: Check | None = None,
) -> Standard:
    """Answer the create, patch and delete of an entry.

    prepare: completes a new resource. check: what must hold of a new and of a changed one. renew: (call,
    before, after) checks a change. vacate: refuses a delete, or takes along what goes with it. after_create:
    after a new one is stored.
    """
    service = methods.partition(".")[0]
    entry = services.entries(services.SAME.get(service, service), "methods")[methods]
    hooks = {
        "prepare": prepare,
        "check": check,
        "renew": renew,
        "vacate": vacate,
        "after_create": after_create,
    }
    stated = {
        name: services.frozen(value) if isinstance(value, list) else value for name, value in entry.items()
    }
    kind = Standard(methods, **stated, **hooks)
    deeds: dict[str, Callable[[Call, Standard], dict[str, Any]]] = {"create": create, "delete": delete}
    for word in kind.words:
        handles(f"{methods}.{word}")(partial(_done, deeds.get(word, patch), kind))
    generic.MISSING[methods] = kind.missing
    return kind


def _done(deed: Callable[[Call, Standard], dict[str, Any]], kind: Standard, call: Call) -> dict[str, Any]:
    return deed(call, kind)


def create(call: Call, kind: Standard) -> dict[str, Any]:
    """A new resource below its parent."""
    request_body = _request_body(call, kind, "create")
    parent = call.parameters.get("parent") or call.parameters.get("name") or f"projects/{call.project}"
    if kind.named and "parent" not in call.parameters:
        parent = parent.rsplit("/", 2)[0]
    need_parent(call, kind, parent)
    last = _id(call, kind, parent, request_body)
    name = f"{parent}/{kind.collection}/{last}"
    row = f"{kind.api}/{name}"
    if call.state.get(row) is not None:
        raise exists(kind.said(kind.exists, name))
    if (
        kind.most
        and len(call.state.of(f"{kind.api}.{kind.collection}", f"{kind.api}/{parent}/")) >= kind.most
    ):
        raise precondition(f"There can be at most {kind.most} {kind.collection} in {parent}.")
    stored: Body = {**request_body, "name": last if kind.short else name, **kind.sets}
    generic.complete(stored, kind.defaults)
    for stamp in filter(None, kind.stamps):
        stored[stamp] = call.timestamp
    if kind.uid:
        stored["uid"] = str(uuid.uuid4())
    if kind.prepare:
        kind.prepare(call, stored)
    _check(call, kind, stored)
    _put(call, kind, row, stored)
    if kind.after_create:
        kind.after_create(call, stored)
    return answer(call, kind, stored)


def patch(call: Call, kind: Standard) -> dict[str, Any]:
    """What can change of a resource."""
    name = generic.named(call)
    row = f"{kind.api}/{name}"
    before = kind.need(call, name)
    body = _request_body(call, kind, "patch")
    if kind.mask_needed and not (call.parameters.get("updateMask") or call.body.get("updateMask")):
        raise invalid("update_mask must be specified.")
    given_etag = body.get("etag")
    if kind.tag and given_etag and given_etag != before.get("etag"):
        raise GoogleError(409, "ABORTED", f"The etag of {kind.title} '{name}' is not the current one.")
    after = generic.masked(call, before, frozenset(kind.mutable), body)
    generic.complete(after, kind.defaults)
    if kind.stamps[1]:
        after[kind.stamps[1]] = call.timestamp
    if kind.renew:
        kind.renew(call, before, after)
    _check(call, kind, after)
    _put(call, kind, row, after)
    return after if kind.patch_at_once else answer(call, kind, after)


def delete(call: Call, kind: Standard) -> dict[str, Any]:
    """A resource goes."""
    name = generic.named(call)
    row = f"{kind.api}/{name}"
    body = kind.need(call, name)
    if kind.empty and call.state.below(row):
        raise precondition(kind.said(kind.empty, name))
    if kind.vacate:
        kind.vacate(call, body)
    call.state.delete(row)
    return answer(call, kind, {}, empty=True, name=name)


def answer(call: Call, kind: Standard, body: Body, *, empty: bool = False, name: str = "") -> Body:
    """The resource, or an operation that is done."""
    if not kind.response:
        return body
    place = "/".join((name or body["name"]).split("/")[:4])
    number = f"{int(call.at * 1000)}-{uuid.uuid4().hex[:13]}"
    operation = kind.operation.format(place=place, id=number, title=kind.title, project=call.project)
    response = "google.protobuf.Empty" if empty else kind.response
    return operations.long_running(call, operation, body, kind=response)


def need_parent(call: Call, kind: Standard, parent: str) -> None:
    """The place or the resource that contains a new one. Raises 400 or 404."""
    parts = parent.split("/")
    if len(parts) >= 4 and parts[2] == "locations" and not kind.any:
        check_place(parts[3], frozenset(kind.places))
    if len(parts) > 4 or (len(parts) == 4 and parts[2] != "locations"):
        call.need(f"{kind.api}/{parent}", f"Resource '{parent}' was not found.")


def check_place(place: str, more: frozenset[str]) -> None:
    """A region, or one of the service's multi-regions."""
    if place not in more and not capacity.is_region(place):
        raise invalid(f"Location '{place}' is not found or access is unauthorized.")


def _request_body(call: Call, kind: Standard, word: str) -> Body:
    """The resource of the request."""
    where = kind.inside.get(word)
    return {**(call.body.get(where) or {})} if where else {**call.body}


def _id(call: Call, kind: Standard, parent: str, request_body: Body) -> str:
    if kind.id in _MAKES:
        return _MAKES[kind.id]()
    id_ = str(call.parameters.get(kind.id) or call.body.get(kind.id) or request_body.get(kind.id) or "")
    if kind.named:
        whole, around = id_, f"{parent}/{kind.collection}/"
        id_ = whole.removeprefix(around)
        if id_ == whole or not re.fullmatch(kind.pattern, id_):
            raise invalid(f"Invalid name '{whole}': {around}NAME with {kind.right}.")
    if not id_ and kind.id in call.method.parameters:
        raise invalid(f"Required parameter: {kind.id}", reason="required")
    if not re.fullmatch(kind.pattern, id_):
        raise invalid(f"Invalid {kind.title} id '{id_}': {kind.right or kind.pattern}.")
    return id_


def _check(call: Call, kind: Standard, body: Body) -> None:
    if kind.labels and isinstance(body.get("labels"), dict):
        check_labels(body, f"{kind.path}labels")
    rules.check(call, body, kind.rules, kind.path)
    if kind.check:
        kind.check(call, body)


def _put(call: Call, kind: Standard, row: str, body: Body) -> None:
    if kind.tag:
        body["etag"] = etag(body)
    call.state.put(row, body)
