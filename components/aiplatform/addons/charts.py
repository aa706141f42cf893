"""Where charts come from: their publishers, or a mirror."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiplatform._shared.args import Problem, got
from aiplatform.addons.catalog import Addon

UPSTREAM: Final = "upstream"
_OCI: Final = "oci://"
_REGISTRY: Final = re.compile(r"oci://[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+")


@dataclass(frozen=True)
class Location:
    """What Pulumi's Chart takes: a chart's address, its version, and the repository it is in."""

    chart: str
    version: str | None = None
    """None for a chart that is a folder or an archive."""
    repository: str | None = None
    """The address of a chart repository; None for OCI registries, folders and archives."""


def rule(source: str) -> str | None:
    """A rule for a source of charts: `upstream`, a folder, or a repository of an OCI registry."""
    if source == UPSTREAM or _REGISTRY.fullmatch(source) or (source and "://" not in source):
        return None
    return (
        f"expected {UPSTREAM!r}, a folder, or a repository of an OCI registry (oci://registry.example/charts)"
    )


def locate(addon: Addon, source: str) -> Location:
    """Return where to install an add-on's chart from. source: as `rule` accepts it."""
    if source == UPSTREAM:
        if addon.chart.startswith(_OCI):
            return Location(addon.chart, addon.version)
        repository, _, chart = addon.chart.rpartition("/")
        return Location(addon.chart) if addon.is_manifest else Location(chart, addon.version, repository)
    if source.startswith(_OCI):
        return Location(f"{source}/{addon.chart_name}", addon.version)
    # The provider, which renders the chart, has another working directory.
    return Location(str((_in_folder(addon, source) or Path(source, addon.file_name)).absolute()))


def problems(addons: Collection[Addon], source: str, path: str) -> Iterator[Problem]:
    """Yield a problem for each chart that a mirror lacks. A registry is not asked: it may need credentials
    that only Helm has."""
    if source == UPSTREAM:
        return
    if source.startswith(_OCI):
        for addon in addons:
            if addon.is_manifest:
                yield Problem(
                    path,
                    f"{got(source)}, and {addon.name} is a manifest, which no registry of charts has; "
                    f"expected a folder with {addon.file_name}, or {addon.name} left out",
                )
        return
    if not Path(source).is_dir():
        yield Problem(
            path, f"{got(source)}, which is no folder; expected one with the charts as NAME-VERSION"
        )
        return
    for addon in addons:
        if _in_folder(addon, source) is None:
            what = f"{addon.file_name}" + ("" if addon.is_manifest else f" or {addon.file_name}.tgz")
            yield Problem(
                path, f"{got(source)}, which lacks the chart of {addon.name}; expected {what} in it"
            )


def _in_folder(addon: Addon, folder: str) -> Path | None:
    candidates = (Path(folder, name) for name in (addon.file_name, f"{addon.file_name}.tgz"))
    return next((path for path in candidates if path.exists()), None)
