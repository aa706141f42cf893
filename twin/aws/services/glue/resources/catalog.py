"""Glue's catalog: databases, tables and what keeps Iceberg tables small."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.base import AwsResource
from twin.aws.resources.conversions import parsed
from twin.aws.resources.fields import has_unknown, to_api
from twin.aws.services.glue import iceberg
from twin.provider_interface import UNKNOWN, Failure, Props

_MANAGED: Final = ("table_type", "metadata_location")
"""Parameters of an Iceberg table that Iceberg owns; the provider does not show them."""


_ICEBERG: Final = entries.shape(__name__, "iceberg")
_OPEN: Final = "openTableFormatInput"
_PLAIN: Final = frozenset(
    {"description", "owner", "parameters", "partitionKeys", "retention", "storageDescriptor", "tableType"}
    | {"targetTable", "viewExpandedText", "viewOriginalText"}
)
"""What TableInput carries: only for tables that icebergTableInput does not declare."""


class CatalogTable(AwsResource):
    def rules(self, inputs: Props) -> Iterator[Failure]:
        table = _iceberg_input(inputs)
        if table is None or has_unknown(table.get("schema")):
            return
        where = f"{_OPEN}.icebergInput.icebergTableInput"
        violations = list(_not_json(table, where))
        yield from violations
        if violations or has_unknown(table.get("partitionSpec")) or has_unknown(table.get("sortOrder")):
            return
        try:
            iceberg.check(to_api(_ICEBERG, table))
        except iceberg.InvalidIcebergError as error:
            yield Failure(where, str(error))
        except (KeyError, TypeError, ValueError):
            return  # a member is missing or of another type: the model reports which

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        if _iceberg_input(inputs) is None:
            return super().create_params(context, inputs)
        rest = {name: value for name, value in inputs.items() if name not in _PLAIN | {"name"}}
        # Glue takes a name in place of the TableInput: "CreateIcebergTableInput" says all the rest.
        return {**super().create_params(context, rest), "Name": inputs.get("name", UNKNOWN)}

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
            update_input = {"UpdateIcebergInput": {"UpdateIcebergTableInput": {"Updates": updates}}}
            params = {**place, "Name": old["name"], "UpdateOpenTableFormatInput": update_input}
        else:
            input = to_api({name: self.fields[name] for name in _PLAIN | {"name"}}, wanted)["TableInput"]
            present = (self.find(context, id, old) or {}).get("Parameters") or {}
            managed = {name: present[name] for name in _MANAGED if present.get("table_type") == "ICEBERG"}
            input["Parameters"] = {**(input.get("Parameters") or {}), **managed}
            params = {**place, "TableInput": input}
        context.call("glue", "UpdateTable", params)


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
            if isinstance(value, str) and isinstance(parsed(value), str) and value.strip()[:1] != '"':
                yield Failure(
                    f"{where}.schema.fields[{index}].{name}",
                    f'"{name}" contains an invalid JSON: {value!r}; {json.dumps(value)} would be right',
                )
