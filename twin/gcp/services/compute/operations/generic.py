"""The Compute API: what insert, get, list, patch, update, delete and setLabels do with any resource.

A kind says what is particular: which fields name other resources (they must exist, and cannot be deleted
while they are named), which can change, and its own rules.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twin.gcp import methods, services
from twin.gcp.api_server import operations
from twin.gcp.api_server.errors import bad_field, exists, in_use, invalid, not_found, stale
from twin.gcp.api_server.operations import COMPUTE_ROOT as ROOT
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.methods import answers_rest_of, generic, rules
from twin.gcp.services.compute import capacity

Check = Callable[[Call, Body, Body | None], None]
_LINK: Final = re.compile(
    r"(?:https?://[^/]+/)?/?(?:compute/[a-z0-9]+/)?(projects/[^/]+/)?"
    r"((?:global|regions/[^/]+|zones/[^/]+)/[A-Za-z]+/[^/]+)"
)
_SYSTEM: Final = frozenset(
    {"id", "kind", "selfLink", "selfLinkWithId", "creationTimestamp", "region", "zone"}
)
_LABEL: Final = re.compile(r"[a-z\u00df-\uffff][a-z0-9_\u00df-\uffff-]{0,62}")
_LABEL_VALUE: Final = re.compile(r"[a-z0-9_\u00df-\uffff-]{0,63}")


@dataclass(frozen=True)
class Kind:
    """What is particular to a resource type: an entry of methods.toml, by its word in paths."""

    word: str
    type: str
    """In `kind` and in messages (`subnetwork`)."""
    aliases: tuple[str, ...] = ()
    """Other words of its methods (`globalAddresses`)."""
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    """Dotted field (`nats[].natIps[]`) to the word of what it names; `|` between several."""
    mutable: frozenset[str] = frozenset()
    """What patch and update may change."""
    fingerprint: bool = False
    """Whether patch needs the current one."""
    labels: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rules: tuple[rules.Rule, ...] = ()
    """See twin.gcp.methods.rules."""
    check: Check | None = None
    after_insert: Callable[[Call, str, Body], None] | None = None
    gone: Callable[[Call, str, Body], None] | None = None


_KINDS: dict[str, Kind] = {}
_USERS: list[Callable[[State, str], Iterator[str]]] = []


def kind(
    word: str,
    *,
    check: Check | None = None,
    after_insert: Callable[[Call, str, Body], None] | None = None,
    gone: Callable[[Call, str, Body], None] | None = None,
) -> Kind:
    """Register an entry. check: further rules, with the new body and the old one, if any. after_insert and
    gone: what else happens."""
    stated = services.entries("compute", "methods")[word]
    stated = {**stated, "mutable": frozenset(stated.get("mutable", ()))}
    registered = Kind(word, **stated, check=check, after_insert=after_insert, gone=gone)
    for alias in (word, *registered.aliases):
        _KINDS[alias] = registered
    return registered


def kind_of(word: str) -> Kind:
    """The kind of a word."""
    return _KINDS[word]


def used_by(function: Callable[[State, str], Iterator[str]]) -> Callable[[State, str], Iterator[str]]:
    """The function states what uses a Compute resource, by its relative name: other services' resources."""
    _USERS.append(function)
    return function


@answers_rest_of("compute")
def answer(call: Call) -> dict[str, Any]:
    """A method of Compute that has no handler."""
    _, group, word = call.method.id.split(".")
    if group.endswith("Operations"):
        return _operation(call, word)
    kind_entry = _KINDS.get(group)
    act = _ACTS.get(word)
    if kind_entry is None or act is None:
        if word in ("getIamPolicy", "setIamPolicy", "testIamPermissions"):
            name = f"compute/{relative(call).rsplit('/', 1)[0]}"
            call.need(name)
            return generic.policy(call, name)
        raise NotImplementedError(call.method.id)
    return act(call, kind_entry)


def relative(call: Call) -> str:
    """`projects/p/regions/r/subnetworks/s` of a request."""
    path = generic.expand(call.method.path, call.parameters)
    return path.split("/", 2)[2] if path.startswith("compute/") else path


def insert(call: Call, of: Kind) -> dict[str, Any]:
    """Make a resource."""
    place = relative(call)
    body = call.body
    check_place(call)
    if not body.get("name"):
        raise invalid("Required field 'resource.name' not specified", reason="required")
    name = f"{place}/{body['name']}"
    if call.state.get(f"compute/{name}") is not None:
        raise exists(f"The resource '{name}' already exists")
    created: Body = {**of.defaults, **{key: value for key, value in body.items() if key not in _SYSTEM}}
    resolve(call, created, of)
    check_labels(created)
    rules.check(call, created, of.rules, old=True)
    if of.check:
        of.check(call, created, None)
    store(call, name, created, of)
    if of.after_insert:
        of.after_insert(call, name, created)
    return operations.compute(call, name, "insert", created["id"])


def store(call: Call, name: str, created: Body, of: Kind, *, internal: Body | None = None) -> Body:
    """Write a new resource with what Google adds: ids, links, times, fingerprints."""
    created.update(
        kind=f"compute#{of.type}",
        id=operations.numeric_id(),
        creationTimestamp=operations.compute_time(call.at),
        selfLink=link(name),
    )
    parts = name.split("/")
    if parts[2] in ("regions", "zones"):
        created[parts[2].removesuffix("s")] = link("/".join(parts[:4]))
    seal(created, of)
    return call.state.put(f"compute/{name}", created, internal=internal)


def get(call: Call, _: Kind) -> dict[str, Any]:
    """Read a resource."""
    check_place(call)
    name = f"compute/{relative(call)}"
    return methods.representation(call.state, name, call.need(name))


def listing(call: Call, of: Kind) -> dict[str, Any]:
    """A page of a place's resources."""
    check_place(call)
    place = relative(call)
    page = generic.list_page(call, f"compute/{place}/", f"compute.{of.word}")
    return {"kind": f"compute#{of.type}List", "id": place, "selfLink": link(place), **page}


def aggregated(call: Call, of: Kind) -> dict[str, Any]:
    """All places' resources, by place."""
    items: dict[str, Any] = {}
    for name, body in call.state.of(f"compute.{of.word}", f"compute/projects/{call.project}/"):
        scope = "/".join(name.split("/")[3:-2])
        items.setdefault(scope, {of.word: []})[of.word].append(methods.representation(call.state, name, body))
    return {"kind": f"compute#{of.type}AggregatedList", "id": relative(call), "items": items}


def change(call: Call, of: Kind) -> dict[str, Any]:
    """patch and update: a patch merges, an update replaces what can change."""
    name = relative(call)
    current = call.need(f"compute/{name}")
    body = {key: value for key, value in call.body.items() if key not in _SYSTEM and key != "name"}
    check_fingerprint(call, current, of)
    body.pop("fingerprint", None)
    if call.method.verb == "PUT":
        changed = merge({key: value for key, value in current.items() if key not in of.mutable}, body)
    else:
        changed = merge(current, body)
    resolve(call, changed, of)
    for key in sorted(set(body) - of.mutable):
        if changed.get(key) != current.get(key):
            raise bad_field(
                f"resource.{key}", body[key], f"The field cannot be changed once the {of.type} exists."
            )
    check_labels(changed)
    rules.check(call, changed, of.rules, old=True)
    if of.check:
        of.check(call, changed, current)
    return save(call, of, name, changed)


def delete(call: Call, of: Kind) -> dict[str, Any]:
    """Remove a resource. Raises 400 resourceInUseByAnotherResource while others name it."""
    check_place(call)
    name = relative(call)
    current = call.need(f"compute/{name}")
    check_unused(call.state, name, of)
    call.state.delete(f"compute/{name}")
    if of.gone:
        of.gone(call, name, current)
    return operations.compute(call, name, "delete", current["id"])


def set_labels(call: Call, of: Kind) -> dict[str, Any]:
    """setLabels: the whole of a resource's labels."""
    name, current = acted_on(call)
    if call.body.get("labelFingerprint") != current.get("labelFingerprint"):
        raise stale("Labels fingerprint either invalid or resource labels have changed")
    current["labels"] = call.body.get("labels") or {}
    check_labels(current)
    return save(call, of, name, current)


def acted_on(call: Call) -> tuple[str, Body]:
    """The relative name and the body of the resource whose own method (`.../setLabels`) is called."""
    name = relative(call).rsplit("/", 1)[0]
    return name, call.need(f"compute/{name}")


def save(call: Call, of: Kind, name: str, changed: Body) -> dict[str, Any]:
    """Write a resource that the called method changed; its operation."""
    seal(changed, of)
    call.state.put(f"compute/{name}", changed)
    return operations.compute(call, name, call.method.name, changed["id"])


_ACTS: Final[dict[str, Callable[[Call, Kind], dict[str, Any]]]] = {
    "insert": insert,
    "get": get,
    "list": listing,
    "aggregatedList": aggregated,
    "patch": change,
    "update": change,
    "delete": delete,
    "setLabels": set_labels,
}


def link(name: str) -> str:
    """The self link of a relative name."""
    return f"{ROOT}/{name}"


def name_of(text: str, project: str) -> str:
    """The relative name of a link, whole or partial; "" where it is none."""
    match = _LINK.fullmatch(text)
    return f"{match[1] or f'projects/{project}/'}{match[2]}" if match else ""


def resolve(call: Call, body: Body, of: Kind) -> None:
    """Write every reference as a self link. Raises 400 for one that names nothing."""
    for path, word in of.references.items():
        for holder, key, where in places(body, path):
            holder[key] = reference(call, holder[key], word, f"resource.{where}")


def reference(call: Call, text: Any, word: str, path: str) -> str:
    """The self link of what a field names. Raises 400 as Compute does."""
    name = name_of(str(text), call.project)
    parts = name.split("/")
    if not name or parts[-2] not in word.split("|"):
        raise bad_field(path, text, "The URL is malformed. Must be a valid resource URL: "
                        f"'projects/{call.project}/.../{word}/NAME'.")  # fmt: skip
    word = parts[-2]
    if parts[1] == call.project_number:
        name = f"projects/{call.project}/{'/'.join(parts[2:])}"
    if call.state.get(f"compute/{name}") is None:
        thing = _KINDS[word].type if word in _KINDS else word
        raise bad_field(path, text, f"The referenced {thing} resource cannot be found.")
    return link(name)


def places(body: Any, path: str, prefix: str = "") -> Iterator[tuple[Any, Any, str]]:
    """(holder, key, path) of all values at a dotted path with `[]` for lists; unset ones are left out."""
    head, _, rest = path.partition(".")
    key = head.removesuffix("[]")
    if not isinstance(body, dict) or body.get(key) in (None, "", []):
        return
    where = f"{prefix}.{key}" if prefix else key
    if not head.endswith("[]"):
        if rest:
            yield from places(body[key], rest, where)
        else:
            yield body, key, where
        return
    for index, element in enumerate(body[key]):
        if rest:
            yield from places(element, rest, f"{where}[{index}]")
        else:
            yield body[key], index, f"{where}[{index}]"


def users(state: State, name: str) -> Iterator[str]:
    """The relative names of what names a resource."""
    wanted = link(name)
    seen: set[str] = set()
    for kind in _KINDS.values():
        words = {word for named in kind.references.values() for word in named.split("|")}
        if kind.word in seen or name.split("/")[-2] not in words:
            continue
        seen.add(kind.word)
        for other, body in state.of(f"compute.{kind.word}"):
            if state.internal(other).get("owned"):
                continue  # it goes with its owner
            for path in kind.references:
                if any(holder[key] == wanted for holder, key, _ in places(body, path)):
                    yield other.partition("/")[2]
                    break
    for function in _USERS:
        yield from function(state, name)


def check_unused(state: State, name: str, of: Kind) -> None:
    """Raise where something names the resource."""
    for other in users(state, name):
        raise in_use(f"The {of.type} resource '{name}' is already being used by '{other}'")


def check_place(call: Call) -> None:
    """The region or zone of the path exists."""
    for key, good in (("zone", capacity.is_zone), ("region", capacity.is_region)):
        place = call.parameters.get(key)
        if place and call.method.path.count("{" + key + "}") and not good(place):
            raise bad_field(key, place, f"Unknown {key}.")


def check_fingerprint(call: Call, current: Body, of: Kind) -> None:
    """Raise 412 where the fingerprint is not the current one."""
    if not of.fingerprint:
        return
    fingerprint = call.body.get("fingerprint")
    if not fingerprint:
        raise stale("Required field 'resource.fingerprint' not specified")
    if fingerprint != current["fingerprint"]:
        raise stale("Invalid fingerprint.")


def check_labels(body: Body, path: str = "resource.labels") -> None:
    """Labels as Google takes them: 64 at most, lower case."""
    labels = body.get("labels") or {}
    if len(labels) > 64:
        raise bad_field(path, f"{len(labels)} labels", "A resource can have at most 64 labels.")
    for key, value in labels.items():
        if not _LABEL.fullmatch(key):
            raise bad_field(
                path,
                key,
                "Label key must match the following pattern: [a-z][a-z0-9_-]{0,62} (lowercase "
                "letters, numeric "
                "characters, underscores and dashes, at most 63).",
            )
        if not _LABEL_VALUE.fullmatch(value):
            raise bad_field(
                path,
                value,
                f"Label value of '{key}' must match the following pattern: [a-z0-9_-]{{0,63}} (lowercase "
                "letters, numeric characters, underscores and dashes, at most 63).",
            )


def merge(current: Body, patch: Body) -> Body:
    """JSON merge patch: null clears, objects merge, lists are replaced."""
    merged = dict(current)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif (
            isinstance(value, dict)
            and isinstance(merged.get(key), dict)
            and key not in ("labels", "metadata")
        ):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def fingerprint(body: Any) -> str:
    """8 bytes in base64, as Compute's."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def seal(created: Body, of: Kind) -> None:
    """Renew the fingerprints of a resource that changed."""
    if of.fingerprint:
        created["fingerprint"] = fingerprint(
            {key: value for key, value in created.items() if key != "fingerprint"}
        )
    if of.labels:
        created["labelFingerprint"] = fingerprint(created.get("labels") or {})


def _operation(call: Call, word: str) -> dict[str, Any]:
    place = relative(call)
    if word == "wait":
        place = place.rsplit("/", 1)[0]
    if word in ("get", "wait"):
        operation = operations.find(call.state, "compute", place)
        if operation is None:
            raise not_found(f"The resource '{place}' was not found")
        return operation
    if word == "list":
        found_all = [body for _, body in call.state.operations(f"compute/{place}/")]
        return {"kind": "compute#operationList", "id": place, **generic.page(call, found_all, "items")}
    raise NotImplementedError(call.method.id)
