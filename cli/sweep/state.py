"""What the stacks of an environment contain: none of it is an environment's remains."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli import environment_files, layer_stacks
from cli.output import CommandError

_NO_STACK: Final = "no stack named"
_CLOUDS: Final = ("aws:", "gcp:")
"""Types of resources of the clouds. A provider has another one: pulumi:providers:aws."""


@dataclass(frozen=True)
class State:
    """ids: ids and ARNs of the resources of all stacks. count: how many resources of a cloud there are."""

    ids: frozenset[str]
    count: int


def of_twin(environment: str) -> State:
    """Return the state of the environment's stacks on its twin."""
    from cli import engine, instances

    instance = instances.for_environment(environment)
    stacks = layer_stacks.of(environment, in_bootstrap=True)
    return _of([resource for stack in stacks for resource in engine.resources(instance, stack)])


def of_files(files: Iterable[Path]) -> State:
    """Return the state that files of `pulumi stack export` have."""
    resources: list[Mapping[str, Any]] = []
    for file in files:
        try:
            resources += _exported(file.read_text())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CommandError(f"{file}: no state; expected the output of `pulumi stack export`") from error
    return _of(resources)


def of_backend(environment: str) -> State:
    """Return the state in the backend that this shell's pulumi is logged in to. Raises CommandError where it
    cannot be read; a stack that is not there has none."""
    resources: list[Mapping[str, Any]] = []
    for stack in layer_stacks.of(environment, in_bootstrap=True):
        text = _export(environment, stack)
        if text is not None:
            try:
                resources += _exported(text)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise CommandError(f"pulumi stack export --stack {stack}: no state: {error}") from error
    return _of(resources)


def _export(environment: str, stack: str) -> str | None:
    command = ["pulumi", "stack", "export", "--stack", stack, "--non-interactive"]
    otherwise = f"`pulumi login`, or state it by --state: {' '.join(command[:-1])} > {stack}.json"
    try:
        done = subprocess.run(
            command,
            cwd=environment_files.ROOT,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise CommandError(f"the state of {environment} cannot be read without pulumi: {otherwise}") from None
    if done.returncode == 0:
        return done.stdout
    if _NO_STACK in done.stderr:
        return None
    reason = done.stderr.strip() or done.stdout.strip()
    raise CommandError(f"the state of {environment} cannot be read: {reason}; {otherwise}")


def _exported(text: str) -> list[Mapping[str, Any]]:
    """Return the resources of an export. Raises ValueError, KeyError, TypeError or AttributeError for another
    document."""
    resources: list[Mapping[str, Any]] = json.loads(text)["deployment"].get("resources") or []
    return [{**resource, "type": str(resource["type"])} for resource in resources]


def _of(resources: Iterable[Mapping[str, Any]]) -> State:
    of_cloud = [resource for resource in resources if str(resource["type"]).startswith(_CLOUDS)]
    ids = {str(resource.get("id", "")) for resource in of_cloud}
    ids |= {str((resource.get("outputs") or {}).get("arn", "")) for resource in of_cloud}
    return State(frozenset(ids - {""}), len(of_cloud))
