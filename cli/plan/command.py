"""The commands. They read what the engine has said already, and run nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import typer

from cli.output import note, say
from cli.plan import comparing, reading

DIFFERS: Final = 1
TARGET = typer.Argument(metavar="PLAN", help="The file to write.", show_default=False)
APPROVED = typer.Argument(help="The plan that was approved.", show_default=False)
NOW = typer.Argument(help="The plan of now.", show_default=False)
FILE = typer.Argument(metavar="PLAN", help="A file that `plan save` wrote.", show_default=False)
app = typer.Typer(
    help="What a preview would do, to be compared with what was approved: for CI, of any stack.",
    no_args_is_help=True,
)


@app.command()
def save(file: Path = TARGET) -> None:
    """Read a preview's events from stdin and write its plan: operations, diffs, what policies say.

    The plan holds no value, only digests: secrets stay where they are. Exits with 1, and writes nothing, when
    the preview failed or did not come to its end.

        PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json | aiplatform plan save plan.json
    """
    plan = reading.read(sys.stdin)
    reading.write(plan, file)
    for line in comparing.lines(plan):
        say(line)


@app.command()
def show(
    file: Path = FILE,
    expect_no_changes: bool = typer.Option(
        False, "--expect-no-changes", help="Exit with 1 when the plan has an operation."
    ),
    refuse_faults: bool = typer.Option(
        False, "--refuse-faults", help="Exit with 1 when a policy has found a mandatory fault."
    ),
) -> None:
    """Print a plan."""
    plan = reading.load(file)
    for line in comparing.lines(plan):
        say(line)
    if (expect_no_changes and plan.operations) or (refuse_faults and plan.mandatory):
        raise typer.Exit(DIFFERS)


@app.command()
def compare(approved: Path = APPROVED, now: Path = NOW) -> None:
    """Say where two plans differ; exits with 1 when they do.

    Operations are compared by URN, with their detailed diffs and the digests of their inputs, and the results
    of the policies one by one.
    """
    found = comparing.differences(reading.load(approved), reading.load(now))
    if found:
        note(f"{len(found)} difference(s) from what was approved:")
        for line in found:
            note(f"  {line}")
        raise typer.Exit(DIFFERS)
    say("the same as approved")
