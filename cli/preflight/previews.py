"""The preview whose resources are checked: made on the twin, or saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli import layer_stacks
from cli.estimate import preview
from cli.estimate.resources import FailedPreviewError, Resource
from cli.output import CommandError


@dataclass(frozen=True)
class Preview:
    """What a preview registers, or the errors by which the program ended."""

    resources: list[Resource]
    errors: list[str]


def read(environment: str, source: str | None, file: Path | None) -> Preview:
    """Return what a preview of an environment registers. source: of charts. file: a saved stream of events;
    None makes a preview on the twin. Raises CommandError where the stream is incomplete, or of another
    stack."""
    try:
        if file is None:
            return Preview(preview.of_environment(environment, source), [])
        resources = preview.of_file(file)
    except FailedPreviewError as error:
        return Preview([], error.errors)
    _refuse_other(environment, file, resources)
    return Preview(resources, [])


def _refuse_other(environment: str, file: Path, resources: list[Resource]) -> None:
    """Raise CommandError where a saved preview is not one of the environment."""
    expected = layer_stacks.of(environment)
    for resource in resources:
        stack = resource.urn.removeprefix("urn:pulumi:").partition("::")[0]
        if stack not in expected:
            raise CommandError(
                f"{file}: the preview is of the stack {stack!r}; expected one of {', '.join(expected)}"
            )
