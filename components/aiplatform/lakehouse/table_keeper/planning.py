"""From a table's metadata and its declaration to what Iceberg's REST protocol asks of a catalog: what must
still hold, and what becomes of the table (Iceberg REST catalog spec, `CommitTableRequest`).

Partitions and order are changed only where their declaration changed: what a client made of them stays.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .schema import Json, Merge, declared, find

NOTE = "ai-platform.declared"
"""The table property that holds what was declared when the keeper last looked."""
DAY = 24 * 60 * 60 * 1000


class RefusedError(Exception):
    """A declaration that a table cannot follow without losing data or breaking its readers."""


@dataclass
class Plan:
    """What to ask of the catalog. steps: the same in words."""

    requirements: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    updates: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    steps: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])


def plan(metadata: Json, declaration: Json) -> Plan:
    """What brings a table to its declaration; problems where that is refused, and then nothing may be done.

    metadata: the table's, as Iceberg's spec has it. declaration: {columns, private, partitions, sort_order,
    properties, snapshots} as the component hands it over; private: the names of columns that are pii.
    """
    made = Plan()
    noted = json.loads(metadata.get("properties", {}).get(NOTE, "{}"))
    fields = _schema(made, metadata, declaration, noted)
    made.problems += _left_behind(metadata, noted)
    if not made.problems:
        note: dict[str, Any] = {"fields": declared(fields, declaration["columns"])}
        note |= _private(fields, declaration)
        note["partitions"] = _partitions(made, metadata, declaration, noted, fields)
        note["sort_order"] = _order(made, metadata, declaration, noted, fields)
        _properties(made, metadata, {**declaration["properties"], NOTE: written(note)})
    _snapshots(made, metadata, declaration.get("snapshots", []))
    if made.updates:
        made.requirements.insert(0, {"type": "assert-table-uuid", "uuid": metadata["table-uuid"]})
    return made


def written(note: Mapping[str, Any]) -> str:
    """A note as it stands in the table's properties; one text for one declaration."""
    return json.dumps(note, sort_keys=True, separators=(",", ":"))


def new_note(fields: Sequence[Json], declaration: Json) -> str:
    """The note of a table that is made by its declaration. fields: with their ids."""
    return written(
        {
            "fields": declared(fields, declaration["columns"]),
            **_private(fields, declaration),
            "partitions": _partition_fields(declaration, fields),
            "sort_order": _order_fields(declaration, fields),
        }
    )


def _schema(made: Plan, metadata: Json, declaration: Json, noted: Json) -> Sequence[Json]:
    current = next(s for s in metadata["schemas"] if s["schema-id"] == metadata["current-schema-id"])
    merge = Merge(noted.get("fields", {}), int(metadata["last-column-id"]))
    fields = merge.fields(current["fields"], declaration["columns"])
    made.problems += merge.problems
    made.steps += merge.steps
    if merge.problems or fields == current["fields"]:
        return fields
    number = max(int(each["schema-id"]) for each in metadata["schemas"]) + 1
    made.requirements += [
        {"type": "assert-current-schema-id", "current-schema-id": metadata["current-schema-id"]},
        {"type": "assert-last-assigned-field-id", "last-assigned-field-id": metadata["last-column-id"]},
    ]
    schema = {**current, "schema-id": number, "fields": fields}
    made.updates += [
        {"action": "add-schema", "schema": schema, "last-column-id": merge.last_id},
        {"action": "set-current-schema", "schema-id": -1},
    ]
    return fields


def _private(fields: Sequence[Json], declaration: Json) -> dict[str, list[int]]:
    """What is noted of columns that are pii: their ids."""
    ids = sorted(find(fields, name) for name in declaration.get("private", ()))
    return {"private": ids} if ids else {}


def _left_behind(metadata: Json, noted: Json) -> Iterator[str]:
    """Columns that were declared pii and that a client has dropped, while snapshots still hold their values:
    whoever may read all other columns gets credentials for the old files, too."""
    schemas = {int(each["schema-id"]): each["fields"] for each in metadata["schemas"]}
    names = {int(field["id"]): str(field["name"]) for fields in schemas.values() for field in fields}
    current = {int(field["id"]) for field in schemas[int(metadata["current-schema-id"])]}
    snapshots: Sequence[Json] = metadata.get("snapshots") or []
    for gone in sorted({int(each) for each in noted.get("private", ())} - current):
        holding = [each for each in snapshots if _holds(schemas, each, gone)]
        if holding:
            yield (
                f"column {names.get(gone, gone)}: it was pii and is dropped, and {len(holding)} snapshots "
                "still hold its values, which readers of the other columns would get; rewrite the table's "
                "data files, delete the tags and branches of older snapshots and expire these first"
            )


def _holds(schemas: Mapping[int, Sequence[Json]], snapshot: Json, column: int) -> bool:
    """Whether a snapshot was written with a column; one that does not name its schema may have been."""
    fields = schemas.get(int(snapshot.get("schema-id", -1)))
    return fields is None or any(int(each["id"]) == column for each in fields)


def _partition_fields(declaration: Json, fields: Sequence[Json]) -> list[list[Any]]:
    return [
        [find(fields, each["column"]), each["transform"], each["name"]] for each in declaration["partitions"]
    ]


def _partitions(
    made: Plan, metadata: Json, declaration: Json, noted: Json, fields: Sequence[Json]
) -> list[list[Any]]:
    wanted = _partition_fields(declaration, fields)
    specs = metadata["partition-specs"]
    there = next(spec for spec in specs if spec["spec-id"] == metadata["default-spec-id"])
    if wanted in (noted.get("partitions"), _spec(there)):
        return wanted
    made.steps.append(f"partition by {', '.join(part[2] for part in wanted) or 'nothing'} from now on")
    made.requirements += [
        {"type": "assert-default-spec-id", "default-spec-id": metadata["default-spec-id"]},
        {
            "type": "assert-last-assigned-partition-id",
            "last-assigned-partition-id": metadata["last-partition-id"],
        },
    ]
    known = next((spec["spec-id"] for spec in specs if _spec(spec) == wanted), None)
    if known is None:
        spec = {
            "spec-id": max(int(each["spec-id"]) for each in specs) + 1,
            "fields": _numbered(wanted, specs, int(metadata["last-partition-id"])),
        }
        made.updates.append({"action": "add-spec", "spec": spec})
    made.updates.append({"action": "set-default-spec", "spec-id": -1 if known is None else known})
    return wanted


def _spec(spec: Json) -> list[list[Any]]:
    return [[part["source-id"], part["transform"], part["name"]] for part in spec["fields"]]


def _numbered(wanted: Sequence[Sequence[Any]], specs: Sequence[Json], last: int) -> list[dict[str, Any]]:
    """A part that some spec had keeps its id (Iceberg table spec, "Partition Evolution")."""
    ids: dict[tuple[Any, ...], int] = {
        (part["source-id"], part["transform"], part["name"]): part["field-id"]
        for spec in specs
        for part in spec["fields"]
    }
    result: list[dict[str, Any]] = []
    for source, transform, name in wanted:
        number = ids.get((source, transform, name))
        if number is None:
            last += 1
            number = last
        result.append({"source-id": source, "field-id": number, "transform": transform, "name": name})
    return result


def _order_fields(declaration: Json, fields: Sequence[Json]) -> list[list[Any]]:
    return [
        [find(fields, each["column"]), each["transform"], each["direction"], each["null_order"]]
        for each in declaration["sort_order"]
    ]


def _order(
    made: Plan, metadata: Json, declaration: Json, noted: Json, fields: Sequence[Json]
) -> list[list[Any]]:
    wanted = _order_fields(declaration, fields)
    orders = {int(order["order-id"]): _sorts(order) for order in metadata["sort-orders"]}
    default = int(metadata["default-sort-order-id"])
    if wanted in (noted.get("sort_order"), orders.get(default, [])):
        return wanted
    made.steps.append(
        "write in the declared order from now on" if wanted else "write in no order from now on"
    )
    made.requirements.append({"type": "assert-default-sort-order-id", "default-sort-order-id": default})
    known = next((number for number, parts in orders.items() if parts == wanted), None)
    if known is None:
        # 0 is the order of what is not sorted, and has its name; another one is the last that was added.
        number = max([0, *orders]) + 1 if wanted else 0
        order = {"order-id": number, "fields": [_sort(part) for part in wanted]}
        made.updates.append({"action": "add-sort-order", "sort-order": order})
        known = -1 if wanted else 0
    made.updates.append({"action": "set-default-sort-order", "sort-order-id": known})
    return wanted


def _sorts(order: Json) -> list[list[Any]]:
    return [
        [part["source-id"], part["transform"], part["direction"], part["null-order"]]
        for part in order["fields"]
    ]


def _sort(part: Sequence[Any]) -> dict[str, Any]:
    return {"source-id": part[0], "transform": part[1], "direction": part[2], "null-order": part[3]}


def _properties(made: Plan, metadata: Json, wanted: Mapping[str, str]) -> None:
    there = metadata.get("properties", {})
    changed = {key: value for key, value in wanted.items() if there.get(key) != value}
    if changed:
        made.updates.append({"action": "set-properties", "updates": changed})
        made.steps += [f"set {key}" for key in sorted(changed) if key != NOTE]


def _snapshots(made: Plan, metadata: Json, wanted: Sequence[Json]) -> None:
    refs: Mapping[str, Any] = metadata.get("refs") or {}
    for each in wanted:
        there = refs.get(each["name"])
        if there is None:
            _new_ref(made, metadata, each)
        else:
            _kept_ref(made, there, each)


def _new_ref(made: Plan, metadata: Json, wanted: Json) -> None:
    current = metadata.get("current-snapshot-id")
    said = wanted.get("snapshot_id")
    number = int(said) if said is not None else current
    snapshots: Sequence[Json] = metadata.get("snapshots") or []
    known = {int(each["snapshot-id"]) for each in snapshots}
    if number is None or number == -1:
        made.problems.append(f"snapshot {wanted['name']}: the table has none yet; write to it first")
    elif int(number) not in known:
        made.problems.append(f"snapshot {wanted['name']}: the table has no snapshot {number}, or no more")
    else:
        _set_ref(made, wanted, int(number), None)
        made.steps.append(f"call snapshot {number} {wanted['name']}")


def _kept_ref(made: Plan, there: Json, wanted: Json) -> None:
    name = wanted["name"]
    if there["type"] != wanted["kind"]:
        made.problems.append(
            f"snapshot {name}: it is a {there['type']}; give the {wanted['kind']} another name"
        )
        return
    said = wanted.get("snapshot_id")
    if wanted["kind"] == "tag" and said is not None and int(said) != int(there["snapshot-id"]):
        made.problems.append(
            f"snapshot {name}: it is {there['snapshot-id']} and declared {said}; a tag never moves, take "
            "another name"
        )
    elif there.get("max-ref-age-ms") != _age(wanted):
        _set_ref(made, wanted, int(there["snapshot-id"]), int(there["snapshot-id"]))
        made.steps.append(f"keep {name} for {wanted.get('keep_days') or 'ever'}")


def _set_ref(made: Plan, wanted: Json, number: int, before: int | None) -> None:
    name, age = wanted["name"], _age(wanted)
    made.requirements.append({"type": "assert-ref-snapshot-id", "ref": name, "snapshot-id": before})
    made.updates.append(
        {
            "action": "set-snapshot-ref",
            "ref-name": name,
            "type": wanted["kind"],
            "snapshot-id": number,
            **({"max-ref-age-ms": age} if age is not None else {}),
        }
    )


def _age(wanted: Json) -> int | None:
    days = wanted.get("keep_days")
    return int(days) * DAY if days else None
