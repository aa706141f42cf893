"""BigQuery: datasets and tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.provider_interface import UNKNOWN, Failure, Props

_ID: Final = re.compile(r"[0-9A-Za-z_]+")
_SAME: Final[Mapping[str, str]] = services.tables("bigquery")["sql_types"]
_EXTERNAL: Final = "externalDataConfiguration"


def dataset_id(name: str, value: Any) -> str:
    """A dataset's id, with the provider's words (validateDatasetId)."""
    if not _ID.fullmatch(str(value)):
        return f'"{name}" must contain only letters (a-z, A-Z), numbers (0-9), or underscores (_)'
    return "" if len(str(value)) <= 1024 else f'"{name}" cannot be greater than 1,024 characters'


class Dataset(GcpResource):
    token = "gcp:bigquery/dataset:Dataset"
    validators = {"datasetId": dataset_id}

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return path == "accesses.role" and _basic(old) == _basic(new)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if new.get("accesses") is None:
            # The real provider sends the list that the state holds, which a refresh has brought.
            new = {**new, "accesses": self._now(context, id, new)}
        super().change(context, id, old, new)

    def _now(self, context: GcpContext, id: str, new: Props) -> Any:
        item = self.find(context, id, self.values(context, id, new)) or {}
        return self.shape.decode(self.sdk_schema.outputs, item).get("accesses")


_ROLES: Final[Mapping[str, str]] = services.tables("bigquery")["role_of"]


def _basic(role: Any) -> Any:
    return _ROLES.get(role, role)


class Table(GcpResource):
    token = "gcp:bigquery/table:Table"
    fields = dict.fromkeys(
        ("schema", f"{_EXTERNAL}.schema"),
        Field("schema.fields", encode=lambda value: _loaded(value), decode=lambda value: _dumped(value)),
    )

    def rules(self, inputs: Props) -> Iterator[Failure]:
        for path in ("schema", f"{_EXTERNAL}.schema"):
            head, _, inside = path.partition(".")
            prefix_value = inputs.get(head)
            text = prefix_value.get(inside) if inside and isinstance(prefix_value, dict) else prefix_value
            if isinstance(text, str) and (inside or head == "schema"):
                yield from _schema_faults(path, text)

    def wrong_fields(self, context: GcpContext, inputs: Props) -> Iterator[tuple[str, str]]:
        if any(True for _ in self.rules(inputs)):
            return
        yield from super().wrong_fields(context, inputs)

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path in ("schema", f"{_EXTERNAL}.schema"):
            return _columns(old) == _columns(new)
        if path.endswith("connectionId"):
            return re.split(r"[/.]", str(old))[-1] == re.split(r"[/.]", str(new))[-1]
        return False

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "schema":
            # resourceBigQueryTableSchemaIsChangeable: other changes are sent as they are.
            outside = bool(new.get("externalDataConfiguration"))
            return not _changeable(_columns(old.get("schema")), _columns(new.get("schema")), outside=outside)
        return super().replaces(path, old, new)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        lost = sorted(set(_columns(old.get("schema"))) - set(_columns(new.get("schema"))))
        if new.get("schema") and lost:
            # An update cannot take columns away: the provider does it by a statement before.
            values = self.values(context, id, new)
            table = f"`{values['project']}.{values['datasetId']}.{values['tableId']}`"
            statement = f"ALTER TABLE {table} DROP COLUMN " + ", DROP COLUMN ".join(
                f"`{column}`" for column in lost
            )
            answered = {"query": statement, "useLegacySql": False}
            context.call("bigquery.jobs.query", {"projectId": values["project"]}, answered)
        super().change(context, id, old, new)


def _loaded(text: Any) -> Any:
    return json.loads(text) if isinstance(text, str) else text


def _dumped(fields: Any) -> Any:
    return None if fields is None else json.dumps(fields, separators=(",", ":"))


def _schema_faults(path: str, text: str) -> Iterator[Failure]:
    try:
        answered = json.loads(text)
    except ValueError as error:
        yield Failure(path, f'"schema" contains an invalid JSON: {error}')
        return
    if not isinstance(answered, list):
        yield Failure(path, f'"schema" is not a JSON array: {text[:60]}')
        return
    for index, field in enumerate(answered):
        if not isinstance(field, dict):
            yield Failure(path, f'"schema" is not a valid schema: item {index} is not a JSON object')


def _columns(text: Any) -> dict[str, Props]:
    """Columns by name in lower case, as the provider compares them."""
    answered: list[Props] = []
    if isinstance(text, str) and text is not UNKNOWN:
        answered = json.loads(text) or []
    elif isinstance(text, list):
        answered = text
    columns: dict[str, Props] = {}
    for field in answered:
        column = {name: value for name, value in field.items() if value not in (None, "", [], {})}
        kind = str(column.get("type", "")).upper()
        column |= {"type": _SAME.get(kind, kind), "mode": str(column.get("mode") or "NULLABLE").upper()}
        if "fields" in column:
            column["fields"] = _columns(column["fields"])
        if not (column.get("policyTags") or {}).get("names"):
            column.pop("policyTags", None)
        columns[str(field.get("name", "")).lower()] = column
    return columns


def _changeable(
    old: dict[str, Props], new: dict[str, Props], *, outside: bool = False, top: bool = True
) -> bool:
    """Whether a table can be changed in place. outside: its data is; top: not within a column."""
    for name, was in old.items():
        now = new.get(name)
        if now is None:
            if outside or not top:
                return False
            continue
        if was["type"] != now["type"]:
            return False
        if was["mode"] != now["mode"] and now["mode"] != "NULLABLE":
            return False
        if not _changeable(was.get("fields") or {}, now.get("fields") or {}, outside=outside, top=False):
            return False
    more = [now for name, now in new.items() if name not in old]
    drops = any(name not in new for name in old)
    # Columns cannot go and come in one step.
    return all(now["mode"] != "REQUIRED" for now in more) and not (drops and more)
