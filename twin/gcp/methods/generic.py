"""What most methods have in common: get, list, IAM policies, operations, by the shape of the method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twin.gcp import methods, services
from twin.gcp.api_server import discovery, operations
from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy as iam_policy

_PAGE = 500
MISSING: dict[str, str] = {}
"""The words of a 404 by the methods of a collection, with {name} and {last}."""
_NAMED = re.compile(r"\{\+(name|sinkName|topic|subscription)\}$")
_AROUND = re.compile(r"\{\+(parent|project|name)\}/\w+$")
_NAMES = ("name", "sinkName", "topic", "subscription", "resource")
_TERM = re.compile(r"""\s*([A-Za-z_.]+)\s*(!=|=|:|eq|ne)\s*(?:["']([^"']*)["']|(\S+))""")


def answer(call: Call) -> dict[str, Any]:
    """Answer a method that no handler answers. Raises NotImplementedError for what is not in the twin."""
    handler = methods.rest(call.method.api)
    return handler(call) if handler else common(call)


def common(call: Call) -> dict[str, Any]:
    """The methods that mean the same in any API."""
    word = call.method.name
    if word in ("getIamPolicy", "setIamPolicy", "testIamPermissions"):
        name = policy_holder(call)
        call.need(name)
        return policy(call, name)
    if ".operations." in call.method.id and word in ("get", "list"):
        return _operation(call)
    if word == "get" and _NAMED.search(call.method.path):
        name = f"{call.method.api}/{named(call)}"
        return methods.shown(call.state, name, call.need(name, missing(call)))
    if word == "list" and _AROUND.search(call.method.path):
        last = call.method.path.rsplit("/", 1)[-1]
        parent = next(
            call.parameters[each] for each in ("parent", "project", "name") if each in call.parameters
        )
        return listed(call, f"{call.method.api}/{parent}/{last}/", f"{call.method.api}.{last}")
    raise NotImplementedError(call.method.id)


def missing(call: Call) -> str:
    """The words of a 404 of the gRPC services."""
    words = MISSING.get(call.method.id.rpartition(".")[0], "Resource '{name}' was not found.")
    return words.format(name=named(call), last=named(call).rpartition("/")[2])


def named(call: Call) -> str:
    """The resource of the path, relative to its API."""
    return next((str(call.parameters[each]) for each in _NAMES if call.parameters.get(each)), "")


def listed(call: Call, prefix: str, collection: str, keep: Any = None) -> dict[str, Any]:
    """A page of what is directly in a collection. keep: which (name, body) belong; all by default."""
    found = [
        methods.shown(call.state, name, body)
        for name, body in call.state.of(collection, prefix)
        if "/" not in name.removeprefix(prefix) and (keep is None or keep(name, body))
    ]
    return page(call, found)


def page(call: Call, found: list[Body], key: str = "") -> dict[str, Any]:
    """A page of a list, under the key that the response's schema gives lists."""
    found = _filtered(found, call.parameters.get("filter", ""))
    size = call.parameters.get("pageSize") or call.parameters.get("maxResults") or _PAGE
    token = call.parameters.get("pageToken") or "0"
    if not token.isdigit():
        raise invalid(f"Invalid value for field 'pageToken': '{token}'. Page token is invalid.")
    start = int(token)
    made: dict[str, Any] = {}
    shown = found[start : start + size]
    if shown:
        made[key or list_key(call)] = shown
    if start + size < len(found):
        made["nextPageToken"] = str(start + size)
    return made


def list_key(call: Call) -> str:
    """The name of the list in the response: `items`, `keyRings`, `accounts`..."""
    document = discovery.document(call.method.api, call.method.version)
    properties = document.schemas[call.method.response]["properties"] if document else {}
    for name, spec in properties.items():
        if spec.get("type") == "array" and "$ref" in spec.get("items", {}):
            return name
    return "items"


def policy_holder(call: Call) -> str:
    """The resource whose policy is asked for."""
    return f"{call.method.api}/{named(call)}"


def policy(call: Call, name: str) -> dict[str, Any]:
    """getIamPolicy, setIamPolicy, testIamPermissions of a resource that exists."""
    word = call.method.name
    if word == "getIamPolicy":
        return iam_policy.read(call.state, name)
    if word == "setIamPolicy":
        given = call.body.get("policy", call.body if "bindings" in call.body else None)
        if given is None:
            raise invalid("Policy must be specified.")
        return iam_policy.write(call, name, given, call.body.get("updateMask", ""))
    permissions = call.body.get("permissions") or call.parameters.get("permissions") or []
    held = [each for each in permissions if call.front.identity.allowed(call.principal, each, name)]
    return {"permissions": held} if held else {}


def expand(template: str, parameters: dict[str, Any]) -> str:
    """A path with its parameters."""
    for name, value in parameters.items():
        template = template.replace("{" + name + "}", str(value)).replace("{+" + name + "}", str(value))
    return template


def complete(body: Body, defaults: Mapping[str, Any], *, inside: bool = True) -> None:
    """Fill in what a body does not state. inside: also in objects that it states."""
    for name, value in defaults.items():
        if inside and isinstance(value, Mapping) and isinstance(body.get(name), dict):
            complete(body[name], value)
        elif body.get(name) is None:
            body[name] = services.copied(value)


def masked(call: Call, current: Body, allowed: frozenset[str], given: Body | None = None) -> Body:
    """A resource after a PATCH with an updateMask. Raises 400 for what the mask must not name.

    allowed: the fields that can change. Without a mask the fields of the body are meant.
    """
    body = call.body if given is None else given
    mask = call.parameters.get("updateMask") or call.body.get("updateMask") or ""
    paths = [each.strip() for each in mask.split(",") if each.strip()] or list(body)
    made = dict(current)
    for path in paths:
        head, *rest = (_camel(each) for each in path.split("."))
        if head not in allowed:
            if body.get(head) == current.get(head) and head in current:
                continue
            raise invalid(
                f"Invalid update mask: field '{path}' is immutable or unknown and cannot be updated."
            )
        if rest:
            _set(made, body, [head, *rest])
        elif body.get(head) is None:
            made.pop(head, None)
        else:
            made[head] = body[head]
    return made


def _set(made: Body, body: Body, path: list[str]) -> None:
    value: Any = body
    for each in path:
        value = value.get(each) if isinstance(value, dict) else None
    target = made
    for each in path[:-1]:
        target[each] = dict(target.get(each) or {})
        target = target[each]
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value


def _camel(text: str) -> str:
    head, *rest = text.split("_")
    return head + "".join(each.title() for each in rest)


def _operation(call: Call) -> dict[str, Any]:
    if call.method.name == "list":
        prefix = call.parameters.get("parent") or call.parameters.get("name") or ""
        found = call.state.operations(f"{call.method.api}/{prefix}")
        return page(call, [body for _, body in found], "operations")
    name = call.parameters.get("name") or expand(call.method.path, call.parameters)
    found = operations.find(call.state, call.method.api, name)
    if found is None:
        raise not_found(f"Operation not found: {name}")
    return found


def _filtered(found: list[Body], text: str) -> list[Body]:
    """`name = x`, `(name eq x) (network = "y")`, `status:READY AND ...`: what clients ask."""
    rest = re.sub(r"\bAND\b|\band\b", " ", text)
    rest = rest.replace("(", " ").replace(")", " ")
    while rest.strip():
        match = _TERM.match(rest)
        if not match:
            raise invalid(f"Invalid value for field 'filter': '{text}'. Invalid list filter expression.")
        field, sign, quoted, plain = match.groups()
        wanted = plain if quoted is None else quoted
        differs = sign in ("!=", "ne")
        found = [each for each in found if _has(each, field, wanted, sign) != differs]
        rest = rest[match.end() :]
    return found


def _has(body: Body, field: str, wanted: str, sign: str) -> bool:
    value: Any = body
    for each in field.split("."):
        value = value.get(each) if isinstance(value, dict) else None
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    if wanted == "*":
        return value is not None
    if sign in ("eq", "ne"):
        return re.fullmatch(wanted, shown) is not None  # these two take regular expressions
    return wanted in shown if sign == ":" else shown == wanted
