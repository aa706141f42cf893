"""IAM roles: Google's and the project's own."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import concurrent, exists, invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy
from twin.gcp.methods import generic, handles, rules
from twin.gcp.services.iam import data as iam

_ID: Final = re.compile(r"[a-zA-Z0-9_.]{3,64}")
_UNSUPPORTED: Final = ("resourcemanager.projects.list", "resourcemanager.projects.move")


@handles("iam.projects.roles.create")
def create(call: Call) -> dict[str, Any]:
    """A custom role of the project."""
    role_id = call.body.get("roleId", "")
    if not _ID.fullmatch(role_id):
        raise invalid(f"Role ID ({role_id}) must match [a-zA-Z0-9_.]{{3,64}}.")
    name = f"projects/{call.project}/roles/{role_id}"
    before = call.state.get(f"iam/{name}")
    if before and before.get("deleted"):
        raise precondition(f"You can't create a role_id ({role_id}) which has been marked for deletion.")
    if before:
        raise exists(f"A role named {role_id} in projects/{call.project} already exists.")
    role = call.body.get("role", {})
    resource: Body = {
        "name": name,
        "stage": "ALPHA",
        **{key: value for key, value in role.items() if key not in ("name", "etag", "deleted")},
    }
    _check(call, resource)
    return _save(call, resource)


@handles("iam.projects.roles.get", "iam.roles.get")
def get(call: Call) -> dict[str, Any]:
    """A role with its permissions."""
    name = call.parameters["name"]
    if name.startswith("roles/"):
        if not iam.exists(name):
            raise not_found(f"The role named {name} was not found.")
        title, stage = iam.describe(name)
        return {
            "name": name,
            "title": title,
            "includedPermissions": list(iam.permissions(name)),
            "stage": stage,
            "etag": "AA==",
        }
    return call.need(f"iam/{name}", f"The role named {name} was not found.")


@handles("iam.projects.roles.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's roles."""
    deleted = bool(call.parameters.get("showDeleted"))
    prefix = f"iam/projects/{call.project}/roles/"
    return generic.list_page(call, prefix, "iam.roles", lambda _, body: deleted or not body.get("deleted"))


@handles("iam.projects.roles.patch")
def patch(call: Call) -> dict[str, Any]:
    """Title, description, stage, permissions."""
    name = call.parameters["name"]
    before = call.need(f"iam/{name}", f"The role named {name} was not found.")
    if before.get("deleted"):
        raise precondition(f"You can't update a role ({name}) which has been marked for deletion.")
    if call.body.get("etag") and call.body["etag"] != before["etag"]:
        raise concurrent(
            "There were concurrent changes to the role. Please retry the whole read-modify-write."
        )
    body = {key: value for key, value in call.body.items() if key not in ("name", "etag", "deleted")}
    updated = generic.masked(
        call, before, frozenset({"title", "description", "stage", "includedPermissions"}), body
    )
    _check(call, updated)
    return _save(call, updated)


@handles("iam.projects.roles.delete")
def delete(call: Call) -> dict[str, Any]:
    """Mark the role for deletion: its id stays taken for 37 days, and bindings lose their effect."""
    name = call.parameters["name"]
    body = call.need(f"iam/{name}", f"The role named {name} was not found.")
    if body.get("deleted"):
        raise precondition(f"The role ({name}) is already marked for deletion.")
    return _save(call, {**body, "deleted": True})


@handles("iam.projects.roles.undelete")
def undelete(call: Call) -> dict[str, Any]:
    """Take the mark away."""
    name = call.parameters["name"]
    body = call.need(f"iam/{name}", f"The role named {name} was not found.")
    if not body.pop("deleted", False):
        raise precondition(f"The role ({name}) is not marked for deletion.")
    return _save(call, body)


def _check(call: Call, role: Body) -> None:
    rules.check(call, role, services.rules("iam")["role"])
    for permission in role.get("includedPermissions") or []:
        if not iam.is_permission(permission):
            raise invalid(f"Permission {permission} is not valid.")
        if permission in _UNSUPPORTED:
            raise invalid(f"Permission {permission} is not supported in custom roles.")


def _save(call: Call, role: Body) -> Body:
    role["etag"] = policy.etag(role)
    return call.state.put(f"iam/{role['name']}", role)
