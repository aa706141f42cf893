"""BigQuery: row access policies of tables."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy as iam_policy
from twin.gcp.methods import generic, handles
from twin.gcp.services.bigquery.operations.datasets import duplicate, missing
from twin.gcp.services.bigquery.operations.tables import table_of, table_row

_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,255}")
POLICIES: Final = 400
"""Row access policies of a table at most. Source: "Introduction to BigQuery row-level security"."""


def check_predicate(predicate: str, columns: set[str]) -> None:
    """A filter that GoogleSQL reads and whose columns there are. Raises 400. columns: in lower case."""
    from sqlglot import errors, exp, parse_one

    if not predicate.strip():
        raise invalid("Required parameter is missing: filterPredicate", reason="required")
    try:
        tree = parse_one(predicate, dialect="bigquery")
    except errors.SqlglotError as error:
        raise invalid(f"Syntax error in filter predicate: {str(error).splitlines()[0]}") from None
    for column in tree.find_all(exp.Column):
        parts = [part.name.lower() for part in column.parts]
        if parts[0] not in columns:
            raise invalid(f"Unrecognized name: {column.name} in the filter predicate '{predicate}'")


def check_grantees(call: Call, grantees: list[str]) -> None:
    """Members that row access policies know. Raises 400."""
    for each in grantees:
        try:
            iam_policy.check_member(call, each)
        except GoogleError as error:
            raise invalid(f"Invalid grantee {each}: {error.message}") from None


def _row(call: Call, policy: str) -> str:
    return f"{table_row(call)}/rowAccessPolicies/{policy}"


def _check(call: Call, table: Body, body: Body) -> None:
    columns = {each["name"].lower() for each in (table.get("schema") or {}).get("fields") or []}
    check_predicate(str(body.get("filterPredicate", "")), columns)
    check_grantees(call, body.get("grantees") or [])


@handles("bigquery.rowAccessPolicies.insert")
def insert(call: Call) -> dict[str, Any]:
    """A filter on rows for some."""
    table = table_of(call)
    if table["type"] not in ("TABLE", "EXTERNAL"):
        raise invalid(f"Row access policies are not supported on {table['type']} {table['id']}.")
    name = (call.body.get("rowAccessPolicyReference") or {}).get("policyId", "")
    if not _ID.fullmatch(name):
        raise invalid(f'Invalid row access policy ID "{name}": letters, digits and _, at most 256.')
    if call.state.get(_row(call, name)) is not None:
        raise duplicate("Row access policy", f"{table['id']}.{name}")
    if len(_of(call)) >= POLICIES:
        raise invalid(f"A table can have at most {POLICIES} row access policies.")
    _check(call, table, call.body)
    reference = {**table["tableReference"], "policyId": name}
    made: Body = {
        **{key: each for key, each in call.body.items() if key != "grantees"},
        "rowAccessPolicyReference": reference,
        "creationTime": call.timestamp,
        "lastModifiedTime": call.timestamp,
    }
    # Who is granted is never shown by get: the API keeps it as an IAM policy.
    grantees = sorted(call.body.get("grantees") or [])
    bindings = [{"role": "roles/bigquery.filteredDataViewer", "members": grantees}] if grantees else []
    call.state.put_policy(_row(call, name), {"version": 1, "bindings": bindings})
    return call.state.put(_row(call, name), made)


def _of(call: Call) -> list[Body]:
    found = call.state.of("bigquery.rowAccessPolicies", f"{table_row(call)}/rowAccessPolicies/")
    return [body for _, body in found]


def _policy(call: Call) -> tuple[str, Body]:
    table = table_of(call)
    row = _row(call, call.parameters["policyId"])
    found = call.state.get(row)
    if found is None:
        raise missing("Row access policy", f"{table['id']}.{call.parameters['policyId']}")
    return row, found


@handles("bigquery.rowAccessPolicies.get")
def get(call: Call) -> dict[str, Any]:
    """One policy, without its grantees."""
    return _policy(call)[1]


@handles("bigquery.rowAccessPolicies.list")
def listing(call: Call) -> dict[str, Any]:
    """The policies of a table."""
    table_of(call)
    return generic.page(call, _of(call), "rowAccessPolicies")


@handles("bigquery.rowAccessPolicies.update")
def update(call: Call) -> dict[str, Any]:
    """Another filter, other grantees."""
    row, before = _policy(call)
    _check(call, table_of(call), call.body)
    grantees = sorted(call.body.get("grantees") or [])
    bindings = [{"role": "roles/bigquery.filteredDataViewer", "members": grantees}] if grantees else []
    call.state.put_policy(row, {"version": 1, "bindings": bindings})
    made = {**before, "filterPredicate": call.body["filterPredicate"], "lastModifiedTime": call.timestamp}
    return call.state.put(row, made)


@handles("bigquery.rowAccessPolicies.delete")
def delete(call: Call) -> dict[str, Any]:
    """A policy goes; the last one of a table only by force, as all rows are then seen by all."""
    row, _ = _policy(call)
    if len(_of(call)) == 1 and not call.parameters.get("force"):
        raise invalid(
            "Deleting the last row access policy of a table makes all its rows visible: set force to confirm."
        )
    call.state.delete(row)
    return {}


@handles("bigquery.rowAccessPolicies.getIamPolicy", "bigquery.rowAccessPolicies.testIamPermissions")
def policy(call: Call) -> dict[str, Any]:
    """Who sees the rows."""
    row = f"bigquery/{call.parameters['resource']}"
    call.need(row)
    return generic.policy(call, row)
