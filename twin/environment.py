"""The variables that lead a program to an instance of the twin instead of a cloud."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from twin import state_files
from twin.instances import CLOUDS, Instance, home
from twin.private_files import write_private
from twin.toolchain import charts

# Whatever could lead a program to a real account, or change how the twin's own tools behave.
FOREIGN: Final = re.compile(
    r"AWS_.*|GOOGLE_.*|GCLOUD_.*|CLOUDSDK_.*|GCE_METADATA_.*|NO_GCE_CHECK|USER_PROJECT_OVERRIDE"
    r"|STORAGE_EMULATOR_HOST|PULUMI_(CONFIG_PASSPHRASE|ACCESS_TOKEN|STACK|OPTION_CONFIG_FILE|BACKEND_URL)"
    # An interrupted update is repaired from its checkpoints; previews get it from cli.engine_settings.
    r"|PULUMI_SKIP_CHECKPOINTS"
    # The CLI reads the state's file, whose name would be another.
    r"|PULUMI_(DIY_BACKEND|SELF_MANAGED_STATE)_(GZIP|ZSTD)"
    # Without byte code the imports of the program and its providers take three times as long.
    r"|PYTHONDONTWRITEBYTECODE|PYTHONHASHSEED"
)
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def environment(instance: Instance) -> dict[str, str]:
    """The variables to set. `foreign` names those to unset, too; `complete` does both."""
    variables: dict[str, str] = {
        "AIPLATFORM_TWIN": instance.name,
        # The language host next to a pulumi that was built here is started with it.
        "AIPLATFORM_PYTHON": sys.executable,
        **{name: value for cloud in CLOUDS for name, value in _of(cloud).nowhere(instance).items()},
        **_of(instance.cloud).variables(instance),
        "KUBECONFIG": str(kubeconfig(instance)),
        "PULUMI_HOME": str(instance.folder / "pulumi"),
        # Without files of metadata, which are not written at one stroke as the state is: an engine killed in
        # the middle of one leaves a stack that none can load ("failed to load checkpoint: EOF").
        "PULUMI_BACKEND_URL": f"file://{instance.folder / 'state'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(instance.folder / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Where there are no other users, only a command with `--refresh` waits for the project's refresh.
        "PULUMI_OPTION_REFRESH": "false",
        "PATH": _path(instance),
    }
    if os.environ.get("AIPLATFORM_HOME"):
        variables["AIPLATFORM_HOME"] = str(home().absolute())
    if source := os.environ.get(charts.VARIABLE) or _charts():
        variables[charts.VARIABLE] = source
    for name in ("NO_PROXY", "no_proxy"):
        # A proxy of the user's must not get what is meant for loopback.
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        variables[name] = ",".join([*hosts, *(host for host in LOOPBACK if host not in hosts)])
    return variables


def foreign(base: Mapping[str, str] | None = None) -> list[str]:
    """The variables of `base` (default: of this process) that must not reach a program in the twin."""
    return sorted(name for name in (os.environ if base is None else base) if FOREIGN.fullmatch(name))


def complete(instance: Instance, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a program in the twin, made from `base` (default: this process's)."""
    base = os.environ if base is None else base
    inherited = {name: value for name, value in base.items() if not FOREIGN.fullmatch(name)}
    # bin/aiplatform has replaced it by that of the twin.
    activated = activated_environment(instance)
    named = {"VIRTUAL_ENV": str(activated)} if activated else {}
    return inherited | named | environment(instance)


def daemon_environment(instance: Instance) -> dict[str, str]:
    """The whole environment of the twin's own Python processes: nothing of a cloud's, and loopback direct."""
    inherited = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    proxies = {name: value for name, value in inherited.items() if not name.lower().endswith("_proxy")}
    named = {"AIPLATFORM_HOME": str(home().absolute())} if os.environ.get("AIPLATFORM_HOME") else {}
    return {
        **proxies,
        **named,
        "AIPLATFORM_TWIN": instance.name,
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
    }


def kubeconfig(instance: Instance) -> Path:
    """The kubeconfig for people: the stack's own once it was deployed, else the administrator's."""
    of_stack = stack_kubeconfig(instance)
    return of_stack if of_stack.exists() else instance.kubeconfig


def stack_kubeconfig(instance: Instance) -> Path:
    """Where the stack's own kubeconfig is written after an `up`."""
    return instance.folder / "kubeconfig"


def prepare(instance: Instance) -> None:
    """Make the folders and the passphrase that the variables name. Repeatable."""
    instance.secure()
    for name in ("state", "pulumi", "bin", "logs", "run", "kubernetes", instance.cloud):
        (instance.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    _of(instance.cloud).prepare(instance)
    _ensure_passphrase(instance.folder / "passphrase")


def _ensure_passphrase(file: Path) -> None:
    """Create the passphrase of the stacks' secrets, once: without the first one no state can be read."""
    if not state_files.is_recorded(file) and not (file.exists() and file.read_text().strip()):
        import secrets

        write_private(file, secrets.token_hex(32))
    state_files.read(file, _parse_passphrase)
    state_files.record(file)


def _parse_passphrase(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text.strip()):
        raise ValueError("expected 64 hexadecimal digits")
    return text.strip()


def _of(cloud: str) -> Any:
    """The module of a cloud that knows its variables."""
    return importlib.import_module(f"twin.{cloud}.variables")


def _charts() -> str:
    """The folder of the twin's charts; empty until they are fetched."""
    folder = charts.folder()
    return str(folder) if folder.is_dir() else ""


def first_on_path(instance: Instance) -> list[str]:
    """The folders that programs in the twin search first.

    An activated virtual environment is among them, before that of the twin: Pulumi runs a program whose
    project names none with the `python3` on PATH.
    """
    activated = activated_environment(instance)
    programs = [str(activated / "bin")] if activated else []
    return [str(instance.bin), *programs, sysconfig.get_path("scripts")]


def activated_environment(instance: Instance) -> Path | None:
    """The virtual environment whose `python3` is the first on PATH; None for that of the twin itself."""
    hidden = {str(instance.bin), sysconfig.get_path("scripts")}
    places = [place for place in os.environ.get("PATH", os.defpath).split(os.pathsep) if place not in hidden]
    python = shutil.which("python3", path=os.pathsep.join(places))
    folder = Path(python).parent.parent if python else None
    return folder if folder and (folder / "pyvenv.cfg").is_file() else None


def _path(instance: Instance) -> str:
    first = first_on_path(instance)
    rest = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # A shell in the twin may start another: each folder is listed once.
    return os.pathsep.join([*first, *(place for place in rest if place not in first)])


def engine(instance: Instance) -> str:
    """The pulumi that the instance uses: its own link, or the official one on PATH."""
    return shutil.which("pulumi", path=_path(instance)) or "pulumi"
