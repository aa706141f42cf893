"""The command `aiplatform sweep`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.output import CommandError, note, say
from cli.stacks import ENVIRONMENT, PANEL

if TYPE_CHECKING:
    from cli.sweep.report import Report
    from cli.sweep.state import State

AS_JSON = typer.Option(False, "--json", help="Print a JSON document.")
CLOUD = typer.Option(
    False,
    "--cloud",
    help="Sweep the account or project that the credentials of this shell reach, instead of the twin.",
)
REMOVE = typer.Option(False, "--remove", help="Delete what is left, after the environment's name was typed.")
YES = typer.Option(False, "--yes", help="With --remove: ask nothing.")
STATE = typer.Option(
    None,
    "--state",
    metavar="FILE",
    help="With --cloud: read the stack's state from a file of `pulumi stack export`. Once for each stack.",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(sweep)


def sweep(
    environment: str = ENVIRONMENT,
    as_json: bool = AS_JSON,
    cloud: bool = CLOUD,
    remove: bool = REMOVE,
    yes: bool = YES,
    state: list[Path] | None = STATE,
) -> None:
    """List what an environment left in the account after `destroy`, with its costs, and remove it on request.

    Resources are recognised by their tags, names and networks; none that another environment's or cluster's
    tag claims is ever removed, and none that the stack's state contains. Exits with 0 where nothing is left,
    with 2 where something is, with 3 where the environment's cluster exists, and with 1 where a removal
    failed or the account could not be read (docs/operations/sweep.md).
    """
    if state and not cloud:
        raise CommandError("--state: the state on a twin is read from the twin; expected with --cloud only")
    if yes and not remove:
        raise CommandError("--yes: there is no question to answer; expected with --remove only")
    if remove and not yes and (as_json or not can_ask()):
        raise CommandError("--remove: the environment's name cannot be typed here; expected --yes")
    from cli import instances
    from cli.sweep import state as states

    known = instances.of_environment(environment)
    if cloud:
        contained = states.of_files(state) if state else states.of_backend(environment)
        report = _swept(environment, known, contained, remove, yes, as_json, on_twin=False)
    else:
        from cli.clients import variables
        from cli.stacks import running
        from twin import environment as of_twin

        instance = running(environment)
        contained = states.of_twin(environment)
        with variables.only(of_twin.complete(instance)):
            report = _swept(environment, known, contained, remove, yes, as_json, on_twin=True)
    if as_json:
        say(json.dumps(report.document(), indent=1))
    raise typer.Exit(report.exit_code)


def can_ask() -> bool:
    """Return whether a user can type an answer."""
    return sys.stdin.isatty()


def _swept(
    environment: str,
    known: Mapping[str, str],
    contained: State,
    remove: bool,
    yes: bool,
    as_json: bool,
    *,
    on_twin: bool,
) -> Report:
    from cli import clients
    from cli.estimate import table
    from cli.sweep import account, claims, identity, removal
    from cli.sweep import report as results
    from cli.sweep.item import Scope
    from cli.sweep.report import Report

    scope = Scope(
        identity.load(environment),
        known["cloud"],
        known["region"],
        known["account"],
        clients.of(known["cloud"], known["region"], known["account"], on_twin=on_twin),
        on_twin,
    )
    account.check(scope)
    reading = account.read(scope)
    report = Report(
        environment,
        scope.account,
        "twin" if on_twin else "cloud",
        claims.evaluate(reading.items, scope.identity, contained.ids),
        table.load(scope.cloud),
        scope.region,
        reading.unread,
        contained.count,
    )
    if not as_json:
        report.show()
    if remove and report.of("left"):
        if not yes:
            _confirm(environment, len(report.of("left")))
        # In a JSON document its results are part of the document.
        print_line = note if as_json else say
        report.removed = removal.remove(
            scope, reading, report.entries, contained.ids, lambda result: print_line(results.line(result))
        )
    return report


def _confirm(environment: str, count: int) -> None:
    typed = typer.prompt(f"Type {environment} to delete {count} resources", default="", show_default=False)
    if typed.strip() != environment:
        raise CommandError(f"nothing was removed: got {typed!r}; expected {environment}")
