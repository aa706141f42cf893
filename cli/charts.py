"""Where the charts of add-ons come from on a twin: its own folder, unless a user names another source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from twin.toolchain.charts import VARIABLE

if TYPE_CHECKING:
    from twin.toolchain.progress import Progress

OPTION: Final = typer.Option(
    None,
    "--charts",
    metavar="SOURCE",
    help="Take charts of add-ons from `upstream`, a folder or an OCI registry. Default: "
    f"${VARIABLE}, else the twin's own charts.",
    show_default=False,
)


def choose(source: str | None) -> None:
    """Let this process's commands take charts from a source; None: as the machine's variable states."""
    if source and source != "upstream" and "://" not in source:
        # The program reads a relative folder as one of the repository, a user means one of the shell's.
        source = str(Path(source).absolute())
    if source:
        os.environ[VARIABLE] = source


def ensure(progress: Progress) -> None:
    """Fetch the twin's own charts, where they are missing and no other source is stated. Raises
    ToolchainError."""
    if not os.environ.get(VARIABLE):
        from twin.toolchain.charts import ensure_charts

        ensure_charts(progress=progress)
