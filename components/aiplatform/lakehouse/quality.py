"""Quality rules of a table: those that both clouds' services have, or in Glue's language."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from aiplatform._shared.args import Problem, between, distinct, got, length, nearest
from aiplatform.lakehouse import types
from aiplatform.lakehouse.inputs import LakehouseQualityArgs as LakehouseQualityArgs
from aiplatform.lakehouse.inputs import LakehouseRuleArgs as LakehouseRuleArgs
from aiplatform.lakehouse.schedules import schedule_rule

Rule = Literal["complete", "unique", "between", "one_of", "matches", "rows", "fresh"]
_NEEDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "complete": (frozenset({"column"}), frozenset({"at_least"})),
    "unique": (frozenset({"column"}), frozenset({"at_least"})),
    "between": (frozenset({"column"}), frozenset({"low", "high", "at_least"})),
    "one_of": (frozenset({"column", "values"}), frozenset({"at_least"})),
    "matches": (frozenset({"column", "pattern"}), frozenset({"at_least"})),
    "rows": (frozenset(), frozenset({"low", "high"})),
    "fresh": (frozenset({"column", "hours"}), frozenset()),
}
"""Rule -> its required and its optional keys."""
_TAKES: Final[dict[str, frozenset[str]]] = {
    "between": frozenset({"int", "long", "float", "double", "decimal"}),
    "matches": frozenset({"string"}),
    "one_of": frozenset({"string"}),
    "fresh": frozenset({"date", "timestamp", "timestamptz"}),
}
"""Rule -> the types of columns that it applies to; the others apply to all."""


def _share(value: Any) -> str | None:
    return None if 0 < value <= 1 else "expected above 0, and at most 1 for all rows"


def _regular_expression(value: str) -> str | None:
    """A rule: refuse what no dialect accepts, such as an open bracket. Glue has Java's dialect and BigQuery
    RE2, which know escapes that Python lacks: these are accepted."""
    try:
        re.compile(value)
    except re.error as error:
        if not error.msg.startswith("bad escape"):
            return f"no regular expression: {error}"
    return None


@dataclass(frozen=True)
class LakehouseRuleSettings:
    """One rule for a table's rows."""

    rule: Rule
    """`complete` (not null), `unique`, `between` (low, high), `one_of` (values), `matches` (a pattern),
    `rows` (the number of rows: low, high) or `fresh` (the newest time is at most `hours` old)."""
    column: Annotated[str, types.column_name] | None = None
    """The column, one without parts. Not with `rows`."""
    at_least: Annotated[float, _share] | None = None
    """The share of the rows that must comply, above 0 and up to 1; a row with null does not. Default 1. Not
    with `rows` and `fresh`."""
    low: float | None = None
    """The least value, inclusive."""
    high: float | None = None
    """The greatest value, inclusive."""
    values: (
        Annotated[list[Annotated[str, length(1, 255, "characters")]], length(1, 100, "values"), distinct]
        | None
    ) = None
    """The allowed values."""
    pattern: Annotated[str, length(1, 512, "characters"), _regular_expression] | None = None
    """The regular expression that the whole text must match."""
    hours: Annotated[int, between(1, 8760, "hours")] | None = None
    """The greatest age of the newest row, in hours."""

    def check(self) -> Iterator[Problem]:
        """Return missing keys, and keys that the rule does not have."""
        required, optional = _NEEDS[self.rule]
        for key in ("column", "at_least", "low", "high", "values", "pattern", "hours"):
            value = getattr(self, key)
            if key in required and value is None:
                yield Problem(key, f"missing; expected it with the rule {self.rule}")
            elif value is not None and key not in required | optional:
                keys = ", ".join(sorted(required | optional)) or "nothing"
                yield Problem(key, f"{got(value)} with the rule {self.rule}; expected only {keys}")
        if self.rule in ("between", "rows") and self.low is None and self.high is None:
            yield Problem("low", f"missing; expected low, high or both with the rule {self.rule}")
        if self.low is not None and self.high is not None and self.low > self.high:
            yield Problem("high", f"{got(self.high)}, below low; expected at least {self.low}")


def _dqdl(value: Any) -> str | None:
    if value.lstrip().lower().startswith("rules"):
        return 'expected one rule without `Rules = [...]` around it: Completeness "id" > 0.9'
    return None


@dataclass(frozen=True)
class LakehouseQualitySettings:
    """The rules of a table. A batch that `publishes` it fails where a rule is violated, and readers continue
    to see the former rows; on a schedule the rules are evaluated for the present rows."""

    rules: Annotated[list[LakehouseRuleSettings], length(0, 200, "rules")] = field(
        default_factory=list[LakehouseRuleSettings]
    )
    """The rules. Default none in addition to `dqdl`."""
    dqdl: Annotated[
        list[Annotated[str, length(3, 2048, "characters"), _dqdl]], length(0, 100, "rules"), distinct
    ] = field(default_factory=list[str])
    """AWS: further rules in the language of Glue Data Quality, one each: `Mean "amount" between 10 and 50`.
    Default none."""
    schedule: Annotated[str, schedule_rule] | None = None
    """When the rules are also evaluated, in UTC, in cron's format: `0 6 * * *`. Default never."""

    def check(self) -> Iterator[Problem]:
        """Return a problem where there is no rule."""
        if not self.rules and not self.dqdl:
            yield Problem("rules", "got none; expected a rule, or to leave out `quality`")

    def misfits(self, fields: Sequence[types.Field]) -> Iterator[Problem]:
        """Return the problems with the table's columns."""
        for index, rule in enumerate(self.rules):
            if rule.column is None:
                continue
            column_type = next((field.type for field in fields if field.name == rule.column), None)
            if column_type is None:
                known = [field.name for field in fields]
                reason = f"{got(rule.column)}; expected a column of the table: {', '.join(known)}"
                yield Problem(f"rules[{index}].column", reason + nearest(rule.column, known))
                continue
            accepted = _TAKES.get(rule.rule)
            # Glue Data Quality does not support nested columns ("DQDL rule type reference").
            if not isinstance(column_type, types.Primitive):
                expected = "expected a column without parts"
            elif accepted is not None and column_type.family not in accepted:
                expected = f"{rule.rule} takes {', '.join(sorted(accepted))}"
            else:
                continue
            yield Problem(f"rules[{index}].column", f"{got(rule.column)}, which is {column_type}; {expected}")


def render(quality: LakehouseQualitySettings) -> str:
    """Return the rules in the language of Glue Data Quality (Glue developer guide, "Data Quality Definition
    Language (DQDL) reference")."""
    return "Rules = [\n    " + ",\n    ".join([*map(_rendered, quality.rules), *quality.dqdl]) + "\n]"


def _rendered(rule: LakehouseRuleSettings) -> str:
    column, share = f'"{rule.column}"', rule.at_least or 1.0
    match rule.rule:
        case "complete":
            return f"IsComplete {column}" if share == 1 else f"Completeness {column} >= {_number(share)}"
        case "unique":
            return f"IsUnique {column}" if share == 1 else f"Uniqueness {column} >= {_number(share)}"
        case "fresh":
            return f"DataFreshness {column} <= {rule.hours} hours"
        case "rows":
            return _bounds(rule, "RowCount", "")
        case "between":
            return _bounds(rule, f"ColumnValues {column}", _threshold(share))
        case "one_of":
            values = ", ".join(_text(value) for value in rule.values or [])
            return f"ColumnValues {column} in [{values}]{_threshold(share)}"
        case "matches":
            return f"ColumnValues {column} matches {_text(rule.pattern or '')}{_threshold(share)}"


def _bounds(rule: LakehouseRuleSettings, what: str, threshold: str) -> str:
    """Two comparisons: `between` of DQDL is exclusive."""
    sides = ((">=", rule.low), ("<=", rule.high))
    parts = [f"{what} {sign} {_number(end)}{threshold}" for sign, end in sides if end is not None]
    return parts[0] if len(parts) == 1 else " and ".join(f"({part})" for part in parts)


def _threshold(share: float) -> str:
    return "" if share == 1 else f" with threshold >= {_number(share)}"


def _number(value: float) -> str:
    return format(value, ".15f").rstrip("0").rstrip(".")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
