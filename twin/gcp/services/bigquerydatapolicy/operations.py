"""BigQuery Data Policy: which grantees see a column, masked or not. Version 2 of the API alone."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.api_server.errors import exists, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member, etag
from twin.gcp.methods import generic, handles
from twin.gcp.methods.standard_methods import check_place
from twin.gcp.services.bigquery.operations.datasets import PLACES

_METHODS: Final = "bigquerydatapolicy.projects.locations.dataPolicies"
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,256}")
_GRANTEE: Final = re.compile(
    r"principal://(goog/subject/|iam\.googleapis\.com/projects/-/serviceAccounts/)([^/\s]+@[^/\s]+)"
    r"|principalSet://goog/group/([^/\s]+@[^/\s]+)"
)
_MASKS: Final = "DATA_MASKING_POLICY"


@handles(f"{_METHODS}.create")
def create(call: Call) -> dict[str, Any]:
    """A data policy."""
    parent = call.parameters["parent"]
    check_place(parent.split("/")[3], PLACES)
    given: Body = call.body.get("dataPolicy") or {}
    name = given.get("dataPolicyId") or call.body.get("dataPolicyId") or ""
    if not _ID.fullmatch(name):
        raise invalid(f"Invalid data policy id '{name}': letters, digits and _, at most 256.")
    row = f"bigquerydatapolicy/{parent}/dataPolicies/{name}"
    if call.state.get(row) is not None:
        raise exists(f"Data policy {name} already exists in location {parent.split('/')[3]}.")
    made: Body = {**given, "dataPolicyId": name, "name": f"{parent}/dataPolicies/{name}"}
    made["version"] = "V2"
    _check(call, made)
    return call.state.put(row, made)


def _check(call: Call, policy: Body) -> None:
    kind, mask = policy.get("dataPolicyType", ""), policy.get("dataMaskingPolicy")
    if not kind or kind.endswith("_UNSPECIFIED"):
        raise invalid("data_policy_type must be specified.")
    if (kind == _MASKS) != bool(mask):
        raise invalid(f"data_masking_policy belongs to policies of type {_MASKS}, which need it.")
    if mask and len({"predefinedExpression", "routine"} & set(mask)) != 1:
        raise invalid("Exactly one of data_masking_policy.predefined_expression and .routine must be set.")
    policy["grantees"] = [_grantee(call, each) for each in policy.get("grantees") or []]
    policy["etag"] = etag({key: each for key, each in policy.items() if key != "etag"})


def _grantee(call: Call, given: str) -> str:
    found = _GRANTEE.fullmatch(given)
    if not found:
        raise invalid(
            f"Invalid grantee '{given}': principal://goog/subject/USER, principalSet://goog/group/GROUP or "
            "principal://iam.googleapis.com/projects/-/serviceAccounts/EMAIL is right."
        )
    if found[1] and "serviceAccounts" in found[1]:
        check_member(call, f"serviceAccount:{found[2]}")
    return given


@handles(f"{_METHODS}.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a data policy."""
    row = f"bigquerydatapolicy/{call.parameters['name']}"
    before = call.need(row, generic.missing(call))
    allowed = frozenset({"dataPolicyType", "dataMaskingPolicy", "grantees"})
    made = generic.masked(call, before, allowed)
    _check(call, made)
    return call.state.put(row, made)


@handles(f"{_METHODS}.delete")
def delete(call: Call) -> dict[str, Any]:
    """A data policy goes."""
    row = f"bigquerydatapolicy/{call.parameters['name']}"
    body = call.need(row, generic.missing(call))
    holder = _holder(call, body["name"])
    if holder:
        raise invalid(
            f"Data policy {body['name']} cannot be deleted: it is attached to a column of {holder}."
        )
    call.state.delete(row)
    return {}


def _holder(call: Call, policy: str) -> str:
    """A table with a column that the policy guards, or ""."""
    for row, body in call.state.of("bigquery.tables", f"bigquery/projects/{call.project}/"):
        attached = [
            each.get("name", "")
            for field in (body.get("schema") or {}).get("fields") or []
            for each in field.get("dataPolicies") or []
        ]
        if any(each.split("/")[2:] == policy.split("/")[2:] for each in attached) or _kept(call, row, policy):
            return str(body["id"])
    for row, _ in call.state.of("biglake.tables", f"biglake/projects/{call.project}/"):
        if _kept(call, row, policy):
            return row.partition("/")[2]
    return ""


def _kept(call: Call, row: str, policy: str) -> bool:
    """Whether a statement attached the policy to a column of the table."""
    return any(policy in names for names in (call.state.kept(row).get("policies") or {}).values())
