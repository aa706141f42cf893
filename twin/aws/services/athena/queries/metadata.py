"""Athena's own view of Glue's catalog: databases and tables' metadata, in the caller's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.request import Refusal

Params = dict[str, Any]
CATALOG: Final = "awsdatacatalog"


def table(params: Params, inside: Inside) -> Params:
    """GetTableMetadata."""
    _catalog(params)
    response = _glue(
        inside, "get_table", DatabaseName=params["DatabaseName"].lower(), Name=params["TableName"].lower()
    )
    return {"TableMetadata": _table_metadata(response["Table"])}


def catalog(params: Params, _: Inside) -> Params:
    """GetDataCatalog, of the one that every account has."""
    _catalog({"CatalogName": params["Name"]})
    return {
        "DataCatalog": {"Name": "AwsDataCatalog", "Description": "", "Type": "GLUE", "Parameters": {}},
    }


def _catalog(params: Params) -> None:
    name = str(params.get("CatalogName") or "")
    if name.lower() != CATALOG:
        raise Refusal(
            "InvalidRequestException", f"Data catalog {name} was not found: AwsDataCatalog is there"
        )


def _glue(inside: Inside, operation: str, **params: Any) -> Params:
    try:
        return inside.call("glue", operation, **params)
    except Refusal as error:
        text = f"{error.message} (Service: AmazonDataCatalog; Status Code: 400; Error Code: {error.code})"
        raise Refusal("MetadataException", text) from None


def _table_metadata(table: Params) -> Params:
    descriptor = table.get("StorageDescriptor") or {}
    result = {
        "Name": table["Name"],
        "TableType": table.get("TableType", ""),
        "Columns": [_column(column) for column in descriptor.get("Columns") or []],
        "PartitionKeys": [_column(partition_key) for partition_key in table.get("PartitionKeys") or []],
        "Parameters": {
            **(table.get("Parameters") or {}),
            **{
                name: str(value)
                for name, value in (
                    ("inputformat", descriptor.get("InputFormat")),
                    ("outputformat", descriptor.get("OutputFormat")),
                    ("location", descriptor.get("Location")),
                )
                if value
            },
        },
    }
    created = table.get("CreateTime")
    return {**result, "CreateTime": created.timestamp()} if created else result


def _column(column: Params) -> Params:
    result = {"Name": column["Name"], "Type": column.get("Type", "")}
    return {**result, "Comment": column["Comment"]} if column.get("Comment") else result


OPERATIONS: Final[dict[str, Callable[[Params, Inside], Params]]] = {
    "GetTableMetadata": table,
    "GetDataCatalog": catalog,
}
