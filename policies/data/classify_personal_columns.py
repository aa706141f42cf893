"""Columns with personal data are marked as such, and granted by the mark."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Stack, Undecided
from ..pack.values import at

POLICY = Policy(
    title="Personal columns carry a tag",
    severity="high",
    description="Who reads an e-mail address is decided by a tag on its column, which the grants speak of, "
    "and not by who happens to read the table. A column whose name tells that it is personal and that "
    "carries no tag is open to every reader of its table.",
    remediation="Put an LF-tag on the table or the column (ResourceLfTags); give the column `policyTags` "
    "in a BigQuery schema.",
    frameworks=("NIST 800-53 AC-16",),
    options={
        "words": Option(
            {"type": "array", "items": {"type": "string"}},
            ["email", "phone", "ssn", "passport", "birthdate", "birthday", "iban", "surname", "salary"],
            "The words in a column's name that tell that it is personal.",
        )
    },
)


@POLICY.on_stack
def on_glue(stack: Stack, options: Options) -> Iterator[Judgement]:
    """Tables of the Glue catalog, and the LF-tags on them and on their columns."""
    tagged = stack.of(
        "aws:lakeformation/resourceLfTags:ResourceLfTags", "aws:lakeformation/resourceLfTag:ResourceLfTag"
    )
    for table in stack.of("aws:glue/catalogTable:CatalogTable"):
        for path, column in table.items("storageDescriptor.columns"):
            name = cast("Mapping[str, Any]", column).get("name")
            if name is UNKNOWN:
                yield Undecided(f"{path}.name")
            elif _personal(name, options):
                covers = [_covers(each, table, str(name)) for each in tagged]
                if True in covers:
                    continue
                if None in covers:
                    yield Undecided(path)
                else:
                    yield Finding(
                        f"{path}.name", f"{name!r} is personal by its name and has no LF-tag", table
                    )


def _covers(tags: Resource, table: Resource, column: str) -> bool | None:
    """Whether tags are on this column; None where that is not known yet."""
    whole, some = tags.said("table"), tags.said("tableWithColumns")
    if whole is UNKNOWN or some is UNKNOWN:
        return None
    for key, said in (("table", whole), ("tableWithColumns", some)):
        if not isinstance(said, Mapping):
            continue
        about = _is_about(tags, key, cast("Mapping[str, Any]", said), table)
        if about is not True:
            return about
        names = tags.get(f"{key}.columnNames")
        excluded: Any = tags.get(f"{key}.excludedColumnNames")
        if UNKNOWN in (names, excluded):
            return None
        return (
            key == "table"
            or column in (names or [])
            or (tags.get(f"{key}.wildcard") is True and column not in (excluded or ()))
        )
    return False


def _is_about(tags: Resource, key: str, said: Mapping[str, Any], table: Resource) -> bool | None:
    if table.urn in tags.property_dependencies.get(key, ()):
        return True
    pairs = [(said.get("databaseName"), table.get("databaseName"))]
    # Of columns `wildcard` means all of them, of one table.
    if key == "tableWithColumns" or said.get("wildcard") is not True:
        pairs.append((said.get("name"), table.get("name")))
    known = [pair for pair in pairs if UNKNOWN not in pair]
    if any(told != own for told, own in known):
        return False
    return True if known == pairs else None


@POLICY.on("gcp:bigquery/table:Table")
def on_bigquery(resource: Resource, options: Options) -> Iterator[Judgement]:
    """The schema of a table: a field has policy tags, or its parent has."""
    schema = resource.get("schema")
    if schema is UNKNOWN:
        yield Undecided("schema")
    elif isinstance(schema, str):
        try:
            fields = json.loads(schema)
        except ValueError:
            return  # BigQuery refuses it.
        yield from _fields(fields, "schema", options)


def _fields(fields: Any, path: str, options: Options) -> Iterator[Judgement]:
    for index, field in enumerate(cast("list[Any]", fields) if isinstance(fields, list) else []):
        if not isinstance(field, Mapping):
            continue
        known = cast("Mapping[str, Any]", field)
        where = f"{path}[{index}]"
        if at(known, "policyTags.names"):
            continue
        if _personal(known.get("name"), options):
            yield Finding(f"{where}.name", f"{known['name']!r} is personal by its name and has no policy tag")
        yield from _fields(known.get("fields"), f"{where}.fields", options)


def _personal(name: Any, options: Options) -> bool:
    """Whether one of the words, or two together (`birth_date`), is in a name."""
    if not isinstance(name, str):
        return False
    parts = [each for each in re.split(r"[^a-z0-9]+", name.lower()) if each]
    pairs = [first + second for first, second in itertools.pairwise(parts)]
    return not {*parts, *pairs}.isdisjoint(options["words"])
