"""BigQuery: tables, views and BigLake tables of a dataset, and their IAM policies."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import GoogleError, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.iam import policy as iam_policy
from twin.gcp.methods import generic, handles, rules
from twin.gcp.methods.cmek import check_key
from twin.gcp.services.bigquery.operations.datasets import (
    agent,
    dataset_of,
    dataset_row,
    duplicate,
    millis,
    missing,
)
from twin.gcp.services.bigquery.validation import check_change, check_fields, check_layout
from twin.gcp.services.compute.operations.generic import check_labels, merge

_OWN: Final = frozenset(
    {"kind", "id", "etag", "selfLink", "creationTime", "lastModifiedTime", "type", "numBytes", "numRows"}
    | {"numLongTermBytes", "location"}
)
_LETTERS: Final = ("L", "M", "N", "Pc", "Pd", "Zs")
"""Unicode categories of a table id. Source: "Create and use tables: Table naming"."""
_KEPT: Final = frozenset({"tableReference", "schema", "encryptionConfiguration", "biglakeConfiguration"})
"""What an update that leaves them out does not clear."""
_CONNECTION: Final = re.compile(
    r"(?:projects/)?([^/.]+)[./](?:locations/)?([^/.]+)[./](?:connections/)?([^/.]+)"
)
_URI: Final = re.compile(r"gs://([^/]+)/.*")


def table_row(call: Call, table: str = "") -> str:
    """The row of a table of the path's dataset."""
    return f"{dataset_row(call)}/tables/{table or call.parameters['tableId']}"


@handles("bigquery.tables.get")
def table_of(call: Call) -> Body:
    """The path's table. Raises 404."""
    dataset_of(call)
    row = table_row(call)
    table = call.state.get(row)
    if table is None:
        raise missing("Table", _full_id(row))
    return table


def _full_id(row: str) -> str:
    parts = row.split("/")
    return f"{parts[2]}:{parts[4]}.{parts[6]}"


@handles("bigquery.tables.insert")
def insert(call: Call) -> dict[str, Any]:
    """A table, a view, or a table over files."""
    dataset = dataset_of(call)
    name = (call.body.get("tableReference") or {}).get("tableId", "")
    if not name:
        raise invalid("Required parameter is missing: tableReference.tableId", reason="required")
    if len(name.encode()) > 1024 or not all(
        unicodedata.category(letter).startswith(_LETTERS) for letter in name
    ):
        raise invalid(
            f'Invalid table ID "{name}". Table IDs must be alphanumeric (plus underscores, dashes and '
            "spaces) and must be at most 1024 bytes long."
        )
    row = table_row(call, name)
    if call.state.get(row) is not None:
        raise duplicate("Table", _full_id(row))
    table: Body = {
        **{key: value for key, value in call.body.items() if key not in _OWN},
        "kind": "bigquery#table",
        "id": _full_id(row),
        "tableReference": {
            "projectId": call.project,
            "datasetId": call.parameters["datasetId"],
            "tableId": name,
        },
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{row.partition('/')[2]}",
        "creationTime": millis(call),
        "location": dataset["location"],
        "numBytes": "0",
        "numLongTermBytes": "0",
        "numRows": "0",
        "type": _kind(call.body),
    }
    key = dataset.get("defaultEncryptionConfiguration")
    if key and table["type"] == "TABLE":
        table.setdefault("encryptionConfiguration", dict(key))
    _check(call, dataset, table)
    return _save(call, row, table)


def _kind(body: Body) -> str:
    kinds = {"view": "VIEW", "materializedView": "MATERIALIZED_VIEW", "externalDataConfiguration": "EXTERNAL"}
    return next((kind for field, kind in kinds.items() if body.get(field)), "TABLE")


def _check(call: Call, dataset: Body, table: Body) -> None:
    check_labels(table, "labels")
    rules.check(call, table, services.rules("bigquery")["table"])
    fields = (table.get("schema") or {}).get("fields")
    if fields is not None:
        table["schema"]["fields"] = check_fields(call, fields, dataset["location"])
    check_layout(table, fields or [])
    key = (table.get("encryptionConfiguration") or {}).get("kmsKeyName")
    if key:
        check_key(call, key.partition("/cryptoKeyVersions/")[0], dataset["location"], agent(call), "table")
    config = table.get("biglakeConfiguration")
    if config:
        account = _connection(call, dataset, config, "biglakeConfiguration.connectionId")
        _bucket(call, dataset, str(config.get("storageUri", "")), account)
    source = table.get("externalDataConfiguration")
    if source:
        _check_source(call, dataset, source)
    _check_constraints(table, fields or [])


def _check_constraints(table: Body, fields: list[Body]) -> None:
    known = {field["name"].lower() for field in fields}
    for column in ((table.get("tableConstraints") or {}).get("primaryKey") or {}).get("columns") or []:
        if column.lower() not in known:
            raise invalid(f"Primary key column {column} is not found in the schema.")


def _check_source(call: Call, dataset: Body, source: Body) -> None:
    uris: list[str] = source.get("sourceUris") or []
    account = ""
    if source.get("connectionId"):
        account = _connection(call, dataset, source, "externalDataConfiguration.connectionId")
    for uri in uris:
        if uri.startswith("gs://"):
            _bucket(call, dataset, uri, account)


def _connection(call: Call, dataset: Body, config: Body, path: str) -> str:
    """The account of the connection that a table reaches its files by. Raises 400 or 404."""
    connection_id = str(config.get("connectionId", ""))
    match = _CONNECTION.fullmatch(connection_id)
    if not match:
        raise invalid(f"Invalid value for {path}: '{connection_id}': PROJECT.LOCATION.CONNECTION is right.")
    project, place, name = match.groups()
    if place.lower() != dataset["location"].lower():
        raise invalid(
            f"The connection {connection_id} is in location {place}, the dataset in "
            f"{dataset['location'].lower()}: they must be in the same."
        )
    row = f"bigqueryconnection/projects/{call.project}/locations/{place.lower()}/connections/{name}"
    body = call.need(row, f"Not found: Connection {connection_id}")
    account = (body.get("cloudResource") or {}).get("serviceAccountId", "")
    if not account:
        raise invalid(f"Connection {connection_id} is no CLOUD_RESOURCE connection.")
    config["connectionId"] = f"{project}.{place.lower()}.{name}"
    return account


def _bucket(call: Call, dataset: Body, uri: str, account: str) -> None:
    match = _URI.fullmatch(uri)
    if not match:
        raise invalid(f"Invalid storage URI '{uri}': gs://BUCKET/PATH is right.")
    bucket = call.need(f"storage/b/{match[1]}", f"Not found: URI {uri}")
    place = dataset["location"].lower()
    if place not in ("us", "eu") and bucket["location"].lower() != place:
        raise invalid(
            f"Cannot read and write in different locations: source: {bucket['location'].lower()}, "
            f"destination: {place}"
        )
    member = f"serviceAccount:{account}"
    allowed = call.server.identity.allowed
    if account and not allowed(member, "storage.objects.get", f"storage/b/{bucket['name']}"):
        raise GoogleError(
            403,
            "PERMISSION_DENIED",
            f"Access Denied: BigQuery BigQuery: Permission denied while globbing file pattern. {account} "
            "does not have storage.objects.get access to the Google Cloud Storage object.",
            "accessDenied",
        )


@handles("bigquery.tables.list")
def listing(call: Call) -> dict[str, Any]:
    """The tables of a dataset."""
    dataset_of(call)
    tables = call.state.of("bigquery.tables", f"{dataset_row(call)}/tables/")
    names = (
        "kind",
        "id",
        "tableReference",
        "type",
        "labels",
        "creationTime",
        "clustering",
        "timePartitioning",
    )
    entries = [{name: body[name] for name in names if name in body} for _, body in tables]
    answer = {"kind": "bigquery#tableList", **generic.page(call, entries, "tables")}
    return {**answer, "totalItems": len(tables)}


@handles("bigquery.tables.patch", "bigquery.tables.update")
def change(call: Call) -> dict[str, Any]:
    """What can change of a table: a patch what it names, an update all."""
    before = table_of(call)
    body = {key: value for key, value in call.body.items() if key not in _OWN}
    if call.method.verb == "PATCH":
        table = merge(before, body)
    else:
        preserved = {key: value for key, value in before.items() if key in _OWN or key in _KEPT}
        table = {**preserved, **{key: value for key, value in body.items() if value is not None}}
    table["tableReference"] = before["tableReference"]
    _check_kept(before, table)
    dataset = dataset_of(call)
    _check(call, dataset, table)
    columns = (before.get("schema") or {}).get("fields") or []
    check_change(_full_id(table_row(call)), columns, (table.get("schema") or {}).get("fields") or [])
    return _save(call, table_row(call), table)


def _check_kept(before: Body, table: Body) -> None:
    for field in ("timePartitioning", "rangePartitioning"):
        was, now = before.get(field) or {}, table.get(field) or {}
        if (bool(was), was.get("field"), was.get("type")) != (bool(now), now.get("field"), now.get("type")):
            raise invalid(
                "Cannot convert or change partitioning spec of table "
                f"{before['id']}: {field} of an existing table stays."
            )
    if before.get("biglakeConfiguration") != table.get("biglakeConfiguration"):
        raise invalid(f"Cannot change biglakeConfiguration of table {before['id']}.")
    if _kind(before) != _kind(table):
        raise invalid(f"Cannot change table {before['id']} from {_kind(before)} to {_kind(table)}.")


@handles("bigquery.tables.delete")
def delete(call: Call) -> dict[str, Any]:
    """A table goes, with its rows and policies."""
    table_of(call)
    call.state.delete(table_row(call))
    return {}


@handles("bigquery.tables.getIamPolicy", "bigquery.tables.setIamPolicy", "bigquery.tables.testIamPermissions")
def policy(call: Call) -> dict[str, Any]:
    """Access to a table."""
    row = f"bigquery/{call.parameters['resource']}"
    if call.state.get(row) is None:
        raise missing("Table", _full_id(row))
    return generic.policy(call, row)


def _save(call: Call, row: str, body: Body) -> Body:
    body["lastModifiedTime"] = millis(call)
    body["etag"] = iam_policy.etag(body)
    return call.state.put(row, body)
