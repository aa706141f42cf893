"""Which Pulumi packages a program's environment holds."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.runtime.proto import plugin_pb2

from twin.toolchain import uv
from twin.toolchain.interpreter import Interpreter

LISTING = Path(__file__).with_name("list_packages.py")
LISTING_SECONDS = 60

# Packages whose names say otherwise, and which have no plugin.
WITHOUT_PLUGIN = frozenset({"pulumi-policy", "pulumi-esc-sdk"})


@dataclass(frozen=True)
class Package:
    """An installed distribution. `plugin` is its pulumi-plugin.json, `required` whether another needs it."""

    name: str
    version: str
    required: bool
    plugin: Mapping[str, Any] | None


def list_packages(interpreter: Interpreter, environment: Mapping[str, str]) -> list[Package]:
    """Ask the program's own interpreter what it would find. Of a project of uv it is what the lock names."""
    locked: frozenset[str] | None = None
    if interpreter.project is not None and interpreter.virtualenv is not None:
        uv.create(interpreter.project, interpreter.virtualenv)
        # First, as the official host does, which asks for Python's version before: a lock that is not up to
        # date is rewritten, and an error only with UV_FROZEN.
        interpreter.prepared()
        locked = uv.locked_packages(interpreter.project, interpreter.virtualenv)
    done = subprocess.run(
        [str(interpreter.python), str(LISTING)],
        env=interpreter.environment(environment),
        capture_output=True,
        text=True,
        timeout=LISTING_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{interpreter.python} could not list its packages: {done.stderr.strip()}")
    packages = [Package(**entry) for entry in json.loads(done.stdout)]
    return [package for package in packages if locked is None or package.name in locked]


def package_dependencies(packages: Sequence[Package]) -> Iterator[plugin_pb2.PackageDependency]:
    """The resource plugins that the packages need, by the official host's rules."""
    for package in packages:
        if package.name in WITHOUT_PLUGIN:
            continue
        if package.plugin is None and not package.name.startswith("pulumi-"):
            continue
        plugin = package.plugin or {}
        # A package says `resource: false` when it has no plugin; a missing key says the same.
        if package.plugin is not None and not plugin.get("resource", False):
            continue
        version = plugin.get("version") or plugin_version(package.version)
        if version is None:
            continue
        dependency = plugin_pb2.PackageDependency(
            name=plugin.get("name") or package.name.removeprefix("pulumi-"),
            version="v" + version.removeprefix("v"),
            kind="resource",
            server=plugin.get("server", ""),
        )
        parameters = plugin.get("parameterization")
        if parameters:
            dependency.parameterization.name = parameters["name"]
            dependency.parameterization.version = parameters["version"]
            dependency.parameterization.value = base64.b64decode(parameters["value"])
        yield dependency


_PEP_440 = re.compile(
    r"(?P<release>\d+(?:\.\d+)*)(?:(?P<kind>a|b|rc)(?P<number>\d+))?(?:\.post(?P<post>\d+))?(?:\.dev(?P<dev>\d+))?"
)
_PRE_RELEASE = {"a": "alpha", "b": "beta", "rc": "rc"}


def plugin_version(package_version: str) -> str | None:
    """The semantic version of the plugin that belongs to a Python package's version, if it can be known."""
    match = _PEP_440.fullmatch(package_version)
    if match is None:
        return None
    release = match["release"].split(".")
    version = ".".join(release + ["0"] * (3 - len(release)))
    if match["kind"]:
        version += f"-{_PRE_RELEASE[match['kind']]}.{match['number']}"
    build = (f"post{match['post']}" if match["post"] else "") + (f"dev{match['dev']}" if match["dev"] else "")
    return f"{version}+{build}" if build else version
