"""BigQuery Data Policy: who sees a column, masked or not; v1 by policy tags, v2 by grantees of its own."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.gcp.api_server.errors import exists, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam.policy import check_member, etag
from twin.gcp.methods import generic, handles
from twin.gcp.methods.standard_methods import check_place
from twin.gcp.services.bigquery.operations.datasets import PLACES

_METHODS: Final = "bigquerydatapolicy.projects.locations.dataPolicies"
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,256}")
_TAG: Final = re.compile(r"projects/([^/]+)/locations/([^/]+)/taxonomies/[^/]+/policyTags/[^/]+")
_GRANTEE: Final = re.compile(
    r"principal://(goog/subject/|iam\.googleapis\.com/projects/-/serviceAccounts/)([^/\s]+@[^/\s]+)"
    r"|principalSet://goog/group/([^/\s]+@[^/\s]+)"
)
_MASKS: Final = "DATA_MASKING_POLICY"
PER_TAG: Final = 9
"""Masking policies of a policy tag at most. Source: "Introduction to data masking"."""


@handles(f"{_METHODS}.create")
def create(call: Call) -> dict[str, Any]:
    """A data policy, as the asked version has it."""
    parent = call.parameters["parent"]
    check_place(parent.split("/")[3], PLACES)
    given = call.body if call.method.version == "v1" else call.body.get("dataPolicy") or {}
    name = given.get("dataPolicyId") or call.body.get("dataPolicyId") or ""
    if not _ID.fullmatch(name):
        raise invalid(f"Invalid data policy id '{name}': letters, digits and _, at most 256.")
    row = f"bigquerydatapolicy/{parent}/dataPolicies/{name}"
    if call.state.get(row) is not None:
        raise exists(f"Data policy {name} already exists in location {parent.split('/')[3]}.")
    made: Body = {**given, "dataPolicyId": name, "name": f"{parent}/dataPolicies/{name}"}
    made["version"] = "V1" if call.method.version == "v1" else "V2"
    _check(call, made)
    return _shown(call, call.state.put(row, made))


def _check(call: Call, policy: Body) -> None:
    kind, mask = policy.get("dataPolicyType", ""), policy.get("dataMaskingPolicy")
    if not kind or kind.endswith("_UNSPECIFIED"):
        raise invalid("data_policy_type must be specified.")
    if (kind == _MASKS) != bool(mask):
        raise invalid(f"data_masking_policy belongs to policies of type {_MASKS}, which need it.")
    if mask and len({"predefinedExpression", "routine"} & set(mask)) != 1:
        raise invalid("Exactly one of data_masking_policy.predefined_expression and .routine must be set.")
    if policy["version"] == "V1":
        _check_tag(call, policy)
    else:
        policy["grantees"] = [_grantee(call, each) for each in policy.get("grantees") or []]
    policy["etag"] = etag({key: each for key, each in policy.items() if key != "etag"})


def _check_tag(call: Call, policy: Body) -> None:
    tag = str(policy.get("policyTag") or "")
    found = _TAG.fullmatch(tag)
    place = policy["name"].split("/")[3]
    if not found:
        raise invalid(f"Invalid policy tag '{tag}'.")
    if found[2] != place:
        raise invalid(f"The policy tag {tag} is in location {found[2]}, the data policy in {place}.")
    own = f"projects/{call.project}/{tag.partition('/')[2].partition('/')[2]}"
    if call.state.get(f"datacatalog/{own}") is None:
        raise not_found(f"Policy tag {tag} not found.")
    taxonomy = call.state.get(f"datacatalog/{own.partition('/policyTags/')[0]}") or {}
    if "FINE_GRAINED_ACCESS_CONTROL" not in (taxonomy.get("activatedPolicyTypes") or []):
        raise invalid(f"The taxonomy of {tag} does not enforce FINE_GRAINED_ACCESS_CONTROL.")
    others = [
        each
        for _, each in call.state.of("bigquerydatapolicy.dataPolicies", "bigquerydatapolicy/")
        if each.get("policyTag") == tag and each["name"] != policy["name"]
    ]
    if policy["dataPolicyType"] != _MASKS and any(each["dataPolicyType"] != _MASKS for each in others):
        raise exists(f"Policy tag {tag} has a column-level security policy already.")
    if len(others) >= PER_TAG:
        raise invalid(f"A policy tag can have at most {PER_TAG} data policies.")


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


def _shown(call: Call, policy: Body) -> Body:
    if call.method.version == "v1":
        return {key: each for key, each in policy.items() if key not in ("version", "etag", "grantees")}
    return policy


@handles(f"{_METHODS}.get")
def get(call: Call) -> dict[str, Any]:
    """A data policy."""
    name = call.parameters["name"]
    return _shown(call, call.need(f"bigquerydatapolicy/{name}", generic.missing(call)))


@handles(f"{_METHODS}.patch")
def patch(call: Call) -> dict[str, Any]:
    """What can change of a data policy."""
    row = f"bigquerydatapolicy/{call.parameters['name']}"
    before = call.need(row, generic.missing(call))
    allowed = frozenset({"dataPolicyType", "dataMaskingPolicy", "policyTag", "grantees"})
    made = generic.masked(call, before, allowed)
    _check(call, made)
    return _shown(call, call.state.put(row, made))


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
