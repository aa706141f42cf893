"""What a program must be told to find the twin instead of a cloud: variables, and a stack file of its own."""

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

from twin.kubernetes.certificates import write_private
from twin.toolchain import charts
from twin.world import World, WorldError, home

ROOT: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = "ai-platform"
# Pulumi's keys that say how a stack's secrets are sealed: the twin has its own.
SEAL: Final = re.compile(r"^(secretsprovider|encryptionsalt|encryptedkey)\s*:.*\n?", re.MULTILINE)
SEALED: Final = re.compile(r"\bsecure\s*:\s*\S")
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
CLOUDS: Final = ("aws", "gcp")
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class StackFileError(WorldError):
    """An environment file that the twin cannot use."""


def environment(world: World) -> dict[str, str]:
    """The variables to set. `foreign` names those to unset beside them; `complete` does both."""
    variables: dict[str, str] = {
        "AIPLATFORM_TWIN": world.name,
        # The language host that lies beside a pulumi of our own is started with it.
        "AIPLATFORM_PYTHON": sys.executable,
        **{name: value for cloud in CLOUDS for name, value in _of(cloud).nowhere(world).items()},
        **_of(world.cloud).variables(world),
        "KUBECONFIG": str(kubeconfig(world)),
        "PULUMI_HOME": str(world.folder / "pulumi"),
        # Without files of metadata, which are not written at one stroke as the state is: an engine killed in
        # the middle of one leaves a stack that none can load ("failed to load checkpoint: EOF").
        "PULUMI_BACKEND_URL": f"file://{world.folder / 'state'}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(world.folder / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Where nobody else works, only who asks for it (`--refresh`) waits for the project's refresh.
        "PULUMI_OPTION_REFRESH": "false",
        "PATH": _path(world),
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


def complete(world: World, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a program in the twin, made from `base` (default: this process's)."""
    base = os.environ if base is None else base
    kept = {name: value for name, value in base.items() if not FOREIGN.fullmatch(name)}
    return kept | environment(world)


def daemon_environment(world: World) -> dict[str, str]:
    """The whole environment of the twin's own Python processes: nothing of a cloud's, and loopback direct."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.fullmatch(name)}
    proxies = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    named = {"AIPLATFORM_HOME": str(home().absolute())} if os.environ.get("AIPLATFORM_HOME") else {}
    return {
        **proxies,
        **named,
        "AIPLATFORM_TWIN": world.name,
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
    }


def kubeconfig(world: World) -> Path:
    """The kubeconfig for people: the stack's own once it was brought up, else the administrator's."""
    of_stack = stack_kubeconfig(world)
    return of_stack if of_stack.exists() else world.kubeconfig


def stack_kubeconfig(world: World) -> Path:
    """Where the stack's own kubeconfig is written after an `up`."""
    return world.folder / "kubeconfig"


def original_stack_file(name: str) -> Path:
    """`environments/Pulumi.<name>.yaml` of the repository."""
    return ROOT / "environments" / f"Pulumi.{name}.yaml"


def project_folder(world: World) -> Path:
    """A Pulumi project of the same name in the world's folder: the stack is made from there, since the
    engine writes the seal of a new stack beside its Pulumi.yaml, and the repository's must stay as it is."""
    return world.folder / "project"


def stack_file(world: World, name: str) -> Path:
    """The world's copy of an environment file, for the engine's `--config-file`.

    It is renewed from the original at each call, and keeps its own `encryptionsalt`. Raises StackFileError
    where there is no such file or it holds values that another provider has sealed.
    """
    original = original_stack_file(name)
    try:
        text = original.read_text()
    except FileNotFoundError:
        raise StackFileError(_no_such(name)) from None
    for number, line in enumerate(text.splitlines(), 1):
        if SEALED.search(line) and not line.lstrip().startswith("#"):
            raise StackFileError(
                f"{original.relative_to(ROOT)}:{number}: this value is sealed by the environment's own "
                "secrets provider, which the twin cannot open; give it a plain value while it runs there"
            )
    copy = project_folder(world) / f"Pulumi.{name}.yaml"
    seals = _seals(copy)
    body = SEAL.sub("", text)
    write_private(copy, body + ("" if body.endswith("\n") else "\n") + seals)
    project = project_folder(world) / "Pulumi.yaml"
    if not project.exists():
        write_private(project, f"name: {PROJECT}\nruntime: python\n")
    return copy


def prepare(world: World) -> None:
    """Make the folders and the passphrase that the variables name. Repeatable."""
    world.secure()
    for name in ("state", "pulumi", "bin", "logs", "run", "kubernetes", world.cloud):
        (world.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    _of(world.cloud).prepare(world)
    passphrase = world.folder / "passphrase"
    if not passphrase.exists() or not passphrase.read_text().strip():
        import secrets

        write_private(passphrase, secrets.token_hex(32))


def _of(cloud: str) -> Any:
    """The module of a cloud that knows its variables."""
    return importlib.import_module(f"twin.{cloud}.variables")


def _charts() -> str:
    """The folder of the twin's charts; empty until they are fetched."""
    folder = charts.folder()
    return str(folder) if folder.is_dir() else ""


def _seals(copy: Path) -> str:
    try:
        return "".join(match.group(0) for match in SEAL.finditer(copy.read_text()))
    except FileNotFoundError:
        return ""


def _path(world: World) -> str:
    first = [str(world.bin), sysconfig.get_path("scripts")]
    rest = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # A shell in the twin may start another: each stands once.
    return os.pathsep.join([*first, *(place for place in rest if place not in first)])


def _no_such(name: str) -> str:
    files = sorted((ROOT / "environments").glob("Pulumi.*.yaml"))
    known = ", ".join(file.stem.removeprefix("Pulumi.") for file in files) or "none yet"
    return f"there is no environment {name!r} (environments/Pulumi.{name}.yaml); there are: {known}"


def engine(world: World) -> str:
    """The pulumi that the world uses: its own link, or the official one on PATH."""
    return shutil.which("pulumi", path=_path(world)) or "pulumi"
