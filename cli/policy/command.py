"""The command `aiplatform policy`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from cli import charts, layer_stacks
from cli.output import CommandError, lock_timeout, note, say
from cli.policy import events, files, report
from cli.progress import show_progress
from cli.stacks import ENVIRONMENT, PANEL, started

if TYPE_CHECKING:
    from twin.instances import Instance
    from twin.watch import Watch

SARIF = typer.Option(
    None, "--sarif", help="Write the violations to this file for code scanning (SARIF 2.1.0)."
)
JUNIT = typer.Option(
    None, "--junit", help="Write the violations to this file for CI's test views (JUnit XML)."
)
CONFIG = typer.Option(None, "--config", help="Configure the pack by this JSON file, in Pulumi's format.")
VIOLATIONS: Final = 1
INCOMPLETE: Final = 2
INTERRUPTED: Final = 130


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(policy)


def policy(
    environment: str = ENVIRONMENT,
    sarif: Path | None = SARIF,
    junit: Path | None = JUNIT,
    config: Path | None = CONFIG,
    source: str | None = charts.OPTION,
) -> None:
    """Report the violations of policies in an environment's preview.

    Starts the twin where it does not run, and changes nothing. Checks of values that the preview does not
    know are deferred to `up`. Exits with 1 for a mandatory violation, with 2 when the evaluation is
    incomplete.
    """
    charts.choose(source)
    with _errors_as_incomplete():
        sarif = files.target(sarif, "--sarif") if sarif else None
        junit = files.target(junit, "--junit") if junit else None
        if sarif and sarif == junit:
            raise CommandError(f"--sarif and --junit: both are {sarif}, expected two files")
        config = files.configuration(config) if config else None
        stacks = layer_stacks.of(environment)
        instance = started(environment)
        try:
            evaluation = _evaluate_all(instance, environment, stacks, config)
        except KeyboardInterrupt:
            note("interrupted: the preview has ended; nothing was changed or evaluated")
            raise typer.Exit(INTERRUPTED) from None
    for line in report.lines(evaluation, environment):
        say(line)
    try:
        if sarif:
            sarif.write_text(report.sarif(evaluation, f"environments/Pulumi.{environment}.yaml"))
        if junit:
            report.junit(evaluation, environment, junit)
    except OSError as error:
        raise CommandError(f"the report could not be written: {error}", INCOMPLETE) from None
    if not evaluation.complete:
        reasons = evaluation.failures or ["the engine ended early; its messages, if any, are above"]
        note("\n".join(["the preview failed, so the evaluation is incomplete:", *reasons]))
    if evaluation.mandatory:
        raise typer.Exit(VIOLATIONS)
    if not evaluation.complete:
        raise typer.Exit(INCOMPLETE)


def _evaluate_all(
    instance: Instance, environment: str, stacks: Sequence[str], config: Path | None
) -> events.Evaluation:
    """Return the results of all stacks. One that cannot be previewed leaves the evaluation incomplete."""
    evaluation = _evaluate(instance, environment, config)
    for stack in stacks[1:]:
        if layer_stacks.can_preview(instance, environment, stack):
            evaluation.add(_evaluate(instance, stack, config))
        else:
            evaluation.errors.append(layer_stacks.not_deployed(environment, stack))
    return evaluation


def _evaluate(instance: Instance, name: str, config: Path | None) -> events.Evaluation:
    from twin.watch import Watch

    with (
        show_progress() as progress,
        progress.step("preview with the policy pack"),
        Watch(instance, note) as watch,
    ):
        evaluation = events.read(_preview(instance, name, config, watch))
    if watch.failure:
        note(f"the preview was ended because the twin stopped running: {watch.failure}")
    return evaluation


@contextlib.contextmanager
def _errors_as_incomplete() -> Iterator[None]:
    """Exit with INCOMPLETE for an error of the twin: CI must not take it for a violation."""
    from filelock import Timeout

    from twin.instances import InstanceError
    from twin.processes import ProcessError
    from twin.toolchain.errors import ToolchainError

    try:
        yield
    except (CommandError, ProcessError, ToolchainError, InstanceError) as error:
        raise CommandError(str(error), INCOMPLETE) from error
    except Timeout as error:
        raise CommandError(lock_timeout(error.lock_file), INCOMPLETE) from error


def _preview(instance: Instance, name: str, config: Path | None, watch: Watch) -> Iterator[str]:
    """Yield the engine's events."""
    from cli import engine, engine_settings
    from twin import environment

    command: Sequence[str] = [
        environment.engine(instance),
        "preview",
        "--json",
        "--non-interactive",
        "--policy-pack",
        str(files.PACK),
        *(["--policy-pack-config", str(config)] if config else []),
        "--stack",
        name,
        "--config-file",
        str(engine.ensure_stack(instance, name)),
    ]
    variables = {
        **environment.complete(instance),
        **engine_settings.variables(command[1:]),
        "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true",
    }
    return engine.read_lines(command, variables, watch)
