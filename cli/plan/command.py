"""The commands of `aiplatform plan`. They read output of the engine, and run nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import typer

from cli.output import note, say
from cli.plan.diff import differences, lines
from cli.plan.load import load_plan, read_events, write_plan

DIFFERS: Final = 1
TARGET = typer.Argument(metavar="PLAN", help="File to write.", show_default=False)
APPROVED = typer.Argument(help="Plan that was approved.", show_default=False)
NOW = typer.Argument(help="Plan to compare with it.", show_default=False)
FILE = typer.Argument(metavar="PLAN", help="File that `plan save` wrote.", show_default=False)
app = typer.Typer(
    help=(
        "Save and compare plans of previews.\n\n"
        "CI applies what was approved, and nothing else. Works with any stack of any Pulumi program."
    ),
    no_args_is_help=True,
)


@app.command()
def save(file: Path = TARGET) -> None:
    """Write the plan of a preview, whose events are read from stdin.

    The plan contains operations, diffs and violations of policies; digests instead of values, so no secrets.
    Exits with 1, and writes nothing, when the preview
    failed or is incomplete.

        PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json | aiplatform plan save plan.json
    """
    plan = read_events(sys.stdin)
    write_plan(plan, file)
    for line in lines(plan):
        say(line)


@app.command()
def show(
    file: Path = FILE,
    expect_no_changes: bool = typer.Option(
        False, "--expect-no-changes", help="Exit with 1 when the plan has an operation."
    ),
    refuse_violations: bool = typer.Option(
        False,
        "--refuse-violations",
        "--refuse-faults",
        help="Exit with 1 when the plan has a mandatory violation.",
    ),
) -> None:
    """Print a plan."""
    plan = load_plan(file)
    for line in lines(plan):
        say(line)
    if (expect_no_changes and plan.operations) or (refuse_violations and plan.mandatory):
        raise typer.Exit(DIFFERS)


@app.command()
def compare(approved: Path = APPROVED, now: Path = NOW) -> None:
    """Report the differences between two plans.

    Exits with 1 when there are any. Operations are compared by URN, with their detailed diffs and the digests
    of their inputs; violations one by one.
    """
    changes = differences(load_plan(approved), load_plan(now))
    if changes:
        note(f"{len(changes)} difference(s) from the approved plan:")
        for line in changes:
            note(f"  {line}")
        raise typer.Exit(DIFFERS)
    say("the plan is the approved one")
