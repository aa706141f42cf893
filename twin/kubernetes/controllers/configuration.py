"""A controller's own configuration, with what a process of this machine has instead of a container."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from twin.kubernetes.controllers.programs import FOLDER, LOOPBACK, Program

Port = Callable[[int], int]
"""Answers a port of the container with the process's."""


def adapted(
    program: Program, text: str, rewrite: Callable[[str], str], folder: Path, port: Port
) -> dict[str, Any]:
    """Return the configuration of a process.

    text: the container's, in YAML. rewrite: returns a text with this machine's paths in place of mounts.
    """
    document: dict[str, Any] = yaml.safe_load(rewrite(text)) or {}
    for key, default in program.listens.items():
        value = _get(document, key)
        number = _port_of(default if value in (None, "") else value)
        here = port(number)
        _set(document, key, f"{LOOPBACK}:{here}" if isinstance(default, str) else here)
    for key, mounted_at in program.mounted.items():
        if _get(document, key) is None:
            _set(document, key, rewrite(mounted_at))
    for key, value in program.settings.items():
        _set(document, key, value.replace(FOLDER, str(folder)) if isinstance(value, str) else value)
    return document


def listening(program: Program, arguments: Iterable[str], port: Port) -> list[str]:
    """Return the arguments of a process, with ports of loopback in place of those on which it listens."""
    here: list[str] = []
    missing = dict(program.port_arguments)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in program.port_arguments:
            missing.pop(name, None)
            here.append(f"{name}={_here(value, port)}")
        else:
            here.append(argument)
    return [*here, *(f"{name}={_here(value, port)}" for name, value in missing.items())]


def _here(value: str, port: Port) -> str:
    """Return a port or address of loopback for one of the container."""
    number = port(_port_of(value))
    return f"{LOOPBACK}:{number}" if ":" in value else str(number)


def _port_of(value: Any) -> int:
    return int(str(value).rpartition(":")[2])


def _get(document: Mapping[str, Any], key: str) -> Any:
    value: Any = document
    for part in key.split("."):
        value = (value or {}).get(part)
    return value


def _set(document: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for part in parents:
        child = document.get(part)
        if not isinstance(child, dict):
            child = document[part] = {}
        document = child
    document[last] = value
