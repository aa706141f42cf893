"""A copy of a stopped instance: the same cloud, cluster and stacks, on other ports.

A copy has another name, other ports and what is created at each start (`bin`, `run`, `logs`).
Clients keep the address of the API server of Kubernetes: kubeconfigs, and the stacks that export one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from twin import instances, lifecycle
from twin.instances import FILE, NAME, PORTS, Instance, InstanceError
from twin.private_files import write_private

LEFT_OUT: Final = frozenset(
    {FILE, "run", "logs", "bin", *(f"state/.pulumi/{name}" for name in ("backups", "history", "locks"))}
)
"""Paths of what a start creates, and of backups, the history of updates and locks of the engine."""


def copy(source: Instance, name: str) -> Instance:
    """Copy a stopped instance; return the copy, which is stopped.

    A copy that fails is deleted, and one that a kill leaves counts as none. Raises InstanceError where the
    source runs, and where the name is wrong or taken.
    """
    if not NAME.fullmatch(name):
        raise InstanceError(f"twin name {name!r}; expected 2 to 40 lower-case letters, digits and hyphens")
    if not lifecycle.status(source).stopped:
        raise InstanceError(
            f"twin {source.name} runs; expected a stopped one: `aiplatform twin stop --name {source.name}`"
        )
    with instances.lock("instances"):
        if instances.load(name) is not None:
            raise InstanceError(f"twin {name} exists: `aiplatform twin reset --name {name}` deletes it")
        ports: dict[str, int] = dict(zip(PORTS, instances.free_ports(len(PORTS)), strict=True))
        copied = replace(source, name=name, ports=ports)
        target = copied.folder
        shutil.rmtree(target, ignore_errors=True)  # what an interrupted copy left
        try:
            _copy_files(source, target, ports)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        copied.save()
    return copied


def _copy_files(source: Instance, target: Path, ports: Mapping[str, int]) -> None:
    def left_out(folder: str, names: list[str]) -> list[str]:
        within = Path(folder).relative_to(source.folder)
        return [name for name in names if str(within / name) in LEFT_OUT]

    shutil.copytree(source.folder, target, symlinks=True, ignore=left_out)
    target.chmod(0o700)
    old = {f"127.0.0.1:{source.ports[port]}": f"127.0.0.1:{ports[port]}" for port in PORTS}
    for file in _with_addresses(target):
        text = file.read_text()
        changed = text
        for before, after in old.items():
            changed = changed.replace(before, after)
        if changed != text:
            write_private(file, changed)


def _with_addresses(folder: Path) -> Iterator[Path]:
    """Kubeconfigs, and states of stacks, whose outputs and inputs have the address of the cluster."""
    yield from (file for file in (folder / "kubernetes").glob("*.kubeconfig") if file.is_file())
    if (folder / "kubeconfig").is_file():
        yield folder / "kubeconfig"
    for place, _, names in os.walk(folder / "state"):
        yield from (Path(place) / name for name in names if name.endswith((".json", ".bak")))
