"""BigLake metastore's Iceberg REST catalogs: tables, whose metadata is in the bucket as Iceberg has it."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, Final

from twin import iceberg
from twin.gcp.api_server.errors import GoogleError, denied, exists, invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles
from twin.gcp.services.biglake.operations.catalogs import (
    CATALOGS,
    bucket_at,
    catalog_of,
    namespace_of,
    namespace_row,
    within,
)
from twin.gcp.services.biglake.permissions import vended
from twin.gcp.services.storage.operations.objects import store

_TABLES: Final = f"{CATALOGS}.namespaces.tables"
_PROPERTIES: Final = {"write.parquet.compression-codec": "zstd"}
"""What a table has without being answered."""


@handles(f"{_TABLES}.create")
def create(call: Call) -> dict[str, Any]:
    """A table with its first metadata file."""
    catalog, namespace = catalog_of(call), namespace_of(call)
    name = str(call.body.get("name") or "")
    if not name or "/" in name:
        raise invalid(f"Invalid table name: '{name}'")
    row = f"{namespace_row(call)}/tables/{name}"
    if call.state.get(row) is not None:
        raise exists(f"Table already exists: {namespace['namespace'][0]}.{name}")
    root = namespace["properties"]["location"].rstrip("/")
    location = str(call.body.get("location") or f"{root}/{name}").rstrip("/")
    if not within(location, root):
        raise invalid(f"The location '{location}' of a table must be below that of its namespace, '{root}'.")
    declared = declaration({**call.body, "location": f"{location}/{secrets.token_hex(8)}"})
    try:
        iceberg.check(declared)
    except iceberg.InvalidIcebergError as error:
        raise invalid(f"Malformed request: {error}") from None
    version = int(declared["Properties"].pop("format-version", 2))
    metadata = iceberg.metadata(declared, version, row, call.at)
    metadata["properties"] = {**_PROPERTIES, **metadata["properties"]}
    return _load_result(call, catalog, row, _store(call, catalog, row, metadata))


def declaration(table: Mapping[str, Any]) -> dict[str, Any]:
    """A CreateTableRequest of the REST catalog in the words of `twin.iceberg`."""
    schema = table.get("schema") or {}
    spec, order = table.get("partition-spec") or {}, table.get("write-order") or {}
    declaration: dict[str, Any] = {
        "Location": table["location"],
        "Properties": dict(table.get("properties") or {}),
        "Schema": {
            "SchemaId": 0,
            "IdentifierFieldIds": schema.get("identifier-field-ids") or [],
            "Fields": [_column(field) for field in schema.get("fields") or []],
        },
    }
    if spec.get("fields"):
        declaration["PartitionSpec"] = {
            "Fields": [
                _renamed(field, "name", "source-id", "transform", "field-id") for field in spec["fields"]
            ]
        }
    if order.get("fields"):
        declaration["WriteOrder"] = {
            "OrderId": order.get("order-id"),
            "Fields": [
                _renamed(field, "source-id", "transform", "direction", "null-order")
                for field in order["fields"]
            ],
        }
    return declaration


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    missing = [name for name in ("id", "name", "type") if field.get(name) in (None, "")]
    if missing:
        raise invalid(f"Malformed request: Cannot parse missing {missing[0]} of a field: {dict(field)}")
    return {**_renamed(field, "id", "name", "type", "doc"), "Required": bool(field.get("required"))}


def _renamed(field: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Values of a field under their names in `twin.iceberg`: `SourceId` for `source-id`."""
    return {name.title().replace("-", ""): field.get(name) for name in names}


def _store(call: Call, catalog: Body, row: str, metadata: dict[str, Any]) -> Body:
    """Store a version of the metadata in the bucket, and where it is in the catalog."""
    bucket = bucket_at(call, metadata["location"])
    _check_rights(call, catalog, bucket)
    count = len(metadata.get("metadata-log") or [])
    path = f"{metadata['location']}/metadata/{count:05d}-{uuid.uuid4()}.metadata.json"
    object_name = path.removeprefix(f"gs://{bucket['name']}/")
    media = json.dumps(metadata).encode()
    store(call, bucket, object_name, media, {"contentType": "application/json"})
    resource: Body = {"name": row.rpartition("/")[2], "metadata-location": path, "metadata": metadata}
    return call.state.put(row, resource)


def _check_rights(call: Call, catalog: Body, bucket: Body) -> None:
    """Who writes the file may: the catalog's account where it vends credentials, else the caller."""
    account = catalog.get("biglake-service-account")
    vended = catalog["credential-mode"] == "CREDENTIAL_MODE_VENDED_CREDENTIALS"
    member = f"serviceAccount:{account}" if vended and account else call.principal
    identity = call.server.identity
    if member == identity.deployer:
        return
    if not identity.allowed(member, "storage.objects.create", f"storage/b/{bucket['name']}"):
        raise denied(
            f"{member.partition(':')[2]} does not have storage.objects.create access to the Google Cloud "
            f"Storage bucket {bucket['name']}. Permission 'storage.objects.create' denied on resource (or it "
            "may not exist).",
        )


def _load_result(call: Call, catalog: Body, row: str, body: Body) -> Body:
    return {**_committed(body), **vended(call, catalog, row, body)}


def table_row(call: Call) -> str:
    """The row of the path's table."""
    return f"{namespace_row(call)}/tables/{call.parameters['table']}"


def _table(call: Call) -> Body:
    name = f"{namespace_of(call)['namespace'][0]}.{call.parameters['table']}"
    return call.need(table_row(call), f"Table does not exist: {name}")


@handles(f"{_TABLES}.get")
def get(call: Call) -> dict[str, Any]:
    """A table's metadata, with credentials for its files where a client asks for them."""
    return _load_result(call, catalog_of(call), table_row(call), _table(call))


@handles(f"{_TABLES}.list")
def listing(call: Call) -> dict[str, Any]:
    """The tables of a namespace."""
    namespace = namespace_of(call)["namespace"]
    tables = call.state.of("biglake.tables", f"{namespace_row(call)}/tables/")
    return {"identifiers": [{"namespace": namespace, "name": body["name"]} for _, body in tables]}


@handles(f"{_TABLES}.commit")
def commit(call: Call) -> dict[str, Any]:
    """Changes of a table's metadata, under what they require."""
    body = _table(call)
    updates: list[Body] = call.body.get("updates") or []
    if updates:
        metadata = changed(body["metadata"], call.body.get("requirements") or [], updates)
        body = write(call, table_row(call), body, metadata)
    return _committed(body)


def _committed(body: Body) -> Body:
    return {"metadata-location": body["metadata-location"], "metadata": body["metadata"]}


def write(call: Call, row: str, before: Body, metadata: Body) -> Body:
    """The table with another version of its metadata."""
    metadata["metadata-log"] = [
        *(before["metadata"].get("metadata-log") or []),
        {
            "metadata-file": before["metadata-location"],
            "timestamp-ms": before["metadata"]["last-updated-ms"],
        },
    ]
    metadata["last-updated-ms"] = int(call.at * 1000)
    catalog = call.need(row.partition("/namespaces/")[0])
    return _store(call, catalog, row, metadata)


def changed(metadata: Body, requirements: list[Body], updates: list[Body]) -> Body:
    """The metadata after a commit, by PyIceberg's own rules. Raises 400 and 409."""
    from pydantic import TypeAdapter, ValidationError
    from pyiceberg.exceptions import CommitFailedException
    from pyiceberg.table.metadata import TableMetadataUtil
    from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

    base = TableMetadataUtil.parse_obj(metadata)
    try:
        needs = TypeAdapter(list[TableRequirement]).validate_python(requirements)
        wanted = TypeAdapter(list[TableUpdate]).validate_python(updates)
        for requirement in needs:
            requirement.validate(base)
        after = update_table_metadata(base, tuple(wanted))
    except CommitFailedException as error:
        raise GoogleError(409, "ABORTED", f"Commit failed: {error}", "conflict") from None
    except (ValidationError, ValueError) as error:
        raise invalid(f"Malformed request: {error}") from None
    return json.loads(after.model_dump_json())


@handles(f"{_TABLES}.delete")
def delete(call: Call) -> dict[str, Any]:
    """A table goes; its files stay unless purgeRequested says otherwise."""
    body = _table(call)
    if call.parameters.get("purgeRequested"):
        from urllib.parse import quote

        bucket = bucket_at(call, body["metadata"]["location"])["name"]
        folder = body["metadata"]["location"].removeprefix(f"gs://{bucket}/") + "/"
        for row, _ in call.state.of("storage.o", f"storage/b/{bucket}/o/{quote(folder, safe='')}"):
            call.state.delete(row)
    call.state.delete(table_row(call))
    return {}
