"""The program that rolls releases out: its tests in its own environment, and its image."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from twin.toolchain.cache import cache_dir
from twin.toolchain.found import find_uv

_FOLDER: Final = Path(__file__).parents[2] / "containers" / "model_rollout"
_PRIVATE: Final = ("KUBE", "PYTEST_", "PYTHON", "VIRTUAL_ENV")


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run uv for the program, with an environment in the toolchain's cache: the checkout stays clean."""
    uv = find_uv()
    assert uv is not None, "uv is not installed: `make setup` installs it"
    lock = (_FOLDER / "uv.lock").read_bytes()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"model-rollout-{hashlib.sha256(lock + python.encode()).hexdigest()[:12]}"
    machine = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    return subprocess.run(
        [uv, *arguments],
        cwd=_FOLDER,
        env={
            **machine,
            "UV_PROJECT_ENVIRONMENT": str(cache_dir() / "clients" / name),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(600)
def test_tests_of_the_program_pass() -> None:
    options = ("--frozen", "--quiet", "--no-python-downloads", "--group", "test", "--python", sys.executable)
    done = _uv("run", *options, "python", "-m", "pytest", "tests")
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"


def test_lock_is_that_of_its_declaration() -> None:
    done = _uv("lock", "--check", "--offline")
    assert done.returncode == 0 or "offline" in done.stderr.lower(), done.stderr


def test_image_is_pinned_and_runs_without_root_and_shell() -> None:
    lines = (_FOLDER / "Containerfile").read_text().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert all(re.fullmatch(r"\S+:\d+\.\d+\.\d+\S*@sha256:[0-9a-f]{64}", base) for base in bases), bases
    assert len(set(bases)) == 1, "packages are installed for the Python that runs them"
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 65532:65532"], "a numeric user, which runAsNonRoot can check"
    for line in lines:
        if line.startswith(("RUN ", "ENTRYPOINT ", "CMD ")):
            assert line.partition(" ")[2].startswith("["), f"{line}: runs by a shell"
    copied = {line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line}
    assert copied == {"pyproject.toml", "model_rollout"}, "no tests in the image"
