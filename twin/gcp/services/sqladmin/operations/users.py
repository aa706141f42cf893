"""Cloud SQL: databases and users of an instance."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote

from twin.gcp.api_server.errors import exists, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import generic, handles
from twin.gcp.services.sqladmin.operations.instances import database, instance_of, operation, row_of
from twin.gcp.services.sqladmin.validation import postgres

_DOMAIN: Final = ".gserviceaccount.com"
_LONGEST: Final = 63
"""Characters of a name in PostgreSQL."""


def _database(call: Call, name: str) -> str:
    return f"{row_of(call)}/databases/{quote(name, safe='')}"


@handles("sql.databases.insert")
def insert_database(call: Call) -> dict[str, Any]:
    """A database."""
    instance = instance_of(call)
    name = str(call.body.get("name") or "")
    if not name or len(name) > _LONGEST:
        raise invalid(f"Invalid request: database name '{name}': 1 to {_LONGEST} characters.")
    if call.state.get(_database(call, name)) is not None:
        raise invalid(
            f'Invalid request: failed to create database {name}. Detail: pq: database "{name}" already '
            "exists."
        )
    stated = {key: call.body[key] for key in ("charset", "collation") if key in call.body}
    call.state.put(_database(call, name), {**call.body, **database(instance, name), **stated})
    return operation(call, "CREATE_DATABASE", instance["name"])


@handles("sql.databases.get")
def _need_database(call: Call) -> Body:
    instance_of(call)
    name = call.parameters["database"]
    return call.need(_database(call, name), f"Database {name} does not exist.")


@handles("sql.databases.patch", "sql.databases.update")
def change_database(call: Call) -> dict[str, Any]:
    """Character set and collation, where the database can change them."""
    body = _need_database(call)
    wanted = {name: call.body[name] for name in ("charset", "collation") if call.body.get(name)}
    if postgres(instance_of(call)) and any(body[name] != value for name, value in wanted.items()):
        raise invalid("Invalid request: PostgreSQL cannot change the encoding of a database that is there.")
    call.state.put(_database(call, body["name"]), {**body, **wanted})
    return operation(call, "UPDATE_DATABASE", body["instance"])


@handles("sql.databases.delete")
def delete_database(call: Call) -> dict[str, Any]:
    """A database goes."""
    body = _need_database(call)
    call.state.delete(_database(call, body["name"]))
    return operation(call, "DELETE_DATABASE", body["instance"])


def _user(call: Call, name: str) -> str:
    return f"{row_of(call)}/users/{quote(name, safe='')}"


@handles("sql.users.insert")
def insert_user(call: Call) -> dict[str, Any]:
    """A user: with a password, or one of IAM's."""
    instance = instance_of(call)
    name, kind = str(call.body.get("name") or ""), call.body.get("type") or "BUILT_IN"
    if not name:
        raise invalid("Invalid request: Missing parameter: name.", reason="required")
    if postgres(instance) and call.body.get("host"):
        raise invalid("Invalid request: Host is only supported for MySQL instances.")
    if postgres(instance) and len(name) > _LONGEST:
        raise invalid(f"Invalid request: User name '{name}' is longer than {_LONGEST} characters.")
    if kind != "BUILT_IN":
        _check_iam(call, instance, name, kind)
    if call.state.get(_user(call, name)) is not None:
        raise exists(f"User '{name}' already exists.")
    fields = {key: value for key, value in call.body.items() if key not in ("password", "kind")}
    host = call.body.get("host") or ("" if postgres(instance) else "%")
    user: Body = {**fields, "kind": "sql#user", "type": kind, "host": host, "project": call.project}
    user["instance"] = instance["name"]
    if kind != "BUILT_IN":
        user["iamEmail"] = f"{name}{_DOMAIN}" if kind == "CLOUD_IAM_SERVICE_ACCOUNT" else name
    call.state.put(_user(call, name), user)
    return operation(call, "CREATE_USER", instance["name"])


def _check_iam(call: Call, instance: Body, name: str, kind: str) -> None:
    if call.body.get("password"):
        raise invalid("Invalid request: A password cannot be set for an IAM user.")
    flags = {flag["name"]: flag.get("value") for flag in instance["settings"].get("databaseFlags") or []}
    switch = "cloudsql.iam_authentication" if postgres(instance) else "cloudsql_iam_authentication"
    if flags.get(switch) != "on":
        raise invalid(f"Invalid request: IAM authentication is not enabled: set the flag {switch} to on.")
    if kind != "CLOUD_IAM_SERVICE_ACCOUNT":
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", name):
            raise invalid(f"Invalid request: IAM user name '{name}' must be an e-mail address.")
        return
    if postgres(instance) and name.endswith(_DOMAIN):
        raise invalid(
            f"Invalid request: The name of an IAM service account's user must leave out {_DOMAIN}: "
            f"{name.removesuffix(_DOMAIN)} is right."
        )
    email = name if name.endswith(_DOMAIN) else f"{name}{_DOMAIN}"
    suffix = f"@{call.project}.iam{_DOMAIN}"
    if (
        email.endswith(suffix)
        and call.state.get(f"iam/projects/{call.project}/serviceAccounts/{email}") is None
    ):
        raise invalid(f"Invalid request: Service account {email} does not exist.")


@handles("sql.users.get")
def _need_user(call: Call) -> Body:
    instance_of(call)
    name = call.parameters.get("name") or ""
    return call.need(_user(call, name), f"User '{name}' does not exist.")


@handles("sql.users.list")
def list_users(call: Call) -> dict[str, Any]:
    """The users of an instance."""
    instance_of(call)
    users = generic.list_page(call, f"{row_of(call)}/users/", "sqladmin.users")
    return {"kind": "sql#usersList", **users}


@handles("sql.users.update")
def change_user(call: Call) -> dict[str, Any]:
    """A user's password, its rules, and its roles in the database."""
    body = _need_user(call)
    if call.body.get("password") and body["type"] != "BUILT_IN":
        raise invalid("Invalid request: A password cannot be set for an IAM user.")
    roles = call.parameters.get("databaseRoles")
    if roles is not None:
        current_roles = [] if call.parameters.get("revokeExistingRoles") else body.get("databaseRoles") or []
        body["databaseRoles"] = sorted({*current_roles, *roles})
    if call.body.get("passwordPolicy"):
        body["passwordPolicy"] = call.body["passwordPolicy"]
    call.state.put(_user(call, body["name"]), body)
    return operation(call, "UPDATE_USER", body["instance"])


@handles("sql.users.delete")
def delete_user(call: Call) -> dict[str, Any]:
    """A user goes."""
    body = _need_user(call)
    call.state.delete(_user(call, body["name"]))
    return operation(call, "DELETE_USER", body["instance"])
