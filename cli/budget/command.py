"""`aiplatform budget`: which queues a budget holds, and their release."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import typer

from cli.budget.holds import Hold, Holds
from cli.maintenance.cluster import KUBECONFIG
from cli.output import CommandError, say, table
from cli.stacks import ENVIRONMENT

app = typer.Typer(name="budget", help="Queues that the budget of an environment holds.", no_args_is_help=True)
_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
QUEUES = typer.Option(
    [], "--queue", metavar="NAME", help="A ClusterQueue; repeatable. Default: all that a budget holds."
)
MONTH = typer.Option(
    "",
    "--month",
    metavar="YYYY-MM",
    help="The month whose alerts do not hold again. Default: this one, UTC.",
    show_default=False,
)


@app.command()
def status(environment: str = ENVIRONMENT, kubeconfig: Path | None = KUBECONFIG) -> None:
    """Print which queues are held, and why."""
    holds = Holds.of(environment, kubeconfig).all()
    if not holds:
        say("the cluster has no ClusterQueue")
        return
    table(("queue", "stopPolicy", "budget", "released"), [row(hold) for hold in holds])


@app.command()
def release(
    environment: str = ENVIRONMENT,
    queues: list[str] = QUEUES,
    month: str = MONTH,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Release queues that a budget holds: they admit again, and this month's alerts hold them no more."""
    if month and not _MONTH.fullmatch(month):
        raise CommandError(f"--month {month}: expected YYYY-MM, as in 2026-11")
    released = Holds.of(environment, kubeconfig).release(queues, month or f"{datetime.now(UTC):%Y-%m}", say)
    if not released:
        say("no queue is held by a budget")


def row(hold: Hold) -> tuple[str, ...]:
    """Return the cells of a queue."""
    return hold.queue, hold.policy, hold.budget or "-", hold.released or "-"
