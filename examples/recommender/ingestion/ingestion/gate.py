"""The quality gate: an object of raw becomes rows of curated, or goes to quarantine with its reasons.

An object is delivered at least once: a row whose id the table has is not appended again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
from pyarrow import fs
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThanOrEqual

from ingestion.records import OF_FOLDER, InvalidError, Kind, Row, read

_ATTEMPTS: Final = 6
log = logging.getLogger("ingestion")


@dataclass(frozen=True)
class Result:
    """rows: appended. known: of the object that the table had. refused: lines in quarantine. reason: why the
    object is refused as a whole; None: it is not."""

    rows: int = 0
    known: int = 0
    refused: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Gate:
    """tables: folder (`clicks`) -> table of the catalog `default`. properties: of that catalog, in addition
    to its variables. incoming, quarantine: prefixes of keys."""

    tables: dict[str, str]
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    incoming: str = "files/incoming/"
    quarantine: str = "files/quarantine/"

    def register(self, system: fs.FileSystem, bucket: str, key: str) -> Result:
        """Register an object. bucket: or the folder in which keys are files. Raises KeyError for one of no
        known folder: the rule of events names the folders."""
        kind = OF_FOLDER[(folder := key.removeprefix(self.incoming).partition("/")[0])]
        with system.open_input_stream(f"{bucket}/{key}") as file:
            content = file.read()
        try:
            valid = read(kind, content, f"{bucket}/{key}")
        except InvalidError as error:
            self._refuse(system, bucket, key, content, str(error))
            return Result(reason=str(error))
        if valid.refused:
            lines = "\n".join(line for line, _ in valid.refused)
            self._refuse(
                system, bucket, key, lines.encode(), "\n".join(reason for _, reason in valid.refused)
            )
        appended = append(self.tables[folder], kind, valid.rows, self.properties)
        return Result(appended, len(valid.rows) - appended, len(valid.refused))

    def _refuse(self, system: fs.FileSystem, bucket: str, key: str, content: bytes, reasons: str) -> None:
        target = f"{bucket}/{self.quarantine}{key.removeprefix(self.incoming)}"
        if isinstance(system, fs.LocalFileSystem):
            system.create_dir(target.rpartition("/")[0])
        for name, data in ((target, content), (f"{target}.reason.txt", reasons.encode())):
            with system.open_output_stream(name) as file:
                file.write(data)
        log.warning("%s: in quarantine: %s", key, reasons.partition("\n")[0])


def append(name: str, kind: Kind, rows: Sequence[Row], properties: Mapping[str, Any]) -> int:
    """Append the rows that a table lacks, by a commit that fails where another one was in between; then they
    are determined again. Returns their number."""
    for attempt in range(_ATTEMPTS):
        table = load_catalog("default", **properties).load_table(name)
        known = _ids(table, kind, rows)
        new = [row for row in rows if row[kind.key] not in known]
        if not new:
            return 0
        # Of this copy: PyIceberg would repeat the commit on top of one that it has not compared with.
        table.metadata.properties["commit.retry.num-retries"] = "0"
        try:
            table.append(pa.Table.from_pylist(new, schema=table.schema().as_arrow()))
        except CommitFailedException:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.2 * 2**attempt)
        else:
            return len(new)
    return 0


def _ids(table: Any, kind: Kind, rows: Sequence[Row]) -> set[str]:
    """Return the ids of the table's rows between the first and the last of these."""
    times = [row["happened_at"] for row in rows]
    where = And(
        GreaterThanOrEqual("happened_at", min(times).isoformat()),
        LessThanOrEqual("happened_at", max(times).isoformat()),
    )
    return set(
        table.scan(row_filter=where, selected_fields=(kind.key, "happened_at"))
        .to_arrow()[kind.key]
        .to_pylist()
    )
