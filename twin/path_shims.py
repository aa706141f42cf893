"""What a program in the twin finds without looking for it: the engine, its providers, kubectl.

The engine and kubectl stand first on PATH. The providers are installed as the engine's own plugins, in the
instance's PULUMI_HOME and with the versions of the SDKs that the programs use: it then neither downloads them
nor warns of them, as it does of a provider that it meets on PATH.
"""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from twin import bound_process
from twin.instances import CLOUDS, Instance, InstanceError
from twin.toolchain.build import Toolchain

KUBERNETES: Final = "kubernetes"
PROVIDERS: Final = (*CLOUDS, KUBERNETES)
STAND_INS: Final = {"gcp": {"gke-gcloud-auth-plugin": "twin.gcp.auth_plugin"}}
"""By cloud: commands that kubeconfigs name and that would prove to the real cloud who the caller is. (The AWS
CLI is the real one: it finds the twin by its variables.)"""


def install(instance: Instance, tools: Toolchain) -> None:
    """Put all of them in their places. Repeatable."""
    instance.bin.mkdir(parents=True, exist_ok=True, mode=0o700)
    if tools.language_exec is not None:
        _link(instance.bin / "pulumi", tools.pulumi)
    else:
        # An official pulumi stays where it is on PATH.
        (instance.bin / "pulumi").unlink(missing_ok=True)
    _link(instance.bin / "kubectl", tools.kubectl)
    provider = _plugin(instance, KUBERNETES)
    # Unlike the providers of the clouds it does not watch the engine, and would run on for minutes.
    _script(provider, bound_process.command(signal.SIGKILL, [str(tools.kubernetes_provider)]))
    # Every cloud's, whichever this instance is of: the engine would fetch the provider of each SDK that is
    # installed. That of another cloud refuses to be configured.
    for cloud in CLOUDS:
        _script(_plugin(instance, cloud), [sys.executable, "-P", "-m", f"twin.{cloud}.provider"])
    # The engine's copies of schemas, which have no other mark of age than the version of the provider.
    shutil.rmtree(instance.folder / "pulumi" / "schemas", ignore_errors=True)
    for name, module in STAND_INS.get(instance.cloud, {}).items():
        _script(instance.bin / name, [sys.executable, "-P", "-m", module])


def plugins(instance: Instance) -> Path:
    """The folder of the engine's plugins."""
    return instance.folder / "pulumi" / "plugins"


def sdk_version(name: str) -> str:
    """The version of the provider that the installed SDK `pulumi-<name>` asks the engine for."""
    try:
        distribution = metadata.distribution(f"pulumi-{name}")
    except metadata.PackageNotFoundError:
        raise InstanceError(
            f"the Pulumi SDK for {name} is not installed in {sys.prefix}: run `uv sync`, "
            f"and where pyproject.toml does not name pulumi-{name}, add it there"
        ) from None
    # Next to the module; a package's own version may be written in Python's way (1.0a1 of 1.0.0-alpha.1).
    file = distribution.locate_file(f"pulumi_{name}/pulumi-plugin.json")
    version = json.loads(Path(str(file)).read_text(encoding="utf-8")).get("version") or distribution.version
    return version.removeprefix("v")


def _plugin(instance: Instance, name: str) -> Path:
    """The place of a provider's executable."""
    folder = plugins(instance) / f"resource-{name}-v{sdk_version(name)}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # The engine's mark of an installation that was broken off.
    folder.with_name(f"{folder.name}.partial").unlink(missing_ok=True)
    return folder / f"pulumi-resource-{name}"


def _link(link: Path, target: Path) -> None:
    draft = link.with_name(f".{link.name}.new")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)


def _script(target: Path, command: list[str]) -> None:
    draft = target.with_name(f".{target.name}.new")
    # Without byte code the provider's imports would take three times as long.
    draft.write_text(f'#!/bin/sh\nunset PYTHONDONTWRITEBYTECODE\nexec {shlex.join(command)} "$@"\n')
    draft.chmod(0o755)
    draft.replace(target)
