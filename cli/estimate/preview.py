"""The resources of an environment, by a preview on its twin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli import charts, layer_stacks
from cli.estimate import resources
from cli.output import CommandError, note
from cli.progress import show_progress
from cli.stacks import started

if TYPE_CHECKING:
    from twin.instances import Instance


def of_environment(environment: str, source: str | None) -> list[resources.Resource]:
    """Return the resources of all stacks of an environment. source: of charts.

    Starts the twin where it does not run. Raises CommandError where a stack cannot be previewed: what is
    missing would cost nothing.
    """
    charts.choose(source)
    stacks = layer_stacks.of(environment)
    instance = started(environment)
    result: list[resources.Resource] = []
    for stack in stacks:
        if not layer_stacks.can_preview(instance, environment, stack):
            raise CommandError(layer_stacks.not_deployed(environment, stack))
        result += _of_stack(instance, stack)
    return result


def of_file(file: Path) -> list[resources.Resource]:
    """Return the resources of a saved stream of events."""
    with file.open() as lines:
        return resources.read(lines)


def _of_stack(instance: Instance, stack: str) -> list[resources.Resource]:
    from cli import engine, engine_settings
    from twin import environment
    from twin.watch import Watch

    command: Sequence[str] = [
        environment.engine(instance),
        "preview",
        "--json",
        "--non-interactive",
        "--stack",
        stack,
        "--config-file",
        str(engine.ensure_stack(instance, stack)),
    ]
    variables = {
        **environment.complete(instance),
        **engine_settings.variables(command[1:]),
        "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true",
    }
    with show_progress() as progress, progress.step("preview"), Watch(instance, note) as watch:
        result = resources.read(engine.read_lines(command, variables, watch))
    if watch.failure:
        raise CommandError(f"the preview was ended because the twin stopped running: {watch.failure}")
    return result
