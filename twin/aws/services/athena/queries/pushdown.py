"""What a query's WHERE says of one table alone, so that only the files that it asks for are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlglot import exp


@dataclass(frozen=True)
class Term:
    """`column operator values`, one of the conditions that all must hold."""

    column: str
    operator: str
    values: tuple[Any, ...]


_OPERATORS: Final = {exp.EQ: "=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_FLIPPED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def terms(table: exp.Table) -> list[Term]:
    """The conditions on this table's columns in the WHERE of the SELECT that it is in."""
    select = table.find_ancestor(exp.Select)
    where = select.args.get("where") if select else None
    if select is None or where is None or table.find_ancestor(exp.Subquery, exp.Select) is not select:
        return []
    alone = not select.args.get("joins") and not select.args.get("laterals")
    terms: list[Term] = []
    for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        terms += _terms(condition.unnest(), table.alias_or_name.lower(), alone)
    return terms


def _terms(condition: exp.Expr, alias: str, alone: bool) -> list[Term]:
    def column(node: Any) -> str:
        if isinstance(node, exp.Column) and (node.table.lower() == alias or (alone and not node.table)):
            return node.name.lower()
        return ""

    operator = _OPERATORS.get(type(condition))  # pyright: ignore[reportArgumentType]
    if operator:
        left, right = condition.this, condition.expression
        if column(left):
            return _term(column(left), operator, [right])
        return _term(column(right), _FLIPPED[operator], [left]) if column(right) else []
    if isinstance(condition, exp.Between) and column(condition.this):
        low, high = condition.args["low"], condition.args["high"]
        name = column(condition.this)
        return [*_term(name, ">=", [low]), *_term(name, "<=", [high])]
    if isinstance(condition, exp.In) and column(condition.this) and condition.expressions:
        return _term(column(condition.this), "in", condition.expressions)
    return []


def _term(column: str, operator: str, nodes: Sequence[Any]) -> list[Term]:
    values = [_value(node) for node in nodes]
    return [] if any(value is None for value in values) else [Term(column, operator, tuple(values))]


def _value(node: Any) -> Any:
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else Decimal(node.this) if "." in node.this else int(node.this)
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        try:
            if node.is_type("date"):
                return date.fromisoformat(node.this.this)
            if node.is_type("timestamp", "timestamptz"):
                return datetime.fromisoformat(node.this.this.replace(" UTC", "+00:00"))
        except ValueError:
            return None
    return None


def iceberg(conditions: Sequence[Term], schema: Any) -> Any:
    """The conditions as pyiceberg's expression; those that it cannot bind are left to DuckDB."""
    from pyiceberg import expressions as of
    from pyiceberg.expressions.visitors import bind

    kinds: dict[str, Any] = {
        "=": of.EqualTo,
        "<": of.LessThan,
        "<=": of.LessThanOrEqual,
        ">": of.GreaterThan,
        ">=": of.GreaterThanOrEqual,
        "in": of.In,
    }
    both: Any = of.And
    expression: Any = of.AlwaysTrue()
    for term in conditions:
        try:
            values = [_literal(value, schema, term.column) for value in term.values]
            one = kinds[term.operator](term.column, values if term.operator == "in" else values[0])
            bind(schema, one, case_sensitive=False)
        except Exception:  # noqa: BLE001, S112 - a condition that cannot be used here only means more files
            continue
        expression = both(expression, one)
    return expression


def _literal(value: Any, schema: Any, column: str) -> Any:
    kind = str(schema.find_type(column, case_sensitive=False))
    if isinstance(value, datetime):
        if kind == "timestamptz" and value.tzinfo is None:
            return f"{value.isoformat()}+00:00"
        return value.isoformat()
    return value.isoformat() if isinstance(value, date) else value
