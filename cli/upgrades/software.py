"""Versions of charts, of images on nodes and of the Pulumi SDKs, and, on request, the newest that are
published."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

_PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"
_SDKS: Final = ("pulumi", "pulumi-aws", "pulumi-gcp", "pulumi-kubernetes")
_OTHER_CLOUD: Final = {"aws": "pulumi-gcp", "gcp": "pulumi-aws"}
_OCI: Final = "oci://"
_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Sdk:
    """A Pulumi SDK, whose version is that of the provider. allowed: by pyproject.toml, as `>=7.30,<8`."""

    name: str
    version: str
    allowed: Requirement


@dataclass(frozen=True)
class Published:
    """The newest published version, or why it is not known."""

    version: str = ""
    problem: str = ""


def sdks(cloud: str) -> list[Sdk]:
    """Return the SDKs that an environment of a cloud uses, in the locked version that is installed."""
    project = tomllib.loads(_PROJECT.read_text())["project"]
    allowed = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    return [Sdk(name, version(name), allowed[name]) for name in _SDKS if name != _OTHER_CLOUD[cloud]]


def newest_sdks(names: Iterable[str]) -> dict[str, Published]:
    """Return the newest version of each package on PyPI."""
    return _all({name: partial(_of_pypi, name) for name in names})


def newest_charts(charts: Iterable[Mapping[str, str]]) -> dict[str, Published]:
    """Return name -> the newest version in the chart's repository or registry."""
    return _all({chart["name"]: partial(_of_chart, chart["chart"]) for chart in charts})


def newest_of(versions: Iterable[str]) -> str:
    """Return the highest version that is no pre-release; empty where there is none."""
    known: list[tuple[Version, str]] = []
    for text in versions:
        try:
            parsed = Version(text.removeprefix("v"))
        except InvalidVersion:
            continue
        if not (parsed.is_prerelease or parsed.local):
            known.append((parsed, text))
    return max(known)[1] if known else ""


def is_newer(newest: str, present: str) -> bool:
    """Return whether a version is higher than another one; with or without `v`."""
    try:
        return Version(newest.removeprefix("v")) > Version(present.removeprefix("v"))
    except InvalidVersion:
        return False


def _all(lookups: Mapping[str, Callable[[], Published]]) -> dict[str, Published]:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        newest = threads.map(lambda lookup: lookup(), lookups.values())
        return dict(zip(lookups, newest, strict=True))


def _of_pypi(name: str) -> Published:
    address = f"https://pypi.org/pypi/{name}/json"
    answer = _read(address)
    if isinstance(answer, str):
        return Published(problem=answer)
    releases: Mapping[str, Any] = answer.json()["releases"]
    current = [release for release, files in releases.items() if any(not file["yanked"] for file in files)]
    return Published(newest_of(current))


def _of_chart(chart: str) -> Published:
    if chart.startswith(_OCI):
        return _of_registry(chart.removeprefix(_OCI))
    if chart.endswith(".yaml"):
        return Published(problem="a manifest has no index of versions")
    import yaml

    repository, _, name = chart.rpartition("/")
    answer = _read(f"{repository}/index.yaml")
    if isinstance(answer, str):
        return Published(problem=answer)
    index: Mapping[str, Any] = yaml.load(answer.text, yaml.CSafeLoader)
    return Published(newest_of(str(entry["version"]) for entry in index.get("entries", {}).get(name, ())))


def _of_registry(chart: str) -> Published:
    from cli.images.registry import Registry, RegistryError

    host, _, repository = chart.partition("/")
    try:
        return Published(newest_of(Registry(host).tags(repository)))
    except RegistryError as error:
        return Published(problem=str(error))


def _read(address: str) -> Any:
    """Return the answer, or a text with the reason why there is none."""
    import requests

    from cli.images.registry import SECONDS

    try:
        answer = requests.get(address, timeout=SECONDS)
    except requests.RequestException as error:
        return f"{address}: {error}"
    return (
        answer
        if answer.status_code == requests.codes.ok
        else f"{address}: {answer.status_code} {answer.reason}"
    )
