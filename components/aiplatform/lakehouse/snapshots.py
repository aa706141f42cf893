"""Named snapshots of tables: what a training run read, retained so that it can be read again."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from aiplatform._shared.args import Problem, between, got, matches, nearest
from aiplatform.lakehouse.inputs import LakehouseSnapshotArgs as LakehouseSnapshotArgs
from aiplatform.lakehouse.tables import LakehouseTableSettings

_SNAPSHOT: Final = matches(r"\d{1,19}", "a snapshot's id, in digits")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
RESERVED: Final = frozenset({"main", "incoming"})
"""Names of branches that Iceberg and the platform use."""


def _name(value: Any) -> str | None:
    if value in RESERVED:
        return "which is reserved; expected another name"
    if _NAME.fullmatch(value):
        return None
    return "expected 1 to 128 letters, digits, _, . and -, a letter or digit first"


SnapshotKind = Literal["tag", "branch"]


@dataclass(frozen=True)
class LakehouseSnapshotSettings:
    """A name for a snapshot of a table: an Iceberg tag, which never moves, or a branch, which can be written
    to. It is created once; one that is no longer declared stays until it expires or a client removes it."""

    table: str
    """The table, `curated.orders`."""
    name: Annotated[str, _name]
    """The name: `training-2026-11`."""
    kind: SnapshotKind = "tag"
    """`tag` or `branch`. Default `tag`."""
    # A string: a component plugin transfers numbers with 53 bits, and a snapshot's id has 63.
    snapshot_id: Annotated[str, _SNAPSHOT] | None = None
    """The snapshot's id, as a training run recorded it, in digits. Default: the newest snapshot when the name
    is created."""
    keep_days: Annotated[int, between(1, 36500, "days")] | None = None
    """How long name and snapshot are retained, in days: 1 to 36500. Default without limit."""


def problems(
    snapshots: Sequence[LakehouseSnapshotSettings], tables: Sequence[LakehouseTableSettings]
) -> Iterator[Problem]:
    """Return unknown tables and repeated names."""
    known = {table.path for table in tables}
    seen: set[tuple[str, str]] = set()
    for index, snapshot in enumerate(snapshots):
        if snapshot.table not in known:
            paths = ", ".join(sorted(known)) or "none"
            yield Problem(
                f"snapshots[{index}].table",
                f"{got(snapshot.table)}; expected one of {paths}{nearest(snapshot.table, known)}",
            )
        if (snapshot.table, snapshot.name) in seen:
            yield Problem(
                f"snapshots[{index}].name",
                f"{got(snapshot.name)} twice for {snapshot.table}; expected once",
            )
        seen.add((snapshot.table, snapshot.name))
