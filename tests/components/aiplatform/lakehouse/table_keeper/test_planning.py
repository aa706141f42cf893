"""What the table keeper does for a declaration that changed, and what it refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aiplatform.lakehouse.table_keeper import planning
from tests.components.aiplatform.lakehouse.example import EVENTS, ORDERS
from tests.components.aiplatform.lakehouse.table_keeper.migrations import (
    SNAPSHOT,
    columns,
    created,
    followed,
    planned,
    written,
)
from tests.components.aiplatform.lakehouse.test_types import TYPES


def changed(table: dict[str, Any], column: str, **change: Any) -> dict[str, Any]:
    """A declaration with one column declared otherwise."""
    result = copy.deepcopy(table)
    [declared] = [entry for entry in result["columns"] if entry["name"] == column]
    declared.update(change)
    return result


def without(table: dict[str, Any], column: str) -> dict[str, Any]:
    """A declaration with one column less."""
    result = copy.deepcopy(table)
    result["columns"] = [entry for entry in result["columns"] if entry["name"] != column]
    return result


def with_column(table: dict[str, Any], **column: Any) -> dict[str, Any]:
    """A declaration with one column more."""
    return {**table, "columns": [*table["columns"], column]}


def test_a_note_is_one_text_for_one_declaration() -> None:
    note = {"partitions": [], "sort_order": [["id", "asc"]]}
    assert planning.written(note) == planning.written(dict(reversed(note.items()))), (
        "another text would be written to the table as a change"
    )


@pytest.mark.parametrize("table", [ORDERS, EVENTS], ids=["orders", "events"])
def test_a_new_table_matches_its_declaration(table: dict[str, Any]) -> None:
    plan = planned(created(table), table)
    assert (plan.updates, plan.problems) == ([], []), "creation and keeper agree on ids and all else"


@hypothesis_settings(max_examples=25)
@given(st.lists(TYPES, min_size=1, max_size=3), TYPES)
def test_any_declaration_is_reached_in_one_step_and_is_stable(kinds: list[Any], new: Any) -> None:
    first = {
        "zone": "raw",
        "name": "t",
        "columns": [{"name": f"c{index}", "type": str(kind)} for index, kind in enumerate(kinds)],
    }
    second = with_column(first, name="added", type=str(new))
    before = created(first)
    after = followed(before, second)
    assert [column["id"] for column in columns(after).values()][:-1] == [
        column["id"] for column in columns(before).values()
    ], "what is there keeps its id"
    assert columns(after)["added"]["id"] == before["last-column-id"] + 1
    assert not planned(after, second).updates, "a second look finds nothing to do"
    assert planned(after, first).problems, "and what was declared cannot be left out again"


def test_a_new_column_is_added_at_the_end_and_is_optional() -> None:
    after = followed(created(ORDERS), with_column(ORDERS, name="country", type="string", doc="ISO 3166"))
    assert list(columns(after))[-1] == "country"
    assert columns(after)["country"] == {
        "id": 12,
        "name": "country",
        "required": False,
        "type": "string",
        "doc": "ISO 3166",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [("int", "long"), ("float", "double"), ("decimal(10,2)", "decimal(12,2)")],
)
def test_a_type_is_widened_as_iceberg_allows(before: str, after: str) -> None:
    table = with_column(EVENTS, name="n", type=before)
    assert (
        columns(followed(created(table), changed(table, "n", type=after)))["n"]["type"].replace(" ", "")
        == after
    )
    [problem] = planned(created(changed(table, "n", type=after)), table).problems
    assert problem.startswith(f"column n: {after} in the table and declared {before}")


def test_a_column_inside_a_struct_is_added_too() -> None:
    wider = changed(ORDERS, "address", type="struct<city: required string, zip: string, street: string>")
    after = followed(created(ORDERS), wider)
    inside = {column["name"]: column["id"] for column in columns(after)["address"]["type"]["fields"]}
    before = {
        column["name"]: column["id"] for column in columns(created(ORDERS))["address"]["type"]["fields"]
    }
    assert inside == {**before, "street": 12}
    narrower = changed(ORDERS, "address", type="struct<city: required string>")
    [problem] = planned(created(ORDERS), narrower).problems
    assert problem.startswith("column address.zip: declared no more, and dropping it would lose its data")


def test_elements_of_a_list_are_widened_and_become_optional() -> None:
    table = with_column(EVENTS, name="n", type="list<required int>")
    kind = columns(followed(created(table), changed(table, "n", type="list<long>")))["n"]["type"]
    assert (kind["element"], kind["element-required"]) == ("long", False)


def test_a_column_is_renamed_by_was_and_keeps_its_id() -> None:
    renamed = changed(ORDERS, "amount", name="price", was="amount")
    after = followed(created(ORDERS), renamed)
    assert "amount" not in columns(after)
    assert columns(after)["price"]["id"] == columns(created(ORDERS))["amount"]["id"]
    assert not planned(after, renamed).updates, "`was` may stay where it is"


def test_a_rename_without_was_is_refused_with_the_solution() -> None:
    [problem] = planned(created(ORDERS), changed(ORDERS, "amount", name="price")).problems
    assert "column amount: declared no more" in problem
    assert problem.endswith("if it is price now, say `was: amount` there")


def test_a_column_can_become_optional_but_not_required() -> None:
    optional = changed(ORDERS, "ordered_at", required=False)
    assert columns(followed(created(ORDERS), optional))["ordered_at"]["required"] is False
    [problem] = planned(created(ORDERS), changed(ORDERS, "amount", required=True)).problems
    assert problem.startswith("column amount: optional in the table")


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (
            with_column(ORDERS, name="country", type="string", required=True),
            "country: new and required",
        ),
        (without(ORDERS, "labels"), "column labels: declared no more"),
        (
            changed(ORDERS, "amount", type="string"),
            "decimal(10,2) in the table and declared string",
        ),
        (
            changed(ORDERS, "labels", type="map<int, list<long>>"),
            "its keys are string and declared",
        ),
        (changed(ORDERS, "labels", type="string"), "column labels: map<string, list<long>> in the table"),
        (
            with_column(ORDERS, name="price", type="string", was="cost"),
            "the table has neither",
        ),
    ],
)
def test_changes_that_would_lose_data_or_break_readers_are_refused(
    table: dict[str, Any], problem: str
) -> None:
    plan = planned(created(ORDERS), table)
    assert any(problem in line for line in plan.problems), plan.problems
    assert not plan.updates, "nothing is done by halves"


def test_columns_that_clients_added_or_widened_stay() -> None:
    by_client = with_column(changed(EVENTS, "body", doc="Raw"), name="extra", type="int")
    table = created(EVENTS)
    there = {**followed(table, by_client), "properties": table["properties"]}
    after = followed(there, with_column(EVENTS, name="country", type="string"))
    assert list(columns(after)) == ["body", "at", "extra", "country"]
    assert columns(after)["body"]["doc"] == "Raw"

    counted = with_column(EVENTS, name="n", type="int")
    widened = {**followed(created(counted), changed(counted, "n", type="long"))}
    widened["properties"] = created(counted)["properties"]
    assert columns(followed(widened, {**counted, "description": "Counted"}))["n"]["type"] == "long"


def test_partitions_change_for_new_files() -> None:
    monthly = {
        **ORDERS,
        "partitions": [{"column": "ordered_at", "transform": "month"}, ORDERS["partitions"][1]],
    }
    after = followed(created(ORDERS), monthly)
    spec = next(entry for entry in after["partition-specs"] if entry["spec-id"] == after["default-spec-id"])
    assert [(part["name"], part["field-id"]) for part in spec["fields"]] == [
        ("ordered_at_month", 1003),
        ("id_bucket", 1001),
    ], "a part that was there keeps its id"
    assert len(after["partition-specs"]) == 2, "old files keep theirs"
    back = followed(after, ORDERS)
    assert back["default-spec-id"] == 0, "a spec that there was is taken up again"
    assert len(back["partition-specs"]) == 2


def test_the_order_is_changed_and_removed() -> None:
    by_time = {**ORDERS, "sort_order": [{"column": "ordered_at"}]}
    table = created(ORDERS)
    assert planned(table, by_time).steps == ["write in the declared order from now on"]
    after = followed(table, by_time)
    [order] = [entry for entry in after["sort-orders"] if entry["order-id"] == after["default-sort-order-id"]]
    assert order["fields"] == [
        {"source-id": 2, "transform": "identity", "direction": "asc", "null-order": "nulls-first"}
    ]
    unsorted = {**ORDERS, "sort_order": []}
    assert planned(after, unsorted).steps == ["write in no order from now on"]
    none = followed(after, unsorted)
    assert none["default-sort-order-id"] == 0


def test_partitions_of_a_client_stay_while_theirs_are_declared_as_before() -> None:
    table = created(ORDERS)
    by_client = followed(table, {**ORDERS, "partitions": []})
    there = {**by_client, "properties": table["properties"]}
    after = followed(there, with_column(ORDERS, name="country", type="string"))
    assert after["default-spec-id"] == by_client["default-spec-id"]


def test_a_tag_refers_to_the_newest_snapshot_of_its_creation() -> None:
    name = {"table": "raw.events", "name": "training-1", "keep_days": 30}
    after = followed(written(created(EVENTS)), EVENTS, snapshots=[name])
    assert after["refs"]["training-1"] == {
        "snapshot-id": SNAPSHOT,
        "type": "tag",
        "max-ref-age-ms": 30 * 24 * 3600 * 1000,
    }
    newer = {**after, "current-snapshot-id": SNAPSHOT + 1}
    assert not planned(newer, EVENTS, snapshots=[name]).updates, "it never moves"
    longer = followed(after, EVENTS, snapshots=[{**name, "keep_days": 60}])
    assert longer["refs"]["training-1"]["max-ref-age-ms"] == 60 * 24 * 3600 * 1000
    assert "training-1" in followed(after, EVENTS)["refs"], "one that is declared no more stays"


@pytest.mark.parametrize(
    ("table", "name", "problem"),
    [
        (created(EVENTS), {}, "the table has none yet; write to it first"),
        (written(created(EVENTS)), {"snapshot_id": "5"}, "the table has no snapshot 5, or no more"),
        (
            written(created(EVENTS)),
            {"name": "t", "kind": "branch"},
            "it is a tag; give the branch another name",
        ),
        (written(created(EVENTS)), {"name": "t", "snapshot_id": "5"}, "a tag never moves, take another name"),
    ],
)
def test_impossible_names_of_snapshots_are_refused(
    table: dict[str, Any], name: dict[str, Any], problem: str
) -> None:
    refs = {**table["refs"], **({"t": {"snapshot-id": SNAPSHOT, "type": "tag"}} if table["refs"] else {})}
    wanted = {"table": "raw.events", "name": "training-1", **name}
    plan = planned({**table, "refs": refs}, EVENTS, snapshots=[wanted])
    assert [line.endswith(problem) for line in plan.problems] == [True], plan.problems


def test_an_empty_plan_has_no_requirements() -> None:
    plan = planned(created(ORDERS), ORDERS)
    assert not plan.requirements
    plan = planned(created(ORDERS), {**ORDERS, "description": "Orders"})
    assert [requirement["type"] for requirement in plan.requirements] == ["assert-table-uuid"]
    assert plan.steps == ["set comment"]


def _dropped(schema_of_snapshots: list[int | None]) -> dict[str, Any]:
    """Orders of which a client has dropped `email`, with snapshots written by these schemas."""
    before = created(ORDERS)
    first = before["schemas"][0]
    remaining = {
        **first,
        "schema-id": 1,
        "fields": [column for column in first["fields"] if column["name"] != "email"],
    }
    snapshots = [
        {
            "snapshot-id": number,
            "timestamp-ms": number,
            "manifest-list": "s3://x",
            "summary": {"operation": "append"},
            **({} if schema is None else {"schema-id": schema}),
        }
        for number, schema in enumerate(schema_of_snapshots, start=1)
    ]
    return {**before, "schemas": [first, remaining], "current-schema-id": 1, "snapshots": snapshots}


@pytest.mark.parametrize("schemas", [[0], [0, 1], [None]])
def test_a_pii_column_must_be_declared_while_snapshots_contain_its_values(schemas: list[int | None]) -> None:
    plan = planned(_dropped(schemas), without(ORDERS, "email"))
    [problem] = plan.problems
    assert problem.startswith(
        "column email: it was pii and is dropped, and 1 snapshots still hold its values"
    )
    assert not plan.updates, "the tags of the table would fall, and its readers get the old files"


def test_a_pii_column_may_be_removed_once_no_snapshot_contains_it() -> None:
    after = followed(_dropped([1]), without(ORDERS, "email"))
    assert planned(after, without(ORDERS, "email")).updates == [], "it is noted no more"


def test_a_column_without_pii_may_be_removed_at_once() -> None:
    declared = changed(ORDERS, "email", classification="internal")
    before = _dropped([0])
    before["properties"] = created(declared)["properties"]
    assert planned(before, without(declared, "email")).problems == []
