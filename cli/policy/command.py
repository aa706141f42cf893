"""The command."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from cli.output import CommandError, note, say
from cli.policy import events, report
from cli.stacks import ENVIRONMENT, PANEL, started

if TYPE_CHECKING:
    from twin.world import World

PACK: Final = "policies"
SARIF = typer.Option(None, "--sarif", help="Write the faults there for code scanning (SARIF 2.1.0).")
JUNIT = typer.Option(None, "--junit", help="Write the faults there for CI's test views (JUnit XML).")
CONFIG = typer.Option(None, "--config", help="A JSON file that configures the pack, as `pulumi` takes it.")
FAULTS: Final = 1
BROKEN: Final = 2


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
    all is known. Exits with 1 for a mandatory fault, with 2 when the preview itself went wrong.
    """
    world = started(environment)
    judgement = events.read(_preview(world, environment, config))
    for line in report.lines(judgement, environment):
        say(line)
    if sarif is not None:
        sarif.write_text(report.sarif(judgement, f"environments/Pulumi.{environment}.yaml"))
    if junit is not None:
        report.junit(judgement, environment, junit)
    if judgement.mandatory:
        raise typer.Exit(FAULTS)
    if judgement.errors or not judgement.finished:
        note("\n".join(["the preview went wrong, so not all was judged:", *judgement.errors]))
        raise typer.Exit(BROKEN)


def _preview(world: World, name: str, config: Path | None) -> Iterator[str]:
    """The engine's events."""
    from cli import engine
    from twin import environment

    command: Sequence[str] = [
        environment.engine(world),
        "preview",
        "--json",
        "--non-interactive",
        "--policy-pack",
        str(environment.ROOT / PACK),
        *(["--policy-pack-config", str(_existing(config))] if config else []),
        "--stack",
        name,
        "--config-file",
        str(engine.ensure_stack(world, name)),
    ]
    variables = {**environment.complete(world), "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
    with subprocess.Popen(
        command,
        env=variables,
        cwd=environment.ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None, "it is a pipe"  # noqa: S101
        yield from run.stdout


def _existing(config: Path) -> Path:
    if not config.is_file():
        raise CommandError(f"{config}: no such file; expected the pack's configuration as JSON")
    return config.resolve()
