"""Iceberg's types as columns declare them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiplatform.lakehouse import types
from aiplatform.lakehouse.types import Field, List, Map, Primitive, Struct, Type

NAMES = st.sampled_from(["id", "at", "city", "required", "list", "struct", "_x1"])
PRIMITIVES = st.one_of(
    st.sampled_from(types.SIMPLE).map(Primitive),
    st.integers(1, 999).map(lambda size: Primitive(f"fixed[{size}]")),
    st.integers(1, 38).flatmap(
        lambda digits: st.integers(0, digits).map(lambda scale: Primitive(f"decimal({digits},{scale})"))
    ),
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.lists(
        st.builds(Field, NAMES, inner, st.booleans()),
        min_size=1,
        max_size=3,
        unique_by=lambda field: field.name,
    )
    return st.one_of(
        st.builds(List, inner, st.booleans()),
        st.builds(Map, inner, inner, st.booleans()),
        fields.map(lambda entry: Struct(tuple(entry))),
    )


TYPES = st.recursive(PRIMITIVES, _nested, max_leaves=8)


@settings(max_examples=60)
@given(TYPES)
def test_a_type_is_parsed_and_printed_unchanged(kind: Type) -> None:
    assert types.parse(str(kind)) == kind
    assert types.parse(str(kind).replace(" ", "").replace("required", "required ")) == kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (List(Primitive("int")), "list<int>"),
        (Map(Primitive("string"), Primitive("int")), "map<string, int>"),
        (Struct((Field("id", Primitive("int")),)), "struct<id: int>"),
    ],
)
def test_nested_fields_are_optional_unless_required(kind: Type, text: str) -> None:
    assert kind == types.parse(text)
    assert str(kind) == text


@settings(max_examples=60)
@given(st.lists(TYPES, min_size=1, max_size=4))
def test_every_part_of_a_schema_has_a_unique_id_and_columns_the_first(kinds: list[Type]) -> None:
    schema = types.numbered([Field(f"c{index}", kind) for index, kind in enumerate(kinds)])
    given_ids = _ids(list(schema.fields))
    assert sorted(given_ids) == list(range(1, len(given_ids) + 1))
    assert [field["id"] for field in schema.fields] == list(range(1, len(kinds) + 1))
    assert json.loads(json.dumps(schema.fields)) == list(schema.fields), "it is JSON"


def _ids(node: Any) -> list[int]:
    if isinstance(node, list):
        return [number for entry in node for number in _ids(entry)]
    if not isinstance(node, dict):
        return []
    ids = [node[key] for key in ("id", "element-id", "key-id", "value-id") if key in node]
    return ids + [number for entry in node.values() for number in _ids(entry)]


@settings(max_examples=60)
@given(st.text(alphabet="lisstructmap<>,: ()[]0139decimal", max_size=30))
def test_any_text_is_a_type_or_an_error_with_the_expected_types(text: str) -> None:
    reported = types.type_rule(text)
    if reported is None:
        kind = types.parse(text)
        assert types.parse(str(kind)) == kind
    else:
        assert "expected" in reported


def test_paths_enter_structs_but_not_lists() -> None:
    fields = [
        Field("id", Primitive("long")),
        Field("address", types.parse("struct<city: string, geo: struct<lat: double>>")),
        Field("stops", types.parse("list<struct<city: string>>")),
    ]
    assert types.find(fields, "address.geo.lat") == Primitive("double")
    assert types.find(fields, "stops.city") is None
    assert types.find(fields, "id.x") is None
    schema = types.numbered(fields)
    # Columns 1 to 3; then what is in address: 4 and 5, and in geo: 6; then the list's element and its field.
    assert [schema.id_of(path) for path in ("id", "address.city", "address.geo.lat")] == [1, 4, 6]
    assert schema.fields[2]["type"]["element-id"] == 7
    assert schema.fields[2]["type"]["element"]["fields"][0]["id"] == 8


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bigint", "expected Iceberg's own name for 'bigint': long"),
        ("VARCHAR", "expected Iceberg's own name for 'VARCHAR': string"),
        ("strng", "did you mean 'string'?"),
        ("timestamp_ns", "of Iceberg's format version 3"),
        ("decimal(39,2)", "expected 1 to 38 digits"),
        ("decimal(4,5)", "no more after the point"),
        ("decimal", "expected '(' after 'decimal'"),
        ("fixed[0]", "expected at least 1 byte"),
        ("list<int", "expected '>' after 'list<int'"),
        ("list<int>>", "expected nothing after the type, found '>'"),
        ("map<string>", "expected ',' after 'map<string', found '>'"),
        ("struct<>", "expected the name of a field"),
        ("struct<a: int, a: int>", "field 'a' occurs twice"),
        ("struct<City: int>", "field 'City': expected lower-case letters"),
        ("", "expected a type"),
        ("list<" * 40 + "int" + ">" * 40, "expected at most 32 types in each other"),
    ],
)
def test_unknown_types_are_reported(text: str, reason: str) -> None:
    reported = types.type_rule(text)
    assert reported is not None
    assert reason in reported


@pytest.mark.parametrize("name", ["Id", "1a", "a-b", "", "a" * 256])
def test_names_that_need_quotes_are_refused(name: str) -> None:
    assert types.column_name(name) is not None
    assert types.column_name("ordered_at") is None
