"""Glue's catalog: databases, tables and what keeps Iceberg tables small."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call, Update
from twin.aws.resources.fields import Field, Fields, has_unknown, kept, pascal, same, to_api
from twin.aws.resources.tags import Tagging
from twin.aws.services.glue import iceberg
from twin.provider_interface import UNKNOWN, AutoName, Failure, Props

_GONE: Final = frozenset({"EntityNotFoundException"})
_MANAGED: Final = ("table_type", "metadata_location")
"""Parameters of an Iceberg table that Iceberg owns; the provider does not show them."""
_PRINCIPAL: Final[Fields] = {"dataLakePrincipalIdentifier": Field("DataLakePrincipalIdentifier")}


class CatalogDatabase(AwsResource):
    token = "aws:glue/catalogDatabase:CatalogDatabase"
    service = "glue"
    title = "Glue Catalog Database"
    fields = {
        "catalogId": Field("CatalogId"),
        "name": Field("DatabaseInput.Name", read="Name"),
        "description": Field("DatabaseInput.Description", read="Description"),
        "locationUri": Field("DatabaseInput.LocationUri", read="LocationUri"),
        "parameters": Field("DatabaseInput.Parameters", read="Parameters"),
        "createTableDefaultPermissions": Field(
            "DatabaseInput.CreateTableDefaultPermissions",
            read="CreateTableDefaultPermissions",
            of={"permissions": Field("Permissions"), "principal": Field("Principal", of=_PRINCIPAL)},
        ),
        "targetDatabase": Field(
            "DatabaseInput.TargetDatabase",
            read="TargetDatabase",
            of=pascal("catalogId", "databaseName", "region"),
        ),
        "federatedDatabase": Field(
            "DatabaseInput.FederatedDatabase",
            read="FederatedDatabase",
            of=pascal("connectionName", "identifier"),
        ),
    }
    create_call = Call("CreateDatabase", {"CatalogId": "{account}"})
    read_call = Call("GetDatabase", {"CatalogId": "{catalogId}", "Name": "{name}"})
    item = "Database"
    id_form = "{catalogId}:{name}"
    arn_form = "arn:{partition}:glue:{region}:{account}:database/{name}"
    not_found = _GONE
    delete_call = Call("DeleteDatabase", {"CatalogId": "{catalogId}", "Name": "{name}"})
    tagging = Tagging(
        create="Tags",
        key="",
        value="",
        listing=Call("GetTags", {"ResourceArn": "arn:{partition}:glue:{region}:{account}:database/{name}"}),
        listed="Tags",
        add=Call(
            "TagResource",
            {
                "ResourceArn": "arn:{partition}:glue:{region}:{account}:database/{name}",
                "TagsToAdd": "{tags}",
            },
        ),
        remove=Call(
            "UntagResource",
            {
                "ResourceArn": "arn:{partition}:glue:{region}:{account}:database/{name}",
                "TagsToRemove": "{keys}",
            },
        ),
    )
    autoname = AutoName(lower=True)
    computed = frozenset({"name"})
    immutable = frozenset({"targetDatabase", "federatedDatabase"})
    paths = {
        "AlreadyExistsException": "name",
        "InvalidInputException: Database name": "name",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _lower_case(inputs)

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return f"{inputs.get('catalogId') or context.account}:{inputs['name']}"

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        if self.changed(old, new):
            # UpdateDatabase takes the whole; what the program leaves to Glue stays.
            wanted = {**self._inherited(old, new), **{k: v for k, v in new.items() if v is not None}}
            params = to_api(self.fields, {**wanted, "catalogId": None})
            given = {"CatalogId": old["catalogId"], "Name": old["name"], **params}
            context.call("glue", "UpdateDatabase", given)


_COLUMN: Final[Fields] = pascal("name", "type", "comment", "parameters")
_DESCRIPTOR: Final[Fields] = {
    **pascal("additionalLocations", "bucketColumns", "compressed", "inputFormat", "location"),
    **pascal("numberOfBuckets", "outputFormat", "parameters", "storedAsSubDirectories"),
    "columns": Field("Columns", of=_COLUMN),
    "serDeInfo": Field("SerdeInfo", of=pascal("name", "parameters", "serializationLibrary")),
    "sortColumns": Field("SortColumns", of=pascal("column", "sortOrder")),
    "skewedInfo": Field(
        "SkewedInfo",
        of={
            "skewedColumnNames": Field("SkewedColumnNames"),
            "skewedColumnValues": Field("SkewedColumnValues"),
            "skewedColumnValueLocationMaps": Field("SkewedColumnValueLocationMaps"),
        },
    ),
    "schemaReference": Field(
        "SchemaReference",
        of={
            **pascal("schemaVersionId", "schemaVersionNumber"),
            "schemaId": Field("SchemaId", of=pascal("registryName", "schemaArn", "schemaName")),
        },
    ),
}


def _document(value: Any) -> Any:
    """What a JSON text says; the text itself where it is none, which `rules` refuses."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


_SCHEMA_FIELD: Final[Fields] = {
    **pascal("id", "name", "required", "doc"),
    "type": Field("Type", encode=_document),
    "initialDefault": Field("InitialDefault", encode=_document),
    "writeDefault": Field("WriteDefault", encode=_document),
}
_ICEBERG: Final[Fields] = {
    **pascal("location", "properties"),
    "schema": Field(
        "Schema",
        of={
            **pascal("schemaId", "identifierFieldIds", "type"),
            "fields": Field("Fields", of=_SCHEMA_FIELD),
        },
    ),
    "partitionSpec": Field(
        "PartitionSpec",
        of={
            **pascal("specId"),
            "fields": Field("Fields", of=pascal("fieldId", "name", "sourceId", "transform")),
        },
    ),
    "sortOrder": Field(
        "WriteOrder",
        of={
            **pascal("orderId"),
            "fields": Field("Fields", of=pascal("direction", "nullOrder", "sourceId", "transform")),
        },
    ),
}
_OPEN: Final = "openTableFormatInput"
_PLAIN: Final = frozenset(
    {"description", "owner", "parameters", "partitionKeys", "retention", "storageDescriptor", "tableType"}
    | {"targetTable", "viewExpandedText", "viewOriginalText"}
)
"""What TableInput carries: only for tables that icebergTableInput does not declare."""


class CatalogTable(AwsResource):
    token = "aws:glue/catalogTable:CatalogTable"
    service = "glue"
    title = "Glue Catalog Table"
    fields = {
        "catalogId": Field("CatalogId"),
        "databaseName": Field("DatabaseName"),
        "name": Field("TableInput.Name", read="Name"),
        _OPEN: Field(
            "OpenTableFormatInput",
            read="",
            of={
                "icebergInput": Field(
                    "IcebergInput",
                    of={
                        **pascal("metadataOperation", "version"),
                        "icebergTableInput": Field("CreateIcebergTableInput", of=_ICEBERG),
                    },
                )
            },
        ),
        "partitionIndices": Field("PartitionIndexes", read="", of=pascal("indexName", "keys")),
        "storageDescriptor": Field("TableInput.StorageDescriptor", read="StorageDescriptor", of=_DESCRIPTOR),
        "partitionKeys": Field("TableInput.PartitionKeys", read="PartitionKeys", of=_COLUMN),
        "targetTable": Field(
            "TableInput.TargetTable",
            read="TargetTable",
            of=pascal("catalogId", "databaseName", "name", "region"),
        ),
        **{
            name: Field(f"TableInput.{name[0].upper()}{name[1:]}", read=f"{name[0].upper()}{name[1:]}")
            for name in sorted(_PLAIN - {"storageDescriptor", "partitionKeys", "targetTable"})
        },
        **kept("viewDefinition"),
    }
    create_call = Call("CreateTable", {"CatalogId": "{account}"})
    read_call = Call(
        "GetTable", {"CatalogId": "{catalogId}", "DatabaseName": "{databaseName}", "Name": "{name}"}
    )
    item = "Table"
    id_form = "{catalogId}:{databaseName}:{name}"
    arn_form = "arn:{partition}:glue:{region}:{account}:table/{databaseName}/{name}"
    not_found = _GONE
    delete_call = Call(
        "DeleteTable", {"CatalogId": "{catalogId}", "DatabaseName": "{databaseName}", "Name": "{name}"}
    )
    autoname = AutoName(lower=True)
    computed = frozenset({"name"})
    immutable = frozenset(
        {"catalogId", "databaseName", "name", "partitionIndices", "region", "targetTable"}
        | {f"{_OPEN}.icebergInput.metadataOperation", f"{_OPEN}.icebergInput.version"}
    )
    paths = {
        "AlreadyExistsException": "name",
        "EntityNotFoundException: Database": "databaseName",
        "InvalidInputException: Table name": "name",
        "InvalidInputException: Cannot write": f"{_OPEN}.icebergInput.icebergTableInput.location",
        "InvalidInputException: Location": f"{_OPEN}.icebergInput.icebergTableInput.location",
        "InvalidInputException: Failed to create Iceberg": f"{_OPEN}.icebergInput.icebergTableInput",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        yield from _lower_case(inputs)
        table = _iceberg_input(inputs)
        if table is None or has_unknown(table.get("schema")):
            return
        where = f"{_OPEN}.icebergInput.icebergTableInput"
        faults = list(_not_json(table, where))
        yield from faults
        if faults or has_unknown(table.get("partitionSpec")) or has_unknown(table.get("sortOrder")):
            return
        try:
            iceberg.check(to_api(_ICEBERG, table))
        except iceberg.InvalidIcebergError as error:
            yield Failure(where, str(error))
        except (KeyError, TypeError, ValueError):
            return  # a member is missing or of another type: the model tells which

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        if _iceberg_input(inputs) is None:
            return super().create_params(context, inputs)
        rest = {name: value for name, value in inputs.items() if name not in _PLAIN | {"name"}}
        # Glue takes a name in place of the TableInput: "CreateIcebergTableInput" says all the rest.
        return {**super().create_params(context, rest), "Name": inputs.get("name", UNKNOWN)}

    def made_id(self, context: AwsContext, answer: Props, inputs: Props) -> str:
        return f"{inputs.get('catalogId') or context.account}:{inputs['databaseName']}:{inputs['name']}"

    def outputs(self, context: AwsContext, id: str, item: Any, state: Props) -> Props:
        parameters = dict(item.get("Parameters") or {})
        if parameters.get("table_type") == "ICEBERG":
            for name in _MANAGED:
                parameters.pop(name, None)
        return super().outputs(context, id, {**item, "Parameters": parameters}, state)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        if not changed:
            return
        wanted = {**self._inherited(old, new), **{k: v for k, v in new.items() if v is not None}}
        place = {"CatalogId": old["catalogId"], "DatabaseName": old["databaseName"]}
        if _OPEN in changed and _iceberg_input(new) is not None:
            update = to_api(_ICEBERG, _iceberg_input(new) or {})
            update["SortOrder"] = update.pop("WriteOrder", None)
            updates = [{name: value for name, value in update.items() if value is not None}]
            asked = {"UpdateIcebergInput": {"UpdateIcebergTableInput": {"Updates": updates}}}
            given = {**place, "Name": old["name"], "UpdateOpenTableFormatInput": asked}
        else:
            input = to_api({name: self.fields[name] for name in _PLAIN | {"name"}}, wanted)["TableInput"]
            present = (self.find(context, id, old) or {}).get("Parameters") or {}
            managed = {name: present[name] for name in _MANAGED if present.get("table_type") == "ICEBERG"}
            input["Parameters"] = {**(input.get("Parameters") or {}), **managed}
            given = {**place, "TableInput": input}
        context.call("glue", "UpdateTable", given)


def _iceberg_input(inputs: Mapping[str, Any]) -> Props | None:
    value: Any = inputs
    for name in (_OPEN, "icebergInput", "icebergTableInput"):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def _not_json(table: Mapping[str, Any], where: str) -> Iterator[Failure]:
    fields: Any = (table.get("schema") or {}).get("fields") or []
    for index, field in enumerate(fields):
        for name in ("type", "initialDefault", "writeDefault"):
            value = field.get(name)
            if isinstance(value, str) and isinstance(_document(value), str) and value.strip()[:1] != '"':
                yield Failure(
                    f"{where}.schema.fields[{index}].{name}",
                    f'"{name}" contains an invalid JSON: {value!r}; {json.dumps(value)} would be right',
                )


def _lower_case(inputs: Props) -> Iterator[Failure]:
    name = inputs.get("name")
    if isinstance(name, str) and name != name.lower():
        yield Failure("name", f"uppercase characters cannot be used: {name!r}")


_OPTIMIZED: Final[Fields] = {
    "roleArn": Field("roleArn"),
    "enabled": Field("enabled"),
    "compactionConfiguration": Field(
        "compactionConfiguration",
        of={
            "icebergConfiguration": Field(
                "icebergConfiguration", of=same("strategy", "minInputFiles", "deleteFileThreshold")
            )
        },
    ),
    "retentionConfiguration": Field(
        "retentionConfiguration",
        of={
            "icebergConfiguration": Field(
                "icebergConfiguration",
                of={
                    **same("snapshotRetentionPeriodInDays", "numberOfSnapshotsToRetain"),
                    **same("cleanExpiredFiles", "runRateInHours"),
                },
            )
        },
    ),
    "orphanFileDeletionConfiguration": Field(
        "orphanFileDeletionConfiguration",
        of={
            "icebergConfiguration": Field(
                "icebergConfiguration",
                of=same("orphanFileRetentionPeriodInDays", "location", "runRateInHours"),
            )
        },
    ),
}
_OPTIMIZER: Final = {
    "CatalogId": "{catalogId}",
    "DatabaseName": "{databaseName}",
    "TableName": "{tableName}",
    "Type": "{type}",
}


class CatalogTableOptimizer(AwsResource):
    token = "aws:glue/catalogTableOptimizer:CatalogTableOptimizer"
    service = "glue"
    title = "Glue Catalog Table Optimizer"
    fields = {
        **{
            name: Field(name[0].upper() + name[1:], read="")
            for name in ("catalogId", "databaseName", "tableName", "type")
        },
        "configuration": Field(
            "TableOptimizerConfiguration", read="TableOptimizer.configuration", of=_OPTIMIZED
        ),
    }
    create_call = Call("CreateTableOptimizer")
    read_call = Call("GetTableOptimizer", _OPTIMIZER)
    id_form = "{catalogId},{databaseName},{tableName},{type}"
    not_found = _GONE
    updates = (
        Update(
            ("configuration",),
            Call("UpdateTableOptimizer", {**_OPTIMIZER, "TableOptimizerConfiguration": "{configuration}"}),
        ),
    )
    delete_call = Call("DeleteTableOptimizer", _OPTIMIZER)
    paths = {
        "EntityNotFoundException: Database": "databaseName",
        "EntityNotFoundException: Table": "tableName",
        "AlreadyExistsException": "type",
        "InvalidInputException: The role": "configuration.roleArn",
        "InvalidInputException: RoleArn": "configuration.roleArn",
        "InvalidInputException": "configuration",
    }

    def describe(self, props: Props, id: str = "") -> str:
        return id or str(props.get("tableName") or "")
