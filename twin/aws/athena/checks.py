"""Comparisons that DuckDB makes by casting text, and Trino refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from twin.aws.athena.errors import SYNTAX, QueryFailed

_COMPARED: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between)
_WORDS: Final[dict[type[Any], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def compared(tree: exp.Expr, schema: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a number, date or time that is compared with text.

    schema: the columns' DuckDB types by table. What sqlglot cannot tell the type of is left to DuckDB.
    """
    if not any(_texts(node) for node in tree.find_all(*_COMPARED)):
        return
    # They are slow to load, and few queries need them.
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.schema import MappingSchema

    known = MappingSchema({name: dict(columns) for name, columns in schema.items()}, dialect="duckdb")
    try:
        made = qualify(
            tree.copy(),
            schema=known,
            dialect="duckdb",
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
        made = annotate_types(made, schema=known, dialect="duckdb")
    except SqlglotError:
        return
    for node in made.find_all(*_COMPARED):
        _check(node)


def _texts(node: Any) -> list[Any]:
    return [each for each in _sides(node) if isinstance(each, exp.Literal) and each.is_string]


def _sides(node: Any) -> list[Any]:
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    if isinstance(node, exp.In):
        return [node.this, *node.expressions]
    return [node.this, node.expression]


def _check(node: Any) -> None:
    if not _texts(node):
        return
    for side in _sides(node):
        kind = side.type
        if kind is None or isinstance(side, exp.Literal) or not kind.is_type(*_NO_TEXT):
            continue
        text = _texts(node)[0]
        shown = str(kind.sql(dialect="trino")).lower().replace("timestamp_ms", "timestamp(3)")
        word = _WORDS.get(type(node), "BETWEEN" if isinstance(node, exp.Between) else "IN")
        raise QueryFailed(
            f"TYPE_MISMATCH: Cannot apply operator: {shown} {word} varchar({len(text.this)})", SYNTAX
        )


_NO_TEXT: Final = tuple(
    exp.DataType.Type[name]
    for name in (
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
    )
) + tuple(exp.DataType.Type[name] for name in ("TIMESTAMP_MS", "TIMESTAMPTZ", "INT128"))
