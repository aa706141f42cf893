"""Collections whose methods do what Google's API design guide says: create, patch and delete by their names.

Most gRPC services differ only in what a resource must hold, which fields can change, and what stands in the
way of a delete. A service says that in a `Standard` and serves it; get, list and IAM policies are generic.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import GoogleError, exists, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import etag
from twin.gcp.methods import generic, handles
from twin.gcp.services.compute import capacity
from twin.gcp.services.compute.operations.generic import check_labels

Check = Callable[[Call, Body], None]
Renew = Callable[[Call, Body, Body], None]
ANY_ID: Final = r"[^/]+"


@dataclass(frozen=True)
class Standard:
    """One collection.

    methods: its method ids without the last word. title: in messages (`Secret`). id: the query parameter with
    the new resource's id (`secretId`); "" where the service makes the id. pattern: what an id must match, and
    right: the same in words. mutable: the top-level fields that a patch may change. response: the type of an
    operation's response (`google.cloud.dataplex.v1.Lake`); "" where methods answer the resource itself.
    prepare: checks and completes a new resource. check: what must hold of a new and of a changed one. renew:
    (call, before, after) checks a change. vacate: refuses a delete, or takes along what goes with it. made:
    after a new one is stored. stamps: the fields of the times of creation and change. uid, tag: whether there
    are `uid` and `etag`. places: multi-regions that are locations too; None where there is no location.
    """

    methods: str
    title: str
    id: str = ""
    pattern: str = ANY_ID
    right: str = ""
    mutable: frozenset[str] = frozenset()
    response: str = ""
    prepare: Check | None = None
    check: Check | None = None
    renew: Renew | None = None
    vacate: Check | None = None
    made: Check | None = None
    stamps: tuple[str, str] = ("createTime", "updateTime")
    uid: bool = False
    tag: bool = False
    places: frozenset[str] | None = frozenset()
    mask_needed: bool = True
    words: tuple[str, ...] = ("create", "patch", "delete")
    patch_at_once: bool = False
    """Whether a patch answers the resource where the other methods answer an operation."""

    @property
    def api(self) -> str:
        """The API's name."""
        return self.methods.partition(".")[0]

    @property
    def collection(self) -> str:
        """The last word of the names' template (`secrets`)."""
        return self.methods.rpartition(".")[2]


def serve(kind: Standard) -> None:
    """Answer the collection's create, patch and delete."""
    deeds: dict[str, Callable[[Call], dict[str, Any]]] = {
        "create": lambda call: create(call, kind),
        "patch": lambda call: patch(call, kind),
        "delete": lambda call: delete(call, kind),
    }
    for word in kind.words:
        handles(f"{kind.methods}.{word}")(deeds[word])


def create(call: Call, kind: Standard) -> dict[str, Any]:
    """A new resource below its parent."""
    parent = call.parameters["parent"]
    need_parent(call, kind, parent)
    last = _id(call, kind)
    name = f"{parent}/{kind.collection}/{last}"
    row = f"{kind.api}/{name}"
    if call.state.get(row) is not None:
        raise exists(f"{kind.title} '{name}' already exists.")
    made: Body = {"name": name, **{key: each for key, each in call.body.items() if key != "name"}}
    for stamp in filter(None, kind.stamps):
        made[stamp] = call.timestamp
    if kind.uid:
        made["uid"] = str(uuid.uuid4())
    _checked(made)
    if kind.prepare:
        kind.prepare(call, made)
    if kind.check:
        kind.check(call, made)
    stored = _put(call, kind, row, made)
    if kind.made:
        kind.made(call, stored)
    return answer(call, kind, stored)


def patch(call: Call, kind: Standard) -> dict[str, Any]:
    """What can change of a resource."""
    name = named(call)
    row = f"{kind.api}/{name}"
    before = call.need(row, generic.missing(call))
    if kind.mask_needed and not call.parameters.get("updateMask"):
        raise invalid("update_mask must be specified.")
    given = call.body.get("etag")
    if kind.tag and given and given != before.get("etag"):
        raise GoogleError(409, "ABORTED", f"The etag of {kind.title} '{name}' is not the current one.")
    made = generic.masked(call, before, kind.mutable)
    if kind.stamps[1:] and kind.stamps[1]:
        made[kind.stamps[1]] = call.timestamp
    _checked(made)
    if kind.renew:
        kind.renew(call, before, made)
    if kind.check:
        kind.check(call, made)
    stored = _put(call, kind, row, made)
    return stored if kind.patch_at_once else answer(call, kind, stored)


def delete(call: Call, kind: Standard) -> dict[str, Any]:
    """A resource goes."""
    name = named(call)
    row = f"{kind.api}/{name}"
    body = call.need(row, generic.missing(call))
    if kind.vacate:
        kind.vacate(call, body)
    call.state.delete(row)
    return answer(call, kind, {}, empty=True, name=name)


def answer(call: Call, kind: Standard, body: Body, *, empty: bool = False, name: str = "") -> Body:
    """The resource, or an operation that is done."""
    if not kind.response:
        return body
    place = "/".join((name or body["name"]).split("/")[:4])
    operation = f"{place}/operations/operation-{int(call.at * 1000)}-{uuid.uuid4().hex[:13]}"
    response = "google.protobuf.Empty" if empty else kind.response
    return operations.long_running(call, operation, body, kind=response)


def named(call: Call) -> str:
    """The resource of the path."""
    return call.parameters.get("name") or generic.policy_holder(call).partition("/")[2]


def need_parent(call: Call, kind: Standard, parent: str) -> None:
    """The place or the resource that a new one stands in. Raises 400 or 404."""
    parts = parent.split("/")
    if len(parts) >= 4 and parts[2] == "locations":
        check_place(parts[3], kind.places)
    if len(parts) > 4 or (len(parts) == 4 and parts[2] != "locations"):
        call.need(f"{kind.api}/{parent}", f"Resource '{parent}' was not found.")


def check_place(place: str, more: frozenset[str] | None) -> None:
    """A region, or one of the service's multi-regions."""
    if more is not None and place not in more and not capacity.is_region(place):
        raise invalid(f"Location '{place}' is not found or access is unauthorized.")


def _id(call: Call, kind: Standard) -> str:
    if not kind.id:
        return operations.numeric_id()
    found = str(call.parameters.get(kind.id) or "")
    if not found:
        raise invalid(f"Required parameter: {kind.id}", reason="required")
    if not re.fullmatch(kind.pattern, found):
        raise invalid(f"Invalid {kind.title} id '{found}': {kind.right or kind.pattern}.")
    return found


def _checked(body: Body) -> None:
    if isinstance(body.get("labels"), dict):
        check_labels(body, "labels")


def _put(call: Call, kind: Standard, row: str, body: Body) -> Body:
    if kind.tag:
        body["etag"] = etag({key: each for key, each in body.items() if key != "etag"})
    return call.state.put(row, body)
