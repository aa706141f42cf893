"""Comparisons that DuckDB makes by casting text, and Trino refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from twin.aws.services.athena.queries.errors import SYNTAX, QueryFailed

_COMPARED: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between)
_WORDS: Final[dict[type[Any], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


def aliases(tree: exp.Expr, schema: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a column that is only the alias of an expression in the same SELECT, which DuckDB lets WHERE,
    GROUP BY, HAVING and other expressions use.

    schema: the columns of each table.
    """
    for select in tree.find_all(exp.Select):
        named = {
            expression.alias.lower(): expression
            for expression in select.expressions
            if isinstance(expression, exp.Alias)
        }
        if not named:
            continue
        for column in _used(select):
            name = column.name.lower()
            if column.table or name not in named or _is_own(select, name, schema):
                continue
            line, at = column.this.meta.get("line", 1), column.this.meta.get("col", 1)
            raise QueryFailed(
                f"COLUMN_NOT_FOUND: line {line}:{at}: Column '{column.name}' cannot be resolved or requester "
                "is not authorized to access requested resources",
                SYNTAX,
            )


def _used(select: exp.Select) -> list[exp.Column]:
    """The columns of a SELECT's own expressions, where an alias is none."""
    places: list[Any] = [*select.expressions]
    places += [select.args.get(part) for part in ("where", "group", "having")]
    columns = [column for place in places if place is not None for column in place.find_all(exp.Column)]
    return [column for column in columns if column.find_ancestor(exp.Select) is select]


def _is_own(select: exp.Select, name: str, schema: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a source of the SELECT may have a column of that name; what is not known may."""
    source = select.args.get("from_")
    sources = [source.this] if source else []
    sources += [join.this for join in select.args.get("joins") or []]
    columns = [_columns(relation, schema) for relation in sources]
    return bool(select.args.get("laterals")) or any(column is None or name in column for column in columns)


def _columns(source: Any, schema: Mapping[str, Mapping[str, str]]) -> set[str] | None:
    """The columns of a source, or None where they are not known."""
    if source.alias_column_names:
        return {alias_column_name.lower() for alias_column_name in source.alias_column_names}
    inner: Any = source.unnest() if isinstance(source, exp.Subquery) else None
    if isinstance(source, exp.Table):
        if source.name in schema:
            return {column.lower() for column in schema[source.name]}
        above: Any = source.parent
        while above is not None and inner is None:
            clause = above.args.get("with_")
            expressions = (
                [expression.this for expression in clause.expressions if expression.alias == source.name]
                if clause
                else []
            )
            inner = expressions[0] if expressions else None
            above = above.parent
    if not isinstance(inner, exp.Query) or "*" in inner.named_selects:
        return None
    return {named_select.lower() for named_select in inner.named_selects}


def compared(tree: exp.Expr, schema: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a number, date or time that is compared with text.

    schema: the columns' DuckDB types by table. What sqlglot cannot report the type of is left to DuckDB.
    """
    if not any(_texts(node) for node in tree.find_all(*_COMPARED)):
        return
    for node in _annotated(tree, schema).find_all(*_COMPARED):
        _check(node)


def dates(tree: exp.Expr, schema: Mapping[str, Mapping[str, str]]) -> None:
    """Let a date that something is added to stay a date, where DuckDB makes a timestamp of it.

    schema: the columns' DuckDB types by table.
    """
    moved = [
        node for node in tree.find_all(exp.DateAdd, exp.DateSub, exp.Add, exp.Sub, *_CUT) if _interval(node)
    ]
    for at, node in enumerate(moved):
        node.meta[_MARK] = at
    if not moved:
        return
    nodes = {node.meta.get(_MARK): node for node in _annotated(tree, schema).walk()}
    for at, node in enumerate(moved):
        known = nodes.get(at)
        if known is not None and known.this.is_type("date"):
            node.replace(exp.cast(node.copy(), "date"))


_CUT: Final = (exp.DateTrunc, exp.TimestampTrunc)
_MARK: Final = "athena_node"
_DAYS: Final = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")


def _interval(node: Any) -> bool:
    if isinstance(node, exp.DateAdd | exp.DateSub | exp.DateTrunc | exp.TimestampTrunc):
        unit = node.args.get("unit")
    else:
        unit = node.expression.args.get("unit") if isinstance(node.expression, exp.Interval) else None
    return unit is not None and unit.name.upper() in _DAYS


def _annotated(tree: exp.Expr, schema: Mapping[str, Mapping[str, str]]) -> exp.Expr:
    """A copy that knows its nodes' types, as far as sqlglot finds them."""
    # They are slow to load, and few queries need them.
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.schema import MappingSchema

    known = MappingSchema({name: dict(columns) for name, columns in schema.items()}, dialect="duckdb")
    annotated = tree.copy()
    try:
        annotated = qualify(
            annotated, schema=known, dialect="duckdb", validate_qualify_columns=False, quote_identifiers=False
        )
        return annotate_types(annotated, schema=known, dialect="duckdb")
    except SqlglotError:
        return tree


def _texts(node: Any) -> list[Any]:
    return [side for side in _sides(node) if isinstance(side, exp.Literal) and side.is_string]


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
        type_name = str(kind.sql(dialect="trino")).lower().replace("timestamp_ms", "timestamp(3)")
        word = _WORDS.get(type(node), "BETWEEN" if isinstance(node, exp.Between) else "IN")
        raise QueryFailed(
            f"TYPE_MISMATCH: Cannot apply operator: {type_name} {word} varchar({len(text.this)})", SYNTAX
        )


_NO_TEXT: Final = tuple(
    exp.DataType.Type[name]
    for name in (
        *("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN"),
        *("DATE", "TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMPTZ"),
    )
)
