"""Providers of the twin under the versions that a program's SDKs ask for.

The engine takes a plugin of exactly the version that an SDK names, and fetches any other from the network. A
twin has each provider in one version; SDKs of the same major version work with it, as a provider keeps its
types within one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pulumi.runtime.proto import plugin_pb2

_VERSION: Final = re.compile(r"v?(?P<major>\d+)\.(?P<minor>\d+)\.(?P<patch>\d+)")


class ProviderVersionError(RuntimeError):
    """A program's SDK has another major version than the twin's provider."""


def adopt(
    plugins: Path,
    installed: Mapping[str, str],
    built: Mapping[str, str],
    packages: Iterable[plugin_pb2.PackageDependency],
) -> list[str]:
    """Add the twin's providers to the engine's plugins under the versions of `packages`; return warnings.

    plugins: the engine's folder of plugins. installed: provider -> version of its folder there. built:
    provider -> version of the provider itself, where it is another. A package that is newer than its provider
    is a warning.
    Raises ProviderVersionError, before anything is added, for a package of another major version.
    """
    wanted = [
        (package.name, package.version.removeprefix("v"), built.get(package.name, installed[package.name]))
        for package in packages
        if package.name in installed and not package.HasField("parameterization")
    ]
    wrong = [
        f"pulumi-{name} {version} is installed with the program, and the provider {name} of the twin has "
        f"version {real}; expected pulumi-{name}>={_parts(real)[0]},<{_parts(real)[0] + 1}"
        for name, version, real in wanted
        if _parts(version)[0] != _parts(real)[0]
    ]
    if wrong:
        raise ProviderVersionError("; ".join(wrong))
    warnings = []
    for name, version, real in wanted:
        if version != installed[name]:
            _link(plugins, name, installed[name], version)
        if _parts(version) > _parts(real):
            warnings.append(
                f"pulumi-{name} {version} is newer than the provider of the twin, {real}, which does not "
                "have what later versions added"
            )
    return warnings


def _link(plugins: Path, name: str, installed: str, version: str) -> None:
    executable = f"pulumi-resource-{name}"
    source = plugins / f"resource-{name}-v{installed}" / executable
    # The engine takes no link for a plugin's folder.
    folder = plugins / f"resource-{name}-v{version}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.with_name(f"{folder.name}.partial").unlink(missing_ok=True)
    link = folder / executable
    if link.is_symlink() and link.readlink() == source:
        return
    draft = folder / f".{executable}.new"
    draft.unlink(missing_ok=True)
    draft.symlink_to(source)
    draft.replace(link)


def _parts(version: str) -> tuple[int, int, int]:
    match = _VERSION.match(version)
    return (int(match["major"]), int(match["minor"]), int(match["patch"])) if match else (0, 0, 0)
