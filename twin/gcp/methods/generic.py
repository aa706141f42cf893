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
        return methods.representation(call.state, name, call.need(name, missing(call)))
    if word == "list" and _AROUND.search(call.method.path):
        last = call.method.path.rsplit("/", 1)[-1]
        parent = next(call.parameters[key] for key in ("parent", "project", "name") if key in call.parameters)
        return list_page(call, f"{call.method.api}/{parent}/{last}/", f"{call.method.api}.{last}")
    raise NotImplementedError(call.method.id)


def missing(call: Call) -> str:
    """The words of a 404 of the gRPC services."""
    words = MISSING.get(call.method.id.rpartition(".")[0], "Resource '{name}' was not found.")
    return words.format(name=named(call), last=named(call).rpartition("/")[2])


def named(call: Call) -> str:
    """The resource of the path, relative to its API."""
    return next((str(call.parameters[name]) for name in _NAMES if call.parameters.get(name)), "")


def list_page(call: Call, prefix: str, collection: str, keep: Any = None) -> dict[str, Any]:
    """A page of what is directly in a collection. keep: which (name, body) belong; all by default."""
    resources = [
        methods.representation(call.state, name, body)
        for name, body in call.state.of(collection, prefix)
        if "/" not in name.removeprefix(prefix) and (keep is None or keep(name, body))
    ]
    return page(call, resources)


def page(call: Call, resources: list[Body], key: str = "") -> dict[str, Any]:
    """A page of a list, under the key that the response's schema gives lists."""
    resources = _filtered(resources, call.parameters.get("filter", ""))
    size = call.parameters.get("pageSize") or call.parameters.get("maxResults") or _PAGE
    token = call.parameters.get("pageToken") or "0"
    if not token.isdigit():
        raise invalid(f"Invalid value for field 'pageToken': '{token}'. Page token is invalid.")
    start = int(token)
    page: dict[str, Any] = {}
    page_items = resources[start : start + size]
    if page_items:
        page[key or list_key(call)] = page_items
    if start + size < len(resources):
        page["nextPageToken"] = str(start + size)
    return page


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
        policy = call.body.get("policy", call.body if "bindings" in call.body else None)
        if policy is None:
            raise invalid("Policy must be specified.")
        return iam_policy.write(call, name, policy, call.body.get("updateMask", ""))
    permissions = call.body.get("permissions") or call.parameters.get("permissions") or []
    granted = [
        permission
        for permission in permissions
        if call.server.identity.allowed(call.principal, permission, name)
    ]
    return {"permissions": granted} if granted else {}


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


def masked(call: Call, current: Body, allowed: frozenset[str], changes: Body | None = None) -> Body:
    """A resource after a PATCH with an updateMask. Raises 400 for what the mask must not name.

    allowed: the fields that can change. Without a mask the fields of the body are meant.
    """
    body = call.body if changes is None else changes
    mask = call.parameters.get("updateMask") or call.body.get("updateMask") or ""
    paths = [part.strip() for part in mask.split(",") if part.strip()] or list(body)
    updated = dict(current)
    for path in paths:
        head, *rest = (_camel(part) for part in path.split("."))
        if head not in allowed:
            if body.get(head) == current.get(head) and head in current:
                continue
            raise invalid(
                f"Invalid update mask: field '{path}' is immutable or unknown and cannot be updated."
            )
        if rest:
            _set(updated, body, [head, *rest])
        elif body.get(head) is None:
            updated.pop(head, None)
        else:
            updated[head] = body[head]
    return updated


def _set(result: Body, body: Body, path: list[str]) -> None:
    value: Any = body
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    target = result
    for part in path[:-1]:
        target[part] = dict(target.get(part) or {})
        target = target[part]
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = value


def _camel(text: str) -> str:
    head, *rest = text.split("_")
    return head + "".join(letter.title() for letter in rest)


def _operation(call: Call) -> dict[str, Any]:
    if call.method.name == "list":
        prefix = call.parameters.get("parent") or call.parameters.get("name") or ""
        operation = call.state.operations(f"{call.method.api}/{prefix}")
        return page(call, [body for _, body in operation], "operations")
    name = call.parameters.get("name") or expand(call.method.path, call.parameters)
    operation = operations.find(call.state, call.method.api, name)
    if operation is None:
        raise not_found(f"Operation not found: {name}")
    return operation


def _filtered(resources: list[Body], text: str) -> list[Body]:
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
        resources = [resource for resource in resources if _has(resource, field, wanted, sign) != differs]
        rest = rest[match.end() :]
    return resources


def _has(body: Body, field: str, wanted: str, sign: str) -> bool:
    value: Any = body
    for part in field.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    value_text = str(value).lower() if isinstance(value, bool) else str(value)
    if wanted == "*":
        return value is not None
    if sign in ("eq", "ne"):
        return re.fullmatch(wanted, value_text) is not None  # these two take regular expressions
    return wanted in value_text if sign == ":" else value_text == wanted
