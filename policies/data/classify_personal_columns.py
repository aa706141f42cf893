"""Columns with personal data have a tag, and access is granted by the tag."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ..framework import (
    UNKNOWN,
    Deferred,
    Entry,
    Option,
    Options,
    Outcome,
    Policy,
    Resource,
    Stack,
    Violation,
    any_of,
    check_each,
)

POLICY = Policy(
    title="Personal columns have a tag",
    severity="high",
    description="A tag on the column, to which grants refer, decides who reads an e-mail address. A column "
    "that is personal by its name and has no tag is open to every reader of its table.",
    remediation="Put an LF-tag on the table or the column (ResourceLfTags); give the column `policyTags` "
    "in a BigQuery schema.",
    frameworks=("NIST 800-53 AC-16",),
    options={
        "words": Option(
            {"type": "array", "items": {"type": "string"}},
            ["email", "phone", "ssn", "passport", "birthdate", "birthday", "iban", "surname", "salary"],
            "The words in a column's name that mark it as personal.",
        )
    },
)


@POLICY.on_stack
def on_glue(stack: Stack, options: Options) -> Iterator[Outcome]:
    """Tables of the Glue catalog, and the LF-tags on them and on their columns."""
    tags = stack.of(
        "aws:lakeformation/resourceLfTags:ResourceLfTags", "aws:lakeformation/resourceLfTag:ResourceLfTag"
    )
    yield from check_each(
        stack.of("aws:glue/catalogTable:CatalogTable"), _check_table, tags, options["words"]
    )


def _check_table(table: Resource, tags: Sequence[Resource], words: Collection[str]) -> Iterator[Outcome]:
    yield from check_each(table.entries("storageDescriptor.columns"), _check_column, table, tags, words)


def _check_column(
    column: Entry, table: Resource, tags: Sequence[Resource], words: Collection[str]
) -> Iterator[Outcome]:
    name = column.known("name")
    if _is_personal(name, words) and not any_of(tags, _covers, table, str(name)):
        yield Violation(column.where("name"), f"{name!r} is personal by its name and has no LF-tag")


def _covers(tags: Resource, table: Resource, column: str) -> bool:
    """Return whether tags are on this column."""
    if tags.declared("table") is not None and not tags.declared("tableWithColumns"):
        return _is_on_table(tags, "table", table)
    if tags.declared("tableWithColumns") is None or not _is_on_table(tags, "tableWithColumns", table):
        return False
    if column in (tags.known("tableWithColumns.columnNames") or ()):
        return True
    excluded = tags.fully_known("tableWithColumns.excludedColumnNames") or ()
    return tags.known("tableWithColumns.wildcard") is True and column not in excluded


def _is_on_table(tags: Resource, key: str, table: Resource) -> bool:
    if table.urn in tags.sources(key):
        return True
    pairs = [(tags.raw(f"{key}.databaseName"), table.raw("databaseName"))]
    # With columns, `wildcard` means all columns of one table.
    if key == "tableWithColumns" or tags.known(f"{key}.wildcard") is not True:
        pairs.append((tags.raw(f"{key}.name"), table.raw("name")))
    known = [pair for pair in pairs if UNKNOWN not in pair]
    if any(tagged != actual for tagged, actual in known):
        return False
    if known != pairs:
        raise Deferred(key)
    return True


@POLICY.on("gcp:bigquery/table:Table")
def on_bigquery(resource: Resource, options: Options) -> Iterator[Outcome]:
    """The schema of a table: a field has policy tags, or its parent has."""
    schema = resource.known("schema")
    if isinstance(schema, str):
        try:
            fields: Any = json.loads(schema)
        except ValueError:
            return  # BigQuery refuses it.
        yield from _check_fields(Entry("schema", fields), "", options["words"])


def _check_fields(parent: Entry, path: str, words: Collection[str]) -> Iterator[Outcome]:
    for field in parent.entries(path):
        name = field.known("name")
        if field.known("policyTags.names"):
            continue
        if _is_personal(name, words):
            yield Violation(field.where("name"), f"{name!r} is personal by its name and has no policy tag")
        yield from _check_fields(field, "fields", words)


def _is_personal(name: Any, words: Collection[str]) -> bool:
    """Return whether one of the words, or two together (`birth_date`), is in a name."""
    if not isinstance(name, str):
        return False
    parts = [part for part in re.split(r"[^a-z0-9]+", name.lower()) if part]
    pairs = [first + second for first, second in itertools.pairwise(parts)]
    return not {*parts, *pairs}.isdisjoint(words)
