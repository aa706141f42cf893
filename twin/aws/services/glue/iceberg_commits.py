"""A new version of an Iceberg table in the Glue catalog: metadata made of updates, its file, the entry.

The metadata is PyIceberg's own model, so updates mean here what Iceberg's libraries mean by them. What Glue
is asked for by `UpdateOpenTableFormatInput` is turned into such updates; schemas evolve by the rules of the
Iceberg table spec, "Schema Evolution".
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from twin.aws.services.glue import iceberg
from twin.aws.services.glue.iceberg import InvalidIcebergError
from twin.iceberg import DECIMAL, schema_columns

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableUpdate

Params = Mapping[str, Any]

_NUMBER: Final = re.compile(r"(\d+)-")
_PROMOTIONS: Final = {("int", "long"), ("float", "double")}


@dataclass(frozen=True)
class Version:
    """A table's metadata and where it lies."""

    metadata: TableMetadata
    where: str


def current(backend: Any, of: str, name: str) -> Version:
    """The table's newest version. backend: moto's of Glue. Raises InvalidIcebergError where it has none."""
    from pyiceberg.table.metadata import TableMetadataUtil

    parameters: Params = entry(backend, of, name).get("Parameters") or {}
    where = str(parameters.get("metadata_location") or "")
    if str(parameters.get("table_type")).upper() != "ICEBERG" or not where:
        raise InvalidIcebergError(f"Input Glue table is not an iceberg table: {of}.{name}")
    bucket, _, key = where.partition("://")[2].partition("/")
    text = store(backend).get_object(bucket, key).value
    return Version(TableMetadataUtil.parse_raw(text.decode()), where)


def entry(backend: Any, of: str, name: str) -> dict[str, Any]:
    """What the catalog holds of a table."""
    table: Any = backend.databases[of].tables[name]
    return table.versions[str(table._current_version)]


def store(backend: Any) -> Any:
    """moto's S3 of the account."""
    from moto.s3.models import s3_backends

    return s3_backends[backend.account_id]["aws"]


def commit(backend: Any, of: str, name: str, before: Version, after: TableMetadata) -> str:
    """Write a version's file and make the catalog point to it. Answers where it lies."""
    where = next_file(backend, after, before.where, f"{of}/{name}")
    bucket, _, key = where.partition("://")[2].partition("/")
    store(backend).put_object(bucket, key, after.model_dump_json().encode())
    backend.update_table(of, name, pointed(entry(backend, of, name), after, where, before.where))
    return where


def pointed(table: Params, metadata: TableMetadata, where: str, before: str = "") -> dict[str, Any]:
    """The catalog's entry of a table (a TableInput) that reports of a version."""
    known = {**(table.get("Parameters") or {}), "table_type": "ICEBERG", "metadata_location": where}
    if before:
        known["previous_metadata_location"] = before
    descriptor = {
        **(table.get("StorageDescriptor") or {}),
        "Columns": iceberg.glue_columns(glue_schema(metadata)),
        "Location": metadata.location,
    }
    return {**table, "Parameters": known, "StorageDescriptor": descriptor}


def glue_schema(metadata: TableMetadata) -> dict[str, Any]:
    """A table's schema in Glue's words."""
    reported = json.loads(metadata.schema().model_dump_json())
    fields = [
        {"Id": f["id"], "Name": f["name"], "Required": f["required"], "Type": f["type"], "Doc": f.get("doc")}
        for f in reported["fields"]
    ]
    return {"Type": "struct", "SchemaId": reported["schema-id"], "Fields": fields}


def next_file(backend: Any, metadata: TableMetadata, before: str, name: str) -> str:
    """Where a table's next version goes, after the file `before`. name: the table's, with its database's."""
    match = _NUMBER.match(before.rsplit("/", 1)[-1])
    number = int(match[1]) + 1 if match else 0
    place = f"{backend.account_id}/{backend.region_name}/{name}/{number}"
    file = uuid.uuid5(uuid.NAMESPACE_URL, f"{place}/{before}/{time.time()}")
    return f"{metadata.location}/metadata/{number:05d}-{file}.metadata.json"


# What UpdateTable asks for


def evolved(before: TableMetadata, update_input: Params, where: str) -> TableMetadata:
    """The metadata after Glue's UpdateOpenTableFormatInput, of a table whose metadata lies at `where`.

    Raises InvalidIcebergError.
    """
    from pyiceberg.exceptions import ValidationError
    from pyiceberg.table.update import update_table_metadata

    metadata, applied = before, list["TableUpdate"]()
    try:
        for update in update_input["UpdateIcebergInput"]["UpdateIcebergTableInput"]["Updates"]:
            updates = tuple(_updates(metadata, update))
            metadata = update_table_metadata(metadata, updates)
            applied += updates
        return update_table_metadata(before, tuple(applied), enforce_validation=True, metadata_location=where)
    except (ValueError, ValidationError) as error:
        raise InvalidIcebergError(str(error)) from None


def _updates(table: TableMetadata, update_input: Params) -> Iterator[TableUpdate]:
    """One of Glue's updates: all that it names, or what its action is about."""
    from pyiceberg.table import update

    action = update_input.get("Action")
    if action not in (None, *_DEEDS):
        raise NotImplementedError(f"UpdateIcebergInput with the action {action}")
    about = set(_DEEDS.values()) if action is None else {_DEEDS[action]}
    wanted = {"Schema": update_input["Schema"], "PartitionSpec": update_input.get("PartitionSpec")}
    iceberg.check({name: value for name, value in wanted.items() if value is not None})
    if "Schema" in about:
        yield from _schema(table, update_input["Schema"], current=action != "add-schema")
    if "PartitionSpec" in about and update_input.get("PartitionSpec") is not None:
        yield from _spec(table, update_input["PartitionSpec"], default=action != "add-spec")
    if "SortOrder" in about and update_input.get("SortOrder") is not None:
        yield from _order(table, update_input["SortOrder"], default=action != "add-sort-order")
    location = str(update_input["Location"]).rstrip("/")
    if "Location" in about and location != table.location:
        yield update.SetLocationUpdate(location=location)
    if "Properties" in about and update_input.get("Properties"):
        yield update.SetPropertiesUpdate(updates=dict(update_input["Properties"]))
    if "Removals" in about and action and update_input.get("Properties"):
        yield update.RemovePropertiesUpdate(removals=list(update_input["Properties"]))


_DEEDS: Final = {
    "add-schema": "Schema",
    "set-current-schema": "Schema",
    "add-spec": "PartitionSpec",
    "set-default-spec": "PartitionSpec",
    "add-sort-order": "SortOrder",
    "set-default-sort-order": "SortOrder",
    "set-location": "Location",
    "set-properties": "Properties",
    "remove-properties": "Removals",
}


def _schema(table: TableMetadata, requested: Params, *, current: bool) -> Iterator[TableUpdate]:
    """A schema that the table has is taken, as Iceberg's libraries do; another one is added."""
    from pyiceberg.schema import Schema
    from pyiceberg.table import update

    reported = {
        "type": "struct",
        "schema-id": max(schema.schema_id for schema in table.schemas) + 1,
        "identifier-field-ids": list(requested.get("IdentifierFieldIds") or []),
        "fields": schema_columns(requested),
    }
    wanted = Schema.model_validate(reported)
    known = next((schema for schema in table.schemas if schema == wanted), None)
    if known is None:
        _evolves(table, wanted)
        yield update.AddSchemaUpdate(schema=wanted)
    if current:
        yield update.SetCurrentSchemaUpdate.model_validate({"schema-id": (known or wanted).schema_id})


def _evolves(table: TableMetadata, wanted: Schema) -> None:
    from pyiceberg.schema import index_by_id

    before, after = index_by_id(table.schema()), index_by_id(wanted)
    for id, field in after.items():
        old = before.get(id)
        if old is None:
            if id <= table.last_column_id:
                raise InvalidIcebergError(
                    f"Cannot add column {field.name} with id {id}: ids up to {table.last_column_id} were "
                    "given out before"
                )
            if field.required:
                raise InvalidIcebergError(
                    f"Incompatible change: cannot add required column without a default value: {field.name}"
                )
            continue
        if field.required and not old.required:
            raise InvalidIcebergError(f"Cannot change column nullability: {field.name}: optional -> required")
        if old.field_type.is_primitive or field.field_type.is_primitive:
            _promotes(field.name, str(old.field_type), str(field.field_type))


def _promotes(name: str, old: str, new: str) -> None:
    before, after = DECIMAL.fullmatch(old), DECIMAL.fullmatch(new)
    wider = before and after and before[2] == after[2] and int(before[1]) <= int(after[1])
    if old != new and (old, new) not in _PROMOTIONS and not wider:
        raise InvalidIcebergError(f"Cannot change column type: {name}: {old} -> {new}")


def _spec(table: TableMetadata, partition_spec: Params, *, default: bool) -> Iterator[TableUpdate]:
    """A field that the table had in a spec keeps its id (Iceberg table spec, "Partition Evolution")."""
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.table import update

    last = table.last_partition_id or 999
    ids = {(f.source_id, str(f.transform)): f.field_id for spec in table.partition_specs for f in spec.fields}
    fields: list[Params] = []
    for field in partition_spec["Fields"]:
        key = (int(field["SourceId"]), str(field["Transform"]))
        if key not in ids:
            last += 1
            ids[key] = last
        fields.append({"source-id": key[0], "transform": key[1], "name": field["Name"], "field-id": ids[key]})
    spec_id = max(spec.spec_id for spec in table.partition_specs) + 1
    wanted = PartitionSpec.model_validate({"spec-id": spec_id, "fields": fields})
    known = next((spec for spec in table.partition_specs if spec.fields == wanted.fields), None)
    if known is None:
        yield update.AddPartitionSpecUpdate(spec=wanted)
    if default:
        yield update.SetDefaultSpecUpdate.model_validate({"spec-id": (known or wanted).spec_id})


def _order(table: TableMetadata, sort_order: Params, *, default: bool) -> Iterator[TableUpdate]:
    from pyiceberg.table import update
    from pyiceberg.table.sorting import SortOrder

    fields = [
        {
            "source-id": int(field["SourceId"]),
            "transform": field["Transform"],
            "direction": field["Direction"],
            "null-order": field["NullOrder"],
        }
        for field in sort_order["Fields"]
    ]
    # 0 is the order of what is not sorted (Iceberg table spec, "Sorting").
    order_id = max([order.order_id for order in table.sort_orders], default=0) + 1 if fields else 0
    wanted = SortOrder.model_validate({"order-id": order_id, "fields": fields})
    known = next((order for order in table.sort_orders if order.fields == wanted.fields), None)
    if known is None:
        yield update.AddSortOrderUpdate.model_validate({"sort-order": wanted})
    if default:
        yield update.SetDefaultSortOrderUpdate.model_validate({"sort-order-id": (known or wanted).order_id})
