"""Who may read and write what in a lakehouse."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from pulumi import Input

from aiplatform._shared.args import Problem, distinct, got, length, nearest
from aiplatform._shared.principals import identity, known
from aiplatform.lakehouse.tables import CLASSIFICATIONS, ZONES, Classification, TableSettings, Zone
from aiplatform.naming import dns_label

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_EVERYBODY: Final = re.compile(
    r"\*|IAM_ALLOWED_PRINCIPALS|.*(:root|:IAMPrincipals|/\*)|ALLIAMPrincipals", re.I
)


def role_arn(value: Any) -> str | None:
    """A rule: one IAM role, never everybody."""
    if _ROLE.fullmatch(value):
        return None
    expected = "expected an IAM role's arn, arn:aws:iam::111122223333:role/analysts"
    return f"which is everybody; {expected}" if _EVERYBODY.fullmatch(value) else expected


def condition(value: Any) -> str | None:
    """A rule: one condition in SQL, which stands in brackets of a statement and ends there. It has no
    subquery: neither Lake Formation's filters (its developer guide, "Data filters in Lake Formation") nor row
    access policies of Iceberg tables take one."""
    outside = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", "", value)
    if re.search(r"['\"`;#]|--|/\*", outside):
        return "expected one condition, without `;`, comments or an open quote"
    depth = 0
    for sign in outside:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            break
    if depth:
        return "expected as many closing brackets as opening ones, each after its own"
    if re.search(r"\bselect\b", outside, re.I):
        return "expected a condition without a subquery: filters of rows take none"
    return None


GrantAction = Literal["read", "write"]


class LakehouseGrantArgs(TypedDict):
    """What one workload identity may do. It reads through Athena or an Iceberg catalog that vends
    credentials, never from the buckets."""

    name: str
    """What the grant is called, a DNS label: the team's name."""
    principal: Input[str]
    """Who: the arn of an IAM role. One of IAM Identity Center (`role/aws-reserved/...`) has its rights by its
    permission set, in which you put `client_policies[NAME]`. On Google Cloud a service account
    (`serviceAccount:EMAIL`) or a group (`group:EMAIL`). Nobody else, and never everybody."""
    actions: list[GrantAction]
    """What it may do: `read`, `write` (append and delete rows)."""
    zones: NotRequired[list[str]]
    """On every table of these zones, those that come later included, by their tags; `write` on those alone
    of which every column is of `classifications`. Either this or `tables`."""
    tables: NotRequired[list[str]]
    """On these tables, `curated.orders`."""
    classifications: NotRequired[list[str]]
    """The columns of which classifications. Default `public` and `internal`: what is `pii` is never given
    without being named."""
    rows: NotRequired[str]
    """Only rows for which this condition holds, in SQL: `country = 'DE'`. With `tables` and `read` alone.
    Whoever has one reads through Athena. Default all rows."""


@dataclass(frozen=True)
class GrantSettings:
    """A checked grant."""

    name: Annotated[str, dns_label]
    principal: Input[str]
    actions: Annotated[list[GrantAction], length(1, 2, "actions"), distinct]
    zones: Annotated[list[Zone], distinct] = field(default_factory=list[Zone])
    tables: Annotated[list[str], distinct] = field(default_factory=list[str])
    classifications: Annotated[list[Classification], length(1, 3, "classifications"), distinct] = field(
        default_factory=lambda: list[Classification](["public", "internal"])
    )
    rows: Annotated[str, length(1, 2048, "characters"), condition] | None = None

    def check(self) -> Iterator[Problem]:
        """What it is about, and what cannot be said together."""
        if not self.zones and not self.tables:
            yield Problem("tables", "missing, expected `tables` or `zones`")
        if self.zones and self.tables:
            yield Problem("zones", "got zones beside tables, expected one of the two; make another grant")
        if self.rows is None:
            return
        if self.zones:
            yield Problem("rows", f"{got(self.rows)} beside zones, expected `tables`: the rows of which?")
        if self.actions != ["read"]:
            yield Problem("rows", f"{got(self.rows)} with {', '.join(self.actions)}, expected read alone")

    def misfits(self, tables: Sequence[TableSettings]) -> Iterator[Problem]:
        """What does not fit the tables that there are."""
        known = {table.path: table for table in tables}
        for index, path in enumerate(self.tables):
            where = f"tables[{index}]"
            table = known.get(path)
            if table is None:
                listed = ", ".join(known) or "none"
                yield Problem(where, f"{got(path)}, expected one of {listed}{nearest(path, known)}")
                continue
            if self.rows is not None and not _tells_of(self.rows, table):
                known_columns = ", ".join(column.name for column in table.columns)
                yield Problem(
                    "rows", f"{got(self.rows)}, expected a condition on columns of {path}: {known_columns}"
                )
            seen = table.columns_of(self.classifications)
            if not seen:
                yield Problem(
                    where, f"{got(path)}, of whose columns none is {' or '.join(self.classifications)}"
                )
            elif "write" in self.actions and len(seen) < len(table.columns):
                missing = [each for each in CLASSIFICATIONS if each not in self.classifications]
                needed = [each for each in missing if table.columns_of([each])]
                yield Problem(
                    "classifications",
                    f"{', '.join(self.classifications)} with write on {path}, expected also "
                    f"{', '.join(needed)}: whoever writes a row writes all of its columns",
                )


def _tells_of(rows: str, table: TableSettings) -> bool:
    """Whether a condition names a column of the table. Which of its other words are functions or names that
    are wrong, the cloud knows."""
    outside = re.sub(r"'(?:[^'\\]|\\.)*'", "", rows)
    words = {word.lower() for word in re.findall(r"[A-Za-z_]\w*", outside)}
    return any(column.name in words for column in table.columns)


def _called(grant: GrantSettings) -> str:
    return known(grant.principal) or "the same output"


def everything(grants: Sequence[GrantSettings]) -> Iterator[Problem]:
    """Principals that would get all that there is, by one grant or by several."""
    given: dict[str, set[tuple[str, str]]] = {}
    for index, grant in enumerate(grants):
        who = known(grant.principal) or f"grant {grant.name}"
        pairs = given.setdefault(identity(grant.principal), set())
        before = len(pairs)
        pairs |= {(zone, each) for zone in grant.zones for each in grant.classifications}
        if before < len(pairs) == len(ZONES) * len(CLASSIFICATIONS):
            yield Problem(
                f"grants[{index}].zones",
                f"got every zone and classification for {who}, expected less: nobody gets everything",
            )


def overlaps(grants: Sequence[GrantSettings]) -> Iterator[Problem]:
    """Grants of one principal that say the same twice, so that taking one back would take both."""
    seen: dict[tuple[str, str], GrantSettings] = {}
    for index, grant in enumerate(grants):
        for what in (*grant.tables, *grant.zones):
            before = seen.setdefault((identity(grant.principal), what), grant)
            if before is not grant and not (before.rows and grant.rows):
                key = "tables" if grant.tables else "zones"
                yield Problem(
                    f"grants[{index}].{key}",
                    f"got {what} for {_called(grant)}, which grant {before.name!r} gives already, "
                    "expected one grant of both",
                )


def passed_by(grants: Sequence[GrantSettings]) -> Iterator[Problem]:
    """Conditions on rows that another grant of the same principal passes by."""
    for index, grant in enumerate(grants):
        if grant.rows is None:
            continue
        zones = {path.partition(".")[0] for path in grant.tables}
        for other in grants:
            same = identity(other.principal) == identity(grant.principal)
            shared = zones & {*other.zones} if same else set[str]()
            if shared:
                yield Problem(
                    f"grants[{index}].rows",
                    f"{got(grant.rows)} for {_called(grant)}, which grant {other.name!r} shows all rows of "
                    f"{', '.join(sorted(shared))}, expected one of the two",
                )
