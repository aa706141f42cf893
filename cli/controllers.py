"""The option `--controllers`, and how `twin status` shows the controllers of add-ons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from cli.output import CommandError

if TYPE_CHECKING:
    from twin.lifecycle import Status

OPTION = typer.Option(
    None,
    "--controllers",
    help="Run these controllers of add-ons as processes, as in `kueue,jobset`; `none` for none. "
    "Built on first use. Default: those of the last start.",
    show_default=False,
)
NONE = "none"


def names(value: str | None) -> list[str] | None:
    """Return the names in the option's value; None without one. Raises CommandError for an unknown name."""
    from twin.toolchain.build import SELECTABLE

    if value is None:
        return None
    selected = [name.strip() for name in value.split(",") if name.strip()]
    if selected == [NONE]:
        return []
    unknown = [name for name in selected if name not in SELECTABLE]
    if unknown or not selected:
        problem = f"unknown controller {unknown[0]!r}" if unknown else "no controller"
        raise CommandError(
            f"--controllers {value}: {problem}; expected {NONE} or some of {', '.join(SELECTABLE)}, "
            "separated by commas"
        )
    return selected


def lines(state: Status) -> Iterator[str]:
    """Yield the lines that `twin status` shows below its processes."""
    for controller in state.report.controllers if state.running else ():
        restarts = f", restarted {controller.restarts} times" if controller.restarts else ""
        yield f"controller {controller.name}: {controller.state}{restarts}"
    if state.running and state.report.set_aside:
        yield "Set aside, as their controllers do not run here (docs/twin.md):"
        yield from (f"  {name}" for name in state.report.set_aside)
