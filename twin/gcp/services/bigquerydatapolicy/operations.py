"""BigQuery Data Policy: which grantees see a column, masked or not. Version 2 of the API alone."""

from __future__ import annotations

import re
from typing import Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member
from twin.gcp.methods.standard_methods import serve

_GRANTEE: Final = re.compile(
    r"principal://(goog/subject/|iam\.googleapis\.com/projects/-/serviceAccounts/)([^/\s]+@[^/\s]+)"
    r"|principalSet://goog/group/([^/\s]+@[^/\s]+)"
)
_MASKS: Final = "DATA_MASKING_POLICY"


def _check(call: Call, policy: Body) -> None:
    policy.setdefault("dataPolicyId", policy["name"].rpartition("/")[2])
    if (policy["dataPolicyType"] == _MASKS) != bool(policy.get("dataMaskingPolicy")):
        raise invalid(f"data_masking_policy belongs to policies of type {_MASKS}, which need it.")
    policy["grantees"] = [_grantee(call, grantee) for grantee in policy.get("grantees") or []]


def _grantee(call: Call, grantee: str) -> str:
    match = _GRANTEE.fullmatch(grantee)
    if not match:
        raise invalid(
            f"Invalid grantee '{grantee}': principal://goog/subject/USER, principalSet://goog/group/GROUP or "
            "principal://iam.googleapis.com/projects/-/serviceAccounts/EMAIL is right."
        )
    if match[1] and "serviceAccounts" in match[1]:
        check_member(call, f"serviceAccount:{match[2]}")
    return grantee


def _vacate(call: Call, policy: Body) -> None:
    holder = _holder(call, policy["name"])
    if holder:
        raise invalid(
            f"Data policy {policy['name']} cannot be deleted: it is attached to a column of {holder}."
        )


def _holder(call: Call, policy: str) -> str:
    """A table with a column that the policy guards, or ""."""
    for row, body in call.state.of("bigquery.tables", f"bigquery/projects/{call.project}/"):
        attached = [
            data_policy.get("name", "")
            for field in (body.get("schema") or {}).get("fields") or []
            for data_policy in field.get("dataPolicies") or []
        ]
        if any(attachment.split("/")[2:] == policy.split("/")[2:] for attachment in attached) or _is_attached(
            call, row, policy
        ):
            return str(body["id"])
    for row, _ in call.state.of("biglake.tables", f"biglake/projects/{call.project}/"):
        if _is_attached(call, row, policy):
            return row.partition("/")[2]
    return ""


def _is_attached(call: Call, row: str, policy: str) -> bool:
    """Whether a statement attached the policy to a column of the table."""
    return any(policy in names for names in (call.state.internal(row).get("policies") or {}).values())


serve("bigquerydatapolicy.projects.locations.dataPolicies", check=_check, vacate=_vacate)
