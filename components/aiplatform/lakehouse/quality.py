"""What must hold of a table's rows, in words that both clouds' services have, or in their own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from aiplatform._shared.args import Problem, between, distinct, got, length, nearest
from aiplatform.lakehouse import types
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
"""Rule -> what it must and what it may say besides."""
_TAKES: Final[dict[str, frozenset[str]]] = {
    "between": frozenset({"int", "long", "float", "double", "decimal"}),
    "matches": frozenset({"string"}),
    "one_of": frozenset({"string"}),
    "fresh": frozenset({"date", "timestamp", "timestamptz"}),
}
"""Rule -> the types of columns that it takes; the others take all."""


class LakehouseRuleArgs(TypedDict):
    """One thing that must hold of a table's rows."""

    rule: Rule
    """`complete` (not null), `unique`, `between` (low, high), `one_of` (values), `matches` (a pattern),
    `rows` (how many: low, high) or `fresh` (the newest of a time is at most so many hours old)."""
    column: NotRequired[str]
    """The column, one without parts. Not with `rows`."""
    at_least: NotRequired[float]
    """Of which share of the rows it must hold, above 0 and up to 1; a null is a row that it does not hold of.
    Default 1. Not with `rows` and `fresh`."""
    low: NotRequired[float]
    """The least value, itself allowed."""
    high: NotRequired[float]
    """The greatest value, itself allowed."""
    values: NotRequired[list[str]]
    """The values that there may be."""
    pattern: NotRequired[str]
    """The regular expression that the whole text must match."""
    hours: NotRequired[int]
    """How old the newest row may be, in hours."""


class LakehouseQualityArgs(TypedDict):
    """The rules of a table. A batch that `publishes` it stops where one does not hold, and readers keep what
    they had; on a schedule they are looked at for what is there."""

    rules: NotRequired[list[LakehouseRuleArgs]]
    """What must hold. Default nothing beside `dqdl`."""
    dqdl: NotRequired[list[str]]
    """AWS: further rules as Glue Data Quality writes them, one each: `Mean "amount" between 10 and 50`.
    Default none."""
    schedule: NotRequired[str]
    """When the rules are looked at besides, in UTC, as cron writes it: `0 6 * * *`. Default never."""


def _share(value: Any) -> str | None:
    return None if 0 < value <= 1 else "expected above 0, and at most 1 for all rows"


@dataclass(frozen=True)
class RuleSettings:
    """A checked rule."""

    rule: Rule
    column: Annotated[str, types.column_name] | None = None
    at_least: Annotated[float, _share] | None = None
    low: float | None = None
    high: float | None = None
    values: (
        Annotated[list[Annotated[str, length(1, 255, "characters")]], length(1, 100, "values"), distinct]
        | None
    ) = None
    pattern: Annotated[str, length(1, 512, "characters")] | None = None
    hours: Annotated[int, between(1, 8760, "hours")] | None = None

    def check(self) -> Iterator[Problem]:
        """What the rule must say, and what says nothing with it."""
        must, may = _NEEDS[self.rule]
        for key in ("column", "at_least", "low", "high", "values", "pattern", "hours"):
            value = getattr(self, key)
            if key in must and value is None:
                yield Problem(key, f"missing, expected it with the rule {self.rule}")
            elif value is not None and key not in must | may:
                listed = ", ".join(sorted(must | may)) or "nothing"
                yield Problem(key, f"{got(value)} with the rule {self.rule}, expected {listed} alone")
        if self.rule in ("between", "rows") and self.low is None and self.high is None:
            yield Problem("low", f"missing, expected low, high or both with the rule {self.rule}")
        if self.low is not None and self.high is not None and self.low > self.high:
            yield Problem("high", f"{got(self.high)}, below low, expected at least {self.low}")


def _dqdl(value: Any) -> str | None:
    if value.lstrip().lower().startswith("rules"):
        return 'expected one rule without `Rules = [...]` around it: Completeness "id" > 0.9'
    return None


@dataclass(frozen=True)
class QualitySettings:
    """Checked rules of a table."""

    rules: Annotated[list[RuleSettings], length(0, 200, "rules")] = field(default_factory=list[RuleSettings])
    dqdl: Annotated[
        list[Annotated[str, length(3, 2048, "characters"), _dqdl]], length(0, 100, "rules"), distinct
    ] = field(default_factory=list[str])
    schedule: Annotated[str, schedule_rule] | None = None

    def check(self) -> Iterator[Problem]:
        """That it says anything."""
        if not self.rules and not self.dqdl:
            yield Problem("rules", "got none, expected a rule, or `quality` left out")

    def misfits(self, fields: Sequence[types.Field]) -> Iterator[Problem]:
        """What does not fit the table's columns."""
        for index, rule in enumerate(self.rules):
            if rule.column is None:
                continue
            found = next((field.type for field in fields if field.name == rule.column), None)
            if found is None:
                known = [field.name for field in fields]
                reason = f"{got(rule.column)}, expected a column of the table: {', '.join(known)}"
                yield Problem(f"rules[{index}].column", reason + nearest(rule.column, known))
                continue
            taken = _TAKES.get(rule.rule)
            # Glue Data Quality knows no nested columns ("DQDL rule type reference").
            if not isinstance(found, types.Primitive):
                expected = "expected a column without parts"
            elif taken is not None and found.family not in taken:
                expected = f"{rule.rule} takes {', '.join(sorted(taken))}"
            else:
                continue
            yield Problem(f"rules[{index}].column", f"{got(rule.column)}, which is {found}; {expected}")


def render(quality: QualitySettings) -> str:
    """The rules in the words of Glue Data Quality (Glue developer guide, "Data Quality Definition Language
    (DQDL) reference")."""
    return "Rules = [\n    " + ",\n    ".join([*map(_rendered, quality.rules), *quality.dqdl]) + "\n]"


def _rendered(rule: RuleSettings) -> str:
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
            listed = ", ".join(_text(value) for value in rule.values or [])
            return f"ColumnValues {column} in [{listed}]{_threshold(share)}"
        case "matches":
            return f"ColumnValues {column} matches {_text(rule.pattern or '')}{_threshold(share)}"


def _bounds(rule: RuleSettings, what: str, threshold: str) -> str:
    """Two comparisons: `between` of DQDL leaves both ends out."""
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
