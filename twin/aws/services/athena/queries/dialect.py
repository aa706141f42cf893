"""A query of Trino's in DuckDB's words, where the two mean other things by the same ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from twin.aws.services import facts
from twin.aws.services.athena.queries.errors import untranslated

_MILLISECONDS: Final = 3
_FACTS: Final = facts(__name__)
KNOWN: Final = frozenset(_FACTS["known"].split())
"""The functions that Athena knows."""
MACROS: Final = tuple(f"CREATE MACRO {name} AS {body}" for name, body in _FACTS["macros"].items())
"""Functions that DuckDB is given before it is shut."""


def duckdb(tree: exp.Expr) -> str:
    """DuckDB's text of a statement. Raises QueryFailed for what has none."""
    copy = tree.copy()
    for node in list(copy.walk()):
        other = _OTHERWISE.get(type(node))
        if other:
            other(node)
        elif WRITTEN in node.meta:
            _named(node)
    try:
        return copy.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise untranslated(str(error)) from None


def _cast(node: Any) -> None:
    kind = node.args["to"]
    literal = isinstance(node.this, exp.Literal)
    if kind.this in (exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ) and not literal:
        digits = int(kind.expressions[0].name) if kind.expressions else _MILLISECONDS
        fine = exp.DataType.Type.TIMESTAMP if digits > _MILLISECONDS else exp.DataType.Type.TIMESTAMP_MS
        node.set("to", exp.DataType(this=fine))
    elif kind.is_type("decimal") and not kind.expressions:
        node.set("to", exp.DataType.build(_decimal(node.this.name if literal else "")))
    elif kind.is_type(*_WHOLE) and not (literal and node.this.is_string):
        node.set("this", exp.Anonymous(this="athena_whole", expressions=[node.this]))
    elif kind.is_type("varchar", "text") and kind.expressions:
        text = exp.Anonymous(this="athena_varchar", expressions=[node.this])
        node.replace(exp.Anonymous(this="left", expressions=[text, kind.expressions[0].this.copy()]))
    elif kind.is_type("varchar", "text") and not literal and not isinstance(node, exp.TryCast):
        node.replace(exp.Anonymous(this="athena_varchar", expressions=[node.this]))


def _decimal(text: str) -> str:
    """The type of `DECIMAL '1.50'`, and of a plain `decimal`, by Trino's rules."""
    whole, _, fraction = text.strip().lstrip("+-").partition(".")
    digits = len(whole.lstrip("0")) + len(fraction)
    return f"decimal({max(digits, 1)}, {len(fraction)})" if text else "decimal(38, 0)"


_WHOLE: Final = ("tinyint", "smallint", "int", "bigint")


def _difference(node: Any) -> None:
    # DuckDB's date_diff counts the boundaries between two moments, Trino's the whole units.
    unit = exp.Literal.string(str(node.args["unit"].name if node.args.get("unit") else "day").lower())
    node.replace(exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this]))


def _best(name: str) -> Callable[[Any], None]:
    def rename(node: Any) -> None:
        if node.args.get("count") is None:
            node.replace(exp.Anonymous(this=name, expressions=[node.this, node.expression]))

    return rename


def _extracted(node: Any) -> None:
    if not any(node.args.get(name) for name in ("position", "occurrence", "parameters")):
        group = node.args.get("group") or exp.Literal.number(0)
        node.replace(exp.Anonymous(this="athena_extract", expressions=[node.this, node.expression, group]))


def _split(node: Any) -> None:
    parts = [node.this, node.args["delimiter"], node.args["part_index"]]
    node.replace(exp.Anonymous(this="athena_part", expressions=parts))


def _part_of_date(node: Any) -> None:
    if node.this.name.upper() in ("DOW", "DAY_OF_WEEK"):
        node.set("this", exp.var("ISODOW"))  # Trino's week begins with Monday as 1


def _replaced(node: Any) -> None:
    # Groups are `$1` in Java's replacements, and backslashes there escape.
    by = node.args.get("replacement")
    if isinstance(by, exp.Literal):
        node.set("replacement", exp.Literal.string(re.sub(r"(?<!\\)\$(\d)", r"\\\1", by.this)))


_RENAMED: Final = {
    "slice": "athena_slice",
    "array_slice": "athena_slice",
    "array_position": "athena_position",
    "millisecond": "athena_millisecond",
}
_UNTRANSLATED: Final = ("repeat", "typeof")


def _named(node: Any) -> None:
    name = str(node.meta.get(WRITTEN, "")).lower()
    if name in _UNTRANSLATED:
        raise untranslated(f"the function {name}")
    if name in _RENAMED:
        expressions = list(node.iter_expressions())
        node.replace(exp.Anonymous(this=_RENAMED[name], expressions=expressions))


WRITTEN: Final = "athena_name"
"""In a function's meta: its name as the query has it."""

_OTHERWISE: Final[dict[type[Any], Callable[[Any], None]]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.DateDiff: _difference,
    exp.ArgMax: _best("arg_max_null"),
    exp.ArgMin: _best("arg_min_null"),
    exp.RegexpExtract: _extracted,
    exp.SplitPart: _split,
    exp.Extract: _part_of_date,
    exp.RegexpReplace: _replaced,
}


def casts_finely(tree: exp.Expr) -> bool:
    """Whether a statement itself asks for timestamps of more than milliseconds."""
    kinds: Iterable[Any] = tree.find_all(exp.DataType)
    return any(
        function_kind.is_type("timestamp", "timestamptz")
        and function_kind.expressions
        and int(function_kind.expressions[0].name) > _MILLISECONDS
        for function_kind in kinds
    )
