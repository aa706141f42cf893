"""The command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from cli.output import CommandError, held, note, say
from cli.policy import events, files, report
from cli.progress import shown
from cli.stacks import ENVIRONMENT, PANEL, started

if TYPE_CHECKING:
    from twin.watch import Watch
    from twin.world import World

SARIF = typer.Option(None, "--sarif", help="Write the faults there for code scanning (SARIF 2.1.0).")
JUNIT = typer.Option(None, "--junit", help="Write the faults there for CI's test views (JUnit XML).")
CONFIG = typer.Option(None, "--config", help="A JSON file that configures the pack, as `pulumi` takes it.")
FAULTS: Final = 1
BROKEN: Final = 2
INTERRUPTED: Final = 130


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(policy)


def policy(
    environment: str = ENVIRONMENT,
    sarif: Path | None = SARIF,
    junit: Path | None = JUNIT,
    config: Path | None = CONFIG,
) -> None:
    """Preview an environment on its twin with the policy pack, and report what it says, by severity.

    Changes nothing. What is known only when it has been made is judged at `up`; in an environment that is up
    all is known. Exits with 1 for a mandatory fault, with 2 when not all could be judged.
    """
    with _nothing_judged():
        sarif = files.target(sarif, "--sarif") if sarif else None
        junit = files.target(junit, "--junit") if junit else None
        if sarif and sarif == junit:
            raise CommandError(f"--sarif and --junit: both are {sarif}, expected two files")
        config = files.configuration(config) if config else None
        world = started(environment)
        try:
            judgement = _judged(world, environment, config)
        except KeyboardInterrupt:
            note("interrupted: the preview has ended, and nothing was changed or judged")
            raise typer.Exit(INTERRUPTED) from None
    for line in report.lines(judgement, environment):
        say(line)
    try:
        if sarif:
            sarif.write_text(report.sarif(judgement, f"environments/Pulumi.{environment}.yaml"))
        if junit:
            report.junit(judgement, environment, junit)
    except OSError as error:
        raise CommandError(f"the report could not be written: {error}", BROKEN) from None
    if not judgement.complete:
        why = judgement.wrong or ["it broke off before its end; the engine's own words, if any, are above"]
        note("\n".join(["the preview went wrong, so not all was judged:", *why]))
    if judgement.mandatory:
        raise typer.Exit(FAULTS)
    if not judgement.complete:
        raise typer.Exit(BROKEN)


def _judged(world: World, name: str, config: Path | None) -> events.Judgement:
    from twin.watch import Watch

    with shown() as progress, progress.step("preview under the policies"), Watch(world, note) as watch:
        judgement = events.read(_preview(world, name, config, watch))
    if watch.failure:
        note(f"the preview was ended, as the twin does not run any more: {watch.failure}")
    return judgement


@contextlib.contextmanager
def _nothing_judged() -> Iterator[None]:
    """Whoever waits for a verdict is not told that there is a fault where nothing was judged."""
    from filelock import Timeout

    from twin.processes import ProcessError
    from twin.toolchain.errors import ToolchainError
    from twin.world import WorldError

    try:
        yield
    except (CommandError, ProcessError, ToolchainError, WorldError) as error:
        raise CommandError(str(error), BROKEN) from error
    except Timeout as error:
        raise CommandError(held(error.lock_file), BROKEN) from error


def _preview(world: World, name: str, config: Path | None, watch: Watch) -> Iterator[str]:
    """The engine's events."""
    from cli import engine, engine_settings
    from twin import environment

    command: Sequence[str] = [
        environment.engine(world),
        "preview",
        "--json",
        "--non-interactive",
        "--policy-pack",
        str(files.PACK),
        *(["--policy-pack-config", str(config)] if config else []),
        "--stack",
        name,
        "--config-file",
        str(engine.ensure_stack(world, name)),
    ]
    variables = {
        **environment.complete(world),
        **engine_settings.variables(command[1:]),
        "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true",
    }
    return engine.heard(command, variables, watch)
