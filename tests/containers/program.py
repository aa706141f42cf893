"""A program in containers/: run in an environment of its lock, and what its image has to be."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import bootstrap
from twin.toolchain.cache import cache_dir
from twin.toolchain.system_tools import find_uv

_CONTAINERS: Final = Path(__file__).parents[2] / "containers"
# What the deployed registry runs, of which the client is a part.
_SERVER: Final = Path(__file__).parents[1] / "end_to_end" / "clients" / "mlflow" / "pyproject.toml"


@dataclass(frozen=True)
class Program:
    """A program. name: of its folder, and of its package. private: beginnings of names of variables of this
    machine that it does not get, in addition to those of Python. parent: what its folder is in. copied: what
    is in its image, next to the lock. reads: files and folders outside of its folder that its tests read."""

    name: str
    private: tuple[str, ...]
    parent: Path = _CONTAINERS
    copied: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.parent / self.name

    @property
    def environment(self) -> Path:
        """The environment of its lock, in the toolchain's cache."""
        lock = (self.folder / "uv.lock").read_bytes()
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        digest = hashlib.sha256(lock + python.encode()).hexdigest()[:12]
        return cache_dir() / "clients" / f"{self.name.replace('_', '-')}-{digest}"

    def uv(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run uv for it, with an environment in the toolchain's cache: the checkout stays clean.

        Bytecode is stored there, too: without it each run compiles thousands of modules of its packages.
        """
        uv = find_uv()
        assert uv is not None, "uv is not installed: `make setup` installs it"
        private = (*self.private, "PYTEST_", "PYTHON", "VIRTUAL_ENV")
        machine = {name: value for name, value in os.environ.items() if not name.startswith(private)}
        of_uv = {
            "UV_PROJECT_ENVIRONMENT": str(self.environment),
            "PYTHONPYCACHEPREFIX": str(self.environment / "bytecode"),
        }
        return subprocess.run(
            [uv, *arguments],
            cwd=self.folder,
            env={**machine, **of_uv, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command with its packages and those of its tests."""
        options = (
            "--frozen",
            "--quiet",
            "--no-python-downloads",
            "--group",
            "test",
            "--python",
            sys.executable,
        )
        return self.uv("run", *options, *words, **variables)

    def assert_its_tests_pass(self) -> None:
        """Run its tests, unless they have passed on this machine with the files of now.

        They see nothing else of the repository: a change elsewhere, which most are, cannot make them fail. CI
        runs them always.
        """
        inputs = self._inputs()
        passed = self.environment / "tests-passed-with"
        if "CI" not in os.environ and passed.is_file() and passed.read_text() == inputs:
            return
        # In pytest's usual folder it would delete, at its end, what other runs of pytest left there.
        with tempfile.TemporaryDirectory() as folder:
            # What a failed test printed would leave no room for its failure.
            options = ("--show-capture=no", f"--basetemp={folder}/tests")
            done = self.run("python", "-m", "pytest", *options, "tests")
        assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
        passed.write_text(inputs)

    def _inputs(self) -> str:
        """A digest of all files that its tests read, and of how they are run."""
        digest = hashlib.sha256(f"{sys.version} {self.private}".encode())
        for place in (self.folder, Path(__file__), *self.reads):
            files = sorted(place.rglob("*")) if place.is_dir() else [place]
            for file in files:
                if file.is_file() and "__pycache__" not in file.parts:
                    digest.update(f"{file.relative_to(place.parent)}\0".encode())
                    digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()

    def assert_locked(self) -> None:
        """Its lock is that of its declaration."""
        done = self.uv("lock", "--check", "--offline")
        assert done.returncode == 0 or "offline" in done.stderr.lower(), done.stderr

    def assert_client_of_the_registry(self) -> None:
        """Its client of MLflow has the version of the server."""
        declared = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]["dependencies"]
        server = tomllib.loads(_SERVER.read_text())["project"]["dependencies"]
        [client] = [entry.partition("==")[2] for entry in declared if entry.startswith("mlflow-skinny==")]
        assert f"mlflow[auth]=={client}" in server

    def assert_image(self, user: int = 65532) -> Sequence[str]:
        """Its image is pinned, and runs without root and shell. Returns the lines of its Containerfile."""
        lines = (self.folder / "Containerfile").read_text().splitlines()
        bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
        assert all(re.fullmatch(r"\S+:\d+\.\d+\.\d+\S*@sha256:[0-9a-f]{64}", base) for base in bases), bases
        assert len(set(bases)) == 1, "packages are installed for the Python that runs them"
        users = [line for line in lines if line.startswith("USER ")]
        assert users == [f"USER {user}:{user}"], "a numeric user, which runAsNonRoot can check"
        for line in lines:
            if line.startswith(("RUN ", "ENTRYPOINT ", "CMD ")):
                assert line.partition(" ")[2].startswith("["), f"{line}: runs by a shell"
        copied = {line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line}
        assert copied == {"pyproject.toml", "uv.txt", *(self.copied or (self.name,))}, "no tests in the image"
        self._assert_builder(lines)
        return lines

    def _assert_builder(self, lines: Sequence[str]) -> None:
        """Pip refuses every uv but that of the toolchain."""
        stated = [
            line for line in (self.folder / "uv.txt").read_text().splitlines() if not line.startswith("#")
        ]
        assert " ".join(stated).replace("\\", "").split() == bootstrap.uv_requirement().split()
        [install] = [json.loads(line.partition(" ")[2]) for line in lines if line.startswith('RUN ["pip"')]
        assert "--require-hashes" in install
        assert install[-2:] == ["-r", "/tmp/uv.txt"]  # noqa: S108 - in the image
