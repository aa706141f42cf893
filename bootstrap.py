"""Sets a checkout up from nothing but git, make and Python 3.11, and runs a command in it.

    python3 bootstrap.py [--development] [--run COMMAND [ARGUMENT...]]

uv is taken from PATH where it is new enough, else its pinned version comes from PyPI, checked against the
hashes in twin/toolchain/versions.toml, into the user's cache. `uv sync --frozen` then makes .venv; it is
skipped when nothing changed since the last time. Without --development it installs what a deployment needs,
no more: the packages of the program (the default groups of pyproject.toml) and those of `python -m cli.plan`.
With it, all groups but `docs`: twin, tests, linters. What was once installed for development stays so.

The command finds uv on PATH, where Pulumi's Python language host looks for it. Standard library alone, and
syntax that an old Python can read (3.7), so that it can report what is missing.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / ".bootstrapped"
PYTHON_MINIMUM = (3, 11)
DEVELOPMENT = "development"


class BootstrapError(Exception):
    """Something that the user must get; the message states how."""


def main(arguments: list[str]) -> int:
    """The exit code; with --run and a good set-up, this process becomes the command."""
    command = []
    development = arguments[:1] == ["--development"]
    if development:
        arguments = arguments[1:]
    if arguments[:1] == ["--run"]:
        command = arguments[1:]
    elif arguments:
        say(__doc__ or "")
        return 0 if arguments[0] in ("-h", "--help") else 2
    try:
        check_machine()
        if not is_current(development):
            sync(development)
        if command:
            become(command)
    except BootstrapError as error:
        say("error: " + str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def check_machine() -> None:
    """Raise BootstrapError when what uv cannot bring is missing."""
    missing = []
    if sys.version_info < PYTHON_MINIMUM:
        wanted = ".".join(str(part) for part in PYTHON_MINIMUM)
        missing.append(
            f"Python {wanted} or later ({sys.executable} is {platform.python_version()}): "
            f"{how_to_install('python' + wanted)}, then `make PYTHON=python{wanted} ...`"
        )
    for tool in ("git", "make"):
        if not shutil.which(tool):
            missing.append(f"{tool}: {how_to_install(tool)}")
    if missing:
        raise BootstrapError("this machine lacks\n  " + "\n  ".join(missing))


def how_to_install(package: str) -> str:
    """The command of the system's package manager."""
    for manager, command in (
        ("apt-get", "sudo apt-get install "),
        ("dnf", "sudo dnf install "),
        ("apk", "sudo apk add "),
        ("pacman", "sudo pacman -S "),
        ("zypper", "sudo zypper install "),
        ("brew", "brew install "),
    ):
        if shutil.which(manager):
            return command + package
    return "xcode-select --install" if sys.platform == "darwin" else "install it with the system's tool"


def is_current(development: bool) -> bool:
    """Whether .venv is what the lock asks for, with the groups that are asked for."""
    lines = stamp()
    return (
        lines[:1] == [fingerprint()]
        and (not development or DEVELOPMENT in lines)
        and (VENV / "bin" / "python").exists()
        and not changed_since()
    )


def changed_since() -> bool:
    """Whether packages came or went since the last sync: `pulumi install` and `pulumi package get-schema
    ./components` take away what the default groups do not name."""
    synced_at = STAMP.stat().st_mtime_ns
    return any(place.stat().st_mtime_ns > synced_at for place in VENV.glob("lib/python*/site-packages"))


def stamp() -> list[str]:
    """The lines that the last sync left: the fingerprint and, where it was for that, DEVELOPMENT."""
    try:
        return STAMP.read_text().splitlines()
    except OSError:
        return []


def fingerprint() -> str:
    """What the environment is made from: the lock, the project, and its folder."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("uv.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def sync(development: bool) -> None:
    """Make .venv by `uv sync --frozen`. An environment that was made for development stays one."""
    development = development or DEVELOPMENT in stamp()
    uv = find_uv() or install_uv()
    say("uv sync: Python packages into .venv (some minutes the first time)")
    # The site of the documentation is built in a separate environment (make docs).
    groups = ["--all-groups", "--no-group", "docs"] if development else ["--group", "plan"]
    # On a terminal it shows how far it is; elsewhere it would be a list of some hundred packages.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    done = subprocess.run(
        [str(uv), "sync", "--frozen", *groups, *quiet, "--python", sys.executable],
        cwd=ROOT,
        # Another project's environment may be active in this shell.
        env={name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
    )
    if done.returncode:
        raise BootstrapError("`uv sync --frozen` failed; its message is above")
    STAMP.write_text("\n".join([fingerprint()] + ([DEVELOPMENT] if development else [])) + "\n")


def pinned_uv() -> str:
    """The version in twin/toolchain/versions.toml."""
    version = re.search(r'^version = "([^"]+)"', uv_pins(), re.MULTILINE)
    if version is None:
        raise BootstrapError("twin/toolchain/versions.toml pins no version of uv")
    return version.group(1)


def uv_requirement() -> str:
    """The pinned uv as a line of a requirements file, with the hashes of its archives."""
    hashes = re.findall(r'"([0-9a-f]{64})"', uv_pins())
    return " ".join(["uv==" + pinned_uv(), *("--hash=sha256:" + digest for digest in hashes)])


def uv_pins() -> str:
    """The section [uv] of twin/toolchain/versions.toml."""
    text = (ROOT / "twin" / "toolchain" / "versions.toml").read_text()
    section = re.search(r"^\[uv\]$(.*?)(?=^\[[a-z_]+\]$|\Z)", text, re.MULTILINE | re.DOTALL)
    return section.group(1) if section else ""


def required_uv() -> tuple[int, ...]:
    """The oldest uv that is used, from twin/toolchain/versions.toml."""
    version = re.search(r'^minimum = "([0-9.]+)"', uv_pins(), re.MULTILINE)
    return numbers(version.group(1)) if version else (0,)


def find_uv() -> str | Path | None:
    """uv on PATH, or as installed earlier by `install_uv`; None where there is none that is new enough."""
    for candidate in (os.environ.get("UV"), shutil.which("uv"), uv_folder() / "bin" / "uv"):
        if candidate and good_uv(candidate):
            return candidate
    return None


def good_uv(candidate: str | Path) -> bool:
    """Whether it runs and is new enough (a shim on PATH may have nothing behind it)."""
    try:
        done = subprocess.run(
            [str(candidate), "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"\d+(\.\d+)+", done.stdout)
    return bool(version) and numbers(version.group(0)) >= required_uv()


def numbers(version: str) -> tuple[int, ...]:
    """`0.9` as (0, 9)."""
    return tuple(int(part) for part in version.split("."))


def uv_folder() -> Path:
    """Where uv is put: the toolchain's cache, or the user's own where that one is only there to be read."""
    places = [cache() / "tools" / ("uv-" + pinned_uv()) for cache in (toolchain_cache, user_cache)]
    for place in places:
        if (place / "bin" / "uv").exists() or may_write(place):
            return place
    return places[0]


def may_write(place: Path) -> bool:
    """Whether a folder could be made there."""
    existing = next(parent for parent in place.parents if parent.exists())
    return os.access(str(existing), os.W_OK)


def toolchain_cache() -> Path:
    """Return the folder of AIPLATFORM_CACHE, else the user's cache folder."""
    chosen = os.environ.get("AIPLATFORM_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else user_cache()


def user_cache() -> Path:
    """The user's cache folder of this project."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ai-platform"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ai-platform"


def install_uv() -> Path:
    """uv from PyPI, into the cache; it appears whole, by one rename."""
    folder = uv_folder()
    draft = folder.with_name(f"{folder.name}.new.{os.getpid()}")
    say(f"uv {pinned_uv()}: from PyPI into {folder}")
    shutil.rmtree(str(draft), ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    requirements = draft.with_name(draft.name + ".txt")
    try:
        # pip takes hashes from a requirements file alone.
        requirements.write_text(uv_requirement() + "\n")
        install = [*pip(draft), "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        install += ["--require-hashes", "--only-binary=:all:", "--target", str(draft)]
        if subprocess.run([*install, "--requirement", str(requirements)]).returncode:
            raise BootstrapError("uv could not be installed from PyPI; pip's message is above")
        shutil.rmtree(str(folder), ignore_errors=True)
        draft.rename(folder)
    except OSError:
        if not good_uv(folder / "bin" / "uv"):  # else another bootstrap was first
            raise
    finally:
        shutil.rmtree(str(draft), ignore_errors=True)
        shutil.rmtree(str(draft) + ".venv", ignore_errors=True)
        if requirements.exists():
            requirements.unlink()
    if not good_uv(folder / "bin" / "uv"):
        raise BootstrapError(f"{folder / 'bin' / 'uv'} does not run on this machine")
    # Of the older ones the latest stays: another checkout may want it.
    older = sorted(folder.parent.glob("uv-[0-9]*"), key=lambda place: place.stat().st_mtime)[:-2]
    for place in older:
        shutil.rmtree(str(place), ignore_errors=True)
    return folder / "bin" / "uv"


def pip(draft: Path) -> list[str]:
    """The command pip: this Python's, or that of a throw-away environment where this Python has none."""
    if works([sys.executable, "-m", "pip", "--version"]):
        return [sys.executable, "-m", "pip"]
    environment = str(draft) + ".venv"
    if works([sys.executable, "-m", "venv", environment]):
        return [str(Path(environment) / "bin" / "python"), "-m", "pip"]
    raise BootstrapError(
        "this Python has neither pip nor a working venv to get uv with: {}, or install uv "
        "(https://docs.astral.sh/uv/)".format(how_to_install("python3-venv"))
    )


def works(command: list[str]) -> bool:
    """Whether a command ends well; silent."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def become(command: list[str]) -> NoReturn:
    """Replace this process by a command of the environment."""
    scripts = VENV / "bin"
    variables = dict(os.environ)
    variables["VIRTUAL_ENV"] = str(VENV)
    variables["PATH"] = os.pathsep.join([str(scripts), *uv_on_path(), variables.get("PATH", os.defpath)])
    variables.pop("PYTHONHOME", None)
    # Byte code is what makes the next start quick.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.stdout.flush()
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        raise BootstrapError(f"{command[0]}: there is no such command")
    os.execve(program, command, variables)  # noqa: S606 - the command that was asked for


def uv_on_path() -> list[str]:
    """The folder to put on PATH so that uv is found there; none where the one on PATH is good.

    Pulumi's Python language host looks for uv on PATH and nowhere else, for programs, policy packs and
    component plugins (pulumi/pulumi, sdk/python/toolchain/uv.go).
    """
    on_path = shutil.which("uv")
    if on_path and good_uv(on_path):
        return []
    installed = uv_folder() / "bin" / "uv"
    for candidate in (installed, Path(os.environ.get("UV") or installed)):
        if candidate.name == "uv" and good_uv(candidate):
            return [str(candidate.parent)]
    return []


def say(text: str) -> None:
    """One message on stderr: stdout is the command's."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
