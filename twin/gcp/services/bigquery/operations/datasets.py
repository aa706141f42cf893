"""BigQuery: datasets, access to them, and what all of the service's modules share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server import initial_state
from twin.gcp.api_server.errors import GoogleError, invalid, not_found, stale
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy
from twin.gcp.methods import generic, handles, rules
from twin.gcp.methods.cmek import check_key
from twin.gcp.methods.standard_methods import check_place
from twin.gcp.services.compute.operations.generic import check_labels, merge
from twin.gcp.services.iam.data import exists as role_exists

PLACES: Final = frozenset({"us", "eu"})
"""BigQuery's multi-regions."""
_ID: Final = re.compile(r"[A-Za-z0-9_]{1,1024}")
_OWN: Final = frozenset({"kind", "id", "etag", "selfLink", "creationTime", "lastModifiedTime", "type"})
_BASIC: Final[Mapping[str, str]] = services.tables("bigquery")["basic_of"]
_WHO: Final = ("userByEmail", "groupByEmail", "domain", "specialGroup", "iamMember")
_WHAT: Final = ("view", "routine", "dataset")
_SPECIAL: Final = ("projectOwners", "projectReaders", "projectWriters", "allAuthenticatedUsers")
_IMMUTABLE: Final = ("location", "datasetReference", "externalDatasetReference")
_FIELDS: Final[tuple[str, ...]] = services.tables("bigquery")["dataset_fields"]


def agent(call: Call) -> str:
    """The account by which BigQuery uses keys."""
    return f"bq-{call.project_number}@bigquery-encryption.iam.gserviceaccount.com"


def missing(kind: str, name: str) -> GoogleError:
    """404 as BigQuery words it: `Not found: Dataset p:d`."""
    return not_found(f"Not found: {kind} {name}")


def duplicate(kind: str, name: str) -> GoogleError:
    """409 as BigQuery words it."""
    return GoogleError(409, "ALREADY_EXISTS", f"Already Exists: {kind} {name}", "duplicate")


def millis(call: Call) -> str:
    """Now, as BigQuery writes times."""
    return str(int(call.at * 1000))


def dataset_row(call: Call, dataset: str = "") -> str:
    """The row of a dataset of the project; of the path's by default."""
    return f"bigquery/projects/{call.project}/datasets/{dataset or call.parameters['datasetId']}"


@handles("bigquery.datasets.get")
def dataset_of(call: Call, dataset: str = "") -> Body:
    """A dataset that exists. Raises 404."""
    row = dataset_row(call, dataset)
    body = call.state.get(row)
    if body is None:
        raise missing("Dataset", f"{call.project}:{row.rpartition('/')[2]}")
    return body


@handles("bigquery.projects.getServiceAccount")
def service_account(call: Call) -> dict[str, Any]:
    """The account by which BigQuery uses keys; it is made when it is first asked for."""
    initial_state.agent(call.state, call.project, agent(call), "BigQuery Encryption Service Account")
    return {"kind": "bigquery#getServiceAccountResponse", "email": agent(call)}


@handles("bigquery.datasets.insert")
def insert(call: Call) -> dict[str, Any]:
    """A dataset."""
    name = (call.body.get("datasetReference") or {}).get("datasetId", "")
    if not name:
        raise invalid("Required parameter is missing: datasetReference.datasetId", reason="required")
    if not _ID.fullmatch(name):
        raise invalid(
            f'Invalid dataset ID "{name}". Dataset IDs must be alphanumeric (plus underscores) and must be '
            "at most 1024 characters long."
        )
    row = dataset_row(call, name)
    if call.state.get(row) is not None:
        raise duplicate("Dataset", f"{call.project}:{name}")
    dataset: Body = {
        **{key: value for key, value in call.body.items() if key not in _OWN},
        "kind": "bigquery#dataset",
        "id": f"{call.project}:{name}",
        "datasetReference": {"datasetId": name, "projectId": call.project},
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{row.partition('/')[2]}",
        "creationTime": millis(call),
        "type": "DEFAULT",
    }
    dataset["location"] = _location(dataset.get("location") or "US")
    if "access" not in dataset:
        dataset["access"] = [
            {"role": "WRITER", "specialGroup": "projectWriters"},
            {"role": "OWNER", "specialGroup": "projectOwners"},
            {"role": "OWNER", "userByEmail": call.principal.partition(":")[2]},
            {"role": "READER", "specialGroup": "projectReaders"},
        ]
    dataset.setdefault("maxTimeTravelHours", "168")
    _check(call, dataset)
    return _save(call, row, dataset)


def _location(location: str) -> str:
    place = location.lower()
    check_place(place, PLACES)
    return place.upper() if place in PLACES else place


def _check(call: Call, dataset: Body) -> None:
    check_labels(dataset, "labels")
    rules.check(call, dataset, services.rules("bigquery")["dataset"])
    key = (dataset.get("defaultEncryptionConfiguration") or {}).get("kmsKeyName")
    check_key(call, key, dataset["location"], agent(call), "dataset")
    dataset["access"] = [_entry(call, dataset, entry) for entry in dataset.get("access") or []]


def _entry(call: Call, dataset: Body, entry: Body) -> Body:
    """An access entry as BigQuery keeps it. Raises 400."""
    named = [name for name in (*_WHO, *_WHAT) if entry.get(name)]
    if len(named) != 1:
        raise invalid(f"An access entry must have exactly one of {', '.join((*_WHO, *_WHAT))}, got {named}.")
    if named[0] in _WHAT:
        return entry
    normalized = dict(entry)
    member = str(normalized.get("iamMember", ""))
    kind, _, rest = member.partition(":")
    field = {"user": "userByEmail", "serviceAccount": "userByEmail", "group": "groupByEmail"}.get(kind)
    if field and not member.startswith("serviceAccount:" + call.project + ".svc.id.goog["):
        normalized.pop("iamMember")
        normalized[field] = rest
    if normalized.get("specialGroup") and normalized["specialGroup"] not in _SPECIAL:
        raise invalid(
            f"Invalid special group '{normalized['specialGroup']}': one of {', '.join(_SPECIAL)} is right."
        )
    _check_member(call, dataset, normalized)
    role = normalized.get("role", "")
    if role in _BASIC and not normalized.get("condition"):
        normalized["role"] = _BASIC[role]
    elif role not in _BASIC.values() and role not in _BASIC:
        _check_role(call, dataset, role)
    return normalized


def _check_member(call: Call, dataset: Body, entry: Body) -> None:
    email = entry.get("userByEmail", "")
    member = entry.get("iamMember") or (
        f"serviceAccount:{email}" if email.endswith("serviceaccount.com") else ""
    )
    if not member:
        return
    try:
        policy.check_member(call, member)
    except GoogleError as error:
        raise invalid(f"IAM setPolicy failed for Dataset {dataset['id']}: {error.message}") from None


def _check_role(call: Call, dataset: Body, role: str) -> None:
    if not role:
        raise invalid("Required parameter is missing: access.role", reason="required")
    custom = role.startswith(("projects/", "organizations/"))
    known = call.state.get(f"iam/{role}") is not None if custom else role_exists(role)
    if not known:
        raise invalid(
            f"IAM setPolicy failed for Dataset {dataset['id']}: Role {role} is not supported for this "
            "resource."
        )


@handles("bigquery.datasets.list")
def listing(call: Call) -> dict[str, Any]:
    """The project's datasets."""
    datasets = call.state.of("bigquery.datasets", f"bigquery/projects/{call.project}/datasets/")
    names = ("kind", "id", "datasetReference", "friendlyName", "labels", "location")
    entries = [{name: body[name] for name in names if name in body} for _, body in datasets]
    return {"kind": "bigquery#datasetList", **generic.page(call, entries, "datasets")}


@handles("bigquery.datasets.patch", "bigquery.datasets.update")
def change(call: Call) -> dict[str, Any]:
    """What can change of a dataset: a patch what it names, an update all."""
    before = dataset_of(call)
    body = {key: value for key, value in call.body.items() if key not in _OWN}
    etag = call.body.get("etag")
    if etag and etag != before["etag"]:
        raise stale("Precondition check failed.")
    dataset = merge(before, body)
    if call.method.verb == "PUT":
        dataset = {key: value for key, value in {**before, **body}.items() if value is not None}
        dataset = {key: value for key, value in dataset.items() if key in body or key not in _FIELDS}
        dataset.setdefault("access", before["access"])
    dataset["location"] = _location(dataset["location"])
    for field in _IMMUTABLE:
        if field == "location" and dataset[field] != before[field]:
            raise invalid(
                f"Cannot change location of dataset {before['id']} from {before[field]} to {dataset[field]}."
            )
    dataset["datasetReference"] = before["datasetReference"]
    _check(call, dataset)
    return _save(call, dataset_row(call), dataset)


@handles("bigquery.datasets.delete")
def delete(call: Call) -> dict[str, Any]:
    """A dataset goes; one with tables only by deleteContents."""
    body = dataset_of(call)
    row = dataset_row(call)
    if call.state.below(row) and not call.parameters.get("deleteContents"):
        raise GoogleError(
            400, "FAILED_PRECONDITION", f"Dataset {body['id']} is still in use", "resourceInUse"
        )
    call.state.delete(row)
    return {}


def _save(call: Call, row: str, body: Body) -> Body:
    body["lastModifiedTime"] = millis(call)
    body["etag"] = policy.etag(body)
    # Access is asked of policies, a dataset's access list among them.
    call.state.put_policy(row, {"version": 3, "bindings": _bindings(body)})
    return call.state.put(row, body)


def _bindings(dataset: Body) -> list[Body]:
    predefined = {basic: role for role, basic in _BASIC.items()}
    bindings: list[Body] = []
    for entry in dataset.get("access") or []:
        email = str(entry.get("userByEmail") or "")
        kind = "serviceAccount" if "gserviceaccount" in email else "user"
        group = entry.get("groupByEmail")
        member = entry.get("iamMember") or (f"{kind}:{email}" if email else f"group:{group}" if group else "")
        if member and entry.get("role"):
            condition = {"condition": entry["condition"]} if entry.get("condition") else {}
            role = predefined.get(entry["role"], entry["role"])
            bindings.append({"role": role, "members": [member], **condition})
    return bindings
