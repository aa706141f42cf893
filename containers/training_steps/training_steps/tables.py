"""Tables of the lakehouse, by the catalog of the team's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from training_steps.declaration import FeatureView
from training_steps.errors import RefusedError


def current_snapshot(name: str) -> int:
    """Return the id of the current snapshot of a table, which all steps read. Raises RefusedError for an
    unknown table and one without rows."""
    from pyiceberg.catalog import load_catalog
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    try:
        table: Any = load_catalog().load_table(name)
    except (NoSuchNamespaceError, NoSuchTableError) as error:
        raise RefusedError(f"table {name!r}: {error}; expected a table of the lakehouse") from error
    snapshot = table.current_snapshot()
    if snapshot is None:
        raise RefusedError(f"table {name!r}: it has no snapshot; expected one with rows")
    return int(snapshot.snapshot_id)


def pinned(tables: Iterable[str]) -> dict[str, int]:
    """Return table -> the id of its current snapshot."""
    return {name: current_snapshot(name) for name in dict.fromkeys(tables)}


def features(views: Mapping[str, FeatureView]) -> tuple[dict[str, str], dict[str, int]]:
    """Return the versions of feature views, and the snapshots of their tables."""
    return {name: view.version for name, view in views.items()}, pinned(view.table for view in views.values())
