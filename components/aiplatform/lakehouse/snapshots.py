"""Named snapshots of tables: what a training run read, kept so that it can be read again."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from aiplatform._shared.args import Problem, between, got, matches, nearest
from aiplatform.lakehouse.tables import TableSettings

_SNAPSHOT: Final = matches(r"\d{1,19}", "a snapshot's id, in digits")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
OWN: Final = frozenset({"main", "incoming"})
"""Names of branches that have a meaning of their own."""


def _name(value: Any) -> str | None:
    if value in OWN:
        return "which the platform uses itself, expected another name"
    if _NAME.fullmatch(value):
        return None
    return "expected 1 to 128 letters, digits, _, . and -, a letter or digit first"


SnapshotKind = Literal["tag", "branch"]


class LakehouseSnapshotArgs(TypedDict):
    """A name for a snapshot of a table: an Iceberg tag, which never moves, or a branch, which can be written
    to. It is made once; one that is declared no more stays until its time is over or a client removes it."""

    table: str
    """The table, `curated.orders`."""
    name: str
    """What it is called: `training-2026-11`."""
    kind: NotRequired[SnapshotKind]
    """`tag` or `branch`. Default `tag`."""
    snapshot_id: NotRequired[str]
    """Which snapshot, as a training run recorded it, in digits. Default: the newest one when the name is
    made."""
    keep_days: NotRequired[int]
    """How long name and snapshot are kept, in days: 1 to 36500. Default for ever."""


@dataclass(frozen=True)
class SnapshotSettings:
    """A checked name of a snapshot."""

    table: str
    name: Annotated[str, _name]
    kind: SnapshotKind = "tag"
    # A text: over the wire of a component plugin a number has 53 bits, and a snapshot's id 63.
    snapshot_id: Annotated[str, _SNAPSHOT] | None = None
    keep_days: Annotated[int, between(1, 36500, "days")] | None = None


def problems(snapshots: Sequence[SnapshotSettings], tables: Sequence[TableSettings]) -> Iterator[Problem]:
    """Tables that are not there, and names that stand twice."""
    known = {table.path for table in tables}
    seen: set[tuple[str, str]] = set()
    for index, each in enumerate(snapshots):
        if each.table not in known:
            listed = ", ".join(sorted(known)) or "none"
            yield Problem(
                f"snapshots[{index}].table",
                f"{got(each.table)}, expected one of {listed}{nearest(each.table, known)}",
            )
        if (each.table, each.name) in seen:
            yield Problem(
                f"snapshots[{index}].name", f"{got(each.name)} twice for {each.table}, expected once"
            )
        seen.add((each.table, each.name))
