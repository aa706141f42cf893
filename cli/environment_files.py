"""Environment files, and an instance's copies of them, which the engine reads."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from cli import stack_names
from twin.instances import Instance, InstanceError
from twin.private_files import write_private

ROOT: Final = Path(__file__).resolve().parents[1]
_PROGRAM: Final = ROOT
"""Where the program is, of which files are read by a command: it is not imported."""
PROJECT: Final = "ai-platform"
# Pulumi's keys that state how secrets of a stack are encrypted: an instance has a passphrase.
SEAL: Final = re.compile(r"^(secretsprovider|encryptionsalt|encryptedkey)\s*:.*\n?", re.MULTILINE)
SEALED: Final = re.compile(r"\bsecure\s*:\s*\S")


class StackFileError(InstanceError):
    """An environment file that the twin cannot use."""


def original_stack_file(name: str) -> Path:
    """`environments/Pulumi.<name>.yaml` of the repository."""
    return ROOT / "environments" / f"Pulumi.{name}.yaml"


def problems(file: Path) -> str:
    """Return what the program refuses of a file's YAML and of the keys at its top, one line each; empty where
    that is nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "stacks.yaml_files", str(file)],
        cwd=_PROGRAM,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout or done.stderr).strip() if done.returncode else ""


def project_folder(instance: Instance) -> Path:
    """A Pulumi project of the same name in the instance's folder: the stack is made from there, since the
    engine writes the salt of a new stack next to its Pulumi.yaml, and the repository stays as it is."""
    return instance.folder / "project"


def stack_file(instance: Instance, name: str) -> Path:
    """The instance's copy of an environment file, for the engine's `--config-file`.

    It is renewed from the original at each call, and keeps its own `encryptionsalt`. Raises StackFileError
    where there is no such file, its YAML or a key at its top is wrong, or it holds values that another
    provider has sealed.
    """
    original = original_stack_file(name)
    try:
        text = original.read_text()
    except FileNotFoundError:
        folder = ROOT / "environments"
        raise StackFileError(stack_names.unknown_environment(name, folder)) from None
    if wrong := problems(original):
        raise StackFileError(wrong)
    for number, line in enumerate(text.splitlines(), 1):
        if SEALED.search(line) and not line.lstrip().startswith("#"):
            raise StackFileError(
                f"{original.relative_to(ROOT)}:{number}: secure: sealed by the environment's own secrets "
                "provider, which the twin cannot open; expected a plain value while it runs there"
            )
    copy = project_folder(instance) / f"Pulumi.{name}.yaml"
    seals = _seals(copy)
    body = SEAL.sub("", text)
    write_private(copy, body + ("" if body.endswith("\n") else "\n") + seals)
    project = project_folder(instance) / "Pulumi.yaml"
    if not project.exists():
        write_private(project, f"name: {PROJECT}\nruntime: python\n")
    return copy


def _seals(copy: Path) -> str:
    try:
        return "".join(match.group(0) for match in SEAL.finditer(copy.read_text()))
    except FileNotFoundError:
        return ""
