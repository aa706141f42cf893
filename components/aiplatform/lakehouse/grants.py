"""Grants: what principals may read and write in a lakehouse."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pulumi import Input

from aiplatform._shared.args import Problem, distinct, got, length, nearest
from aiplatform._shared.principals import identity, known
from aiplatform.lakehouse.inputs import LakehouseGrantArgs as LakehouseGrantArgs
from aiplatform.lakehouse.tables import CLASSIFICATIONS, ZONES, Classification, LakehouseTableSettings, Zone
from aiplatform.naming import dns_label

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_EVERYBODY: Final = re.compile(
    r"\*|IAM_ALLOWED_PRINCIPALS|.*(:root|:IAMPrincipals|/\*)|ALLIAMPrincipals", re.I
)


def role_arn(value: Any) -> str | None:
    """A rule: one IAM role, never all principals."""
    if _ROLE.fullmatch(value):
        return None
    expected = "expected an IAM role's arn, arn:aws:iam::111122223333:role/analysts"
    return f"which is everybody; {expected}" if _EVERYBODY.fullmatch(value) else expected


def condition(value: Any) -> str | None:
    """A rule: one complete condition in SQL, which a statement contains in parentheses. It has no subquery:
    neither Lake Formation's filters (its developer guide, "Data filters in Lake Formation") nor row access
    policies of Iceberg tables support one."""
    outside = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", "", value)
    if re.search(r"['\"`;#]|--|/\*", outside):
        return "expected one condition, without `;`, comments or an open quote"
    depth = 0
    for sign in outside:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            break
    if depth:
        return "expected balanced parentheses"
    if re.search(r"\bselect\b", outside, re.I):
        return "expected a condition without a subquery: row filters support none"
    return None


GrantAction = Literal["read", "write"]


@dataclass(frozen=True)
class LakehouseGrantSettings:
    """What one principal may do. It reads through the query engine or an Iceberg catalog that vends
    credentials, never from the buckets."""

    name: Annotated[str, dns_label]
    """The grant's name, a DNS label: the team's name."""
    principal: Input[str]
    """The principal. AWS: the arn of an IAM role. A role of IAM Identity Center (`role/aws-reserved/...`)
    gets its permissions from its permission set: add `client_policies[NAME]` to it. Google Cloud: a service
    account (`serviceAccount:EMAIL`) or a group (`group:EMAIL`). Not a wildcard or all principals."""
    actions: Annotated[list[GrantAction], length(1, 2, "actions"), distinct]
    """`read`, `write` (append and delete rows)."""
    zones: Annotated[list[Zone], distinct] = field(default_factory=list[Zone])
    """All tables of these zones, later ones included, by their tags; `write` only on tables of which every
    column has one of `classifications`. Either this or `tables`."""
    tables: Annotated[list[str], distinct] = field(default_factory=list[str])
    """These tables, `curated.orders`."""
    classifications: Annotated[list[Classification], length(1, 3, "classifications"), distinct] = field(
        default_factory=lambda: list[Classification](["public", "internal"])
    )
    """Only columns with these classifications. Default `public` and `internal`: `pii` is granted only where
    it is listed."""
    rows: Annotated[str, length(1, 2048, "characters"), condition] | None = None
    """Only rows that meet this condition, in SQL: `country = 'DE'`. Only with `tables` and `read`. The
    principal then reads through the query engine only (Athena, BigQuery). Default all rows."""
    billing: bool = False
    """Whether it reads what the environment costs, too: the table and views of `billing_export`, on Google
    Cloud only the views. Only with `read`; alone, or together with `tables` or `zones`. Default false."""

    def check(self) -> Iterator[Problem]:
        """Return missing and contradicting keys."""
        if not self.zones and not self.tables and not self.billing:
            yield Problem("tables", "missing; expected `tables`, `zones` or `billing`")
        if self.billing and "read" not in self.actions:
            yield Problem("billing", "got true without `read`; expected `read`, the only action on costs")
        if self.zones and self.tables:
            yield Problem(
                "zones", "got zones together with tables; expected one of the two; add another grant"
            )
        if self.rows is None:
            return
        if self.zones:
            yield Problem("rows", f"{got(self.rows)} together with zones; expected `tables`")
        if self.actions != ["read"]:
            yield Problem("rows", f"{got(self.rows)} with {', '.join(self.actions)}; expected only read")

    def misfits(self, tables: Sequence[LakehouseTableSettings]) -> Iterator[Problem]:
        """Return the problems with the declared tables."""
        known = {table.path: table for table in tables}
        for index, path in enumerate(self.tables):
            where = f"tables[{index}]"
            table = known.get(path)
            if table is None:
                paths = ", ".join(known) or "none"
                yield Problem(where, f"{got(path)}; expected one of {paths}{nearest(path, known)}")
                continue
            if self.rows is not None and not _names_column(self.rows, table):
                known_columns = ", ".join(column.name for column in table.columns)
                yield Problem(
                    "rows", f"{got(self.rows)}; expected a condition on columns of {path}: {known_columns}"
                )
            visible = table.columns_of(self.classifications)
            if not visible:
                yield Problem(
                    where, f"{got(path)}, which has no column that is {' or '.join(self.classifications)}"
                )
            elif "write" in self.actions and len(visible) < len(table.columns):
                missing = [
                    classification
                    for classification in CLASSIFICATIONS
                    if classification not in self.classifications and table.columns_of([classification])
                ]
                yield Problem(
                    "classifications",
                    f"{', '.join(self.classifications)} with write on {path}; expected also "
                    f"{', '.join(missing)}: writing a row writes all of its columns",
                )


def _names_column(rows: str, table: LakehouseTableSettings) -> bool:
    """Whether a condition names a column of the table. Its other words, functions and wrong names, are
    checked by the cloud."""
    outside = re.sub(r"'(?:[^'\\]|\\.)*'", "", rows)
    words = {word.lower() for word in re.findall(r"[A-Za-z_]\w*", outside)}
    return any(column.name in words for column in table.columns)


def _principal_text(grant: LakehouseGrantSettings) -> str:
    return known(grant.principal) or "the same output"


def grants_of_everything(grants: Sequence[LakehouseGrantSettings]) -> Iterator[Problem]:
    """Return principals that would get every zone and classification, by one grant or by several."""
    granted: dict[str, set[tuple[str, str]]] = {}
    for index, grant in enumerate(grants):
        principal = known(grant.principal) or f"grant {grant.name}"
        pairs = granted.setdefault(identity(grant.principal), set())
        before = len(pairs)
        pairs |= {(zone, level) for zone in grant.zones for level in grant.classifications}
        if before < len(pairs) == len(ZONES) * len(CLASSIFICATIONS):
            yield Problem(
                f"grants[{index}].zones",
                f"got every zone and classification for {principal}; expected less: no principal gets "
                "everything",
            )


def overlapping_grants(grants: Sequence[LakehouseGrantSettings]) -> Iterator[Problem]:
    """Return grants of one principal on the same target: revoking one would revoke both."""
    seen: dict[tuple[str, str], LakehouseGrantSettings] = {}
    for index, grant in enumerate(grants):
        for target in (*grant.tables, *grant.zones):
            before = seen.setdefault((identity(grant.principal), target), grant)
            if before is not grant and not (before.rows and grant.rows):
                key = "tables" if grant.tables else "zones"
                yield Problem(
                    f"grants[{index}].{key}",
                    f"got {target} for {_principal_text(grant)}, which grant {before.name!r} has already; "
                    "expected one grant for both",
                )


def ineffective_conditions(grants: Sequence[LakehouseGrantSettings]) -> Iterator[Problem]:
    """Return conditions on rows that another grant of the same principal makes ineffective."""
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
                    f"{got(grant.rows)} for {_principal_text(grant)}, to which grant {other.name!r} shows "
                    f"all rows of {', '.join(sorted(shared))}; expected one of the two",
                )
