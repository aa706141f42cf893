"""A language host as a process, a fake engine's side of it, and programs for it to run.

The fake executor replaces pulumi-language-python-exec, which comes with the engine:
it takes the same command line and runs the program as plain Python. The real one is
tried in the tests that build.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
import psutil
from google.protobuf import struct_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

T = TypeVar("T")

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

FAKE_EXECUTOR = """
import argparse, os, runpy, sys
parser = argparse.ArgumentParser()
for name in "monitor engine project root_directory stack pwd dry_run parallel organization".split():
    parser.add_argument("--" + name)
parser.add_argument("PROGRAM")
parser.add_argument("ARGS", nargs="*")
options = parser.parse_args()
os.chdir(options.pwd)
sys.argv = [options.PROGRAM, *options.ARGS]
try:
    runpy.run_path(options.PROGRAM, init_globals={"options": options}, run_name="__main__")
except Exception as error:
    if type(error).__name__ != "RunError":
        raise
    print("error:", error, file=sys.stderr)
    sys.exit(1)
"""


@dataclass
class Host:
    """A running host. `out` and `err` are what the engine would show."""

    process: subprocess.Popen[bytes]
    stub: language_pb2_grpc.LanguageRuntimeStub
    out: Path
    err: Path


@contextlib.contextmanager
def running_host(
    folder: Path, *, handshake: bool = True, env: Mapping[str, str] | None = None
) -> Iterator[Host]:
    """Start a host as the engine does, and end it. env: variables in addition to this process's."""
    executor = folder / "fake-exec"
    executor.write_text(FAKE_EXECUTOR)
    out, err = folder / "host.out", folder / "host.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "twin.toolchain.language_host", "-v=3", "--use-executor", str(executor)],
            stdout=stdout,
            stderr=stderr,
            # As the twin's own PATH begins: `python3` is the interpreter of this environment.
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **(env or {})},
        )
    try:
        port = eventually(lambda: out.read_text().strip(), f"the host printed no port: {err.read_text()}")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = language_pb2_grpc.LanguageRuntimeStub(channel)
            if handshake:
                stub.Handshake(language_pb2.LanguageHandshakeRequest(engine_address="127.0.0.1:1"))
            yield Host(process, stub, out, err)
    finally:
        process.terminate()
        process.wait(20)


UV = """#!/bin/sh
echo "$PWD|$*|$UV_PROJECT_ENVIRONMENT" >> "{folder}/calls"
case "$1" in
export) cat "{folder}/pylock.toml" ;;
sync) [ ! -e "{folder}/fails" ] || {{ echo "the lock is not up to date" >&2; exit 2; }} ;;
esac
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
printf '#!/bin/sh\nMARK=own exec {python} "$@"\n' > "$UV_PROJECT_ENVIRONMENT/bin/python"
chmod +x "$UV_PROJECT_ENVIRONMENT/bin/python"
"""


@dataclass(frozen=True)
class Uv:
    """A uv that writes down how it was called: makes an environment, and exports what `pylock.toml` says."""

    folder: Path

    @property
    def path(self) -> str:
        """A PATH on which it is found."""
        return f"{self.folder}:/usr/bin:/bin"

    def calls(self) -> list[list[str]]:
        """Working directory, arguments and environment of each call."""
        file = self.folder / "calls"
        return [line.split("|") for line in file.read_text().splitlines()] if file.exists() else []

    def fail(self) -> None:
        """From now on a sync fails."""
        (self.folder / "fails").touch()

    def reset(self) -> None:
        """Forget calls, failure and exports."""
        for name in ("calls", "fails"):
            (self.folder / name).unlink(missing_ok=True)
        self.export()

    def export(self, *names: str) -> None:
        """What the lock names."""
        lock = "".join(f'[[packages]]\nname = "{name}"\nversion = "1.0"\n' for name in names)
        (self.folder / "pylock.toml").write_text('lock-version = "1.0"\n' + lock)


def fake_uv(folder: Path) -> Uv:
    """Write it into this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "uv").write_text(UV.format(folder=folder, python=sys.executable))
    (folder / "uv").chmod(0o755)
    uv = Uv(folder)
    uv.export()
    return uv


def write_program(folder: Path, source: str) -> Path:
    """A project folder with this program as its __main__.py."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__main__.py").write_text(textwrap.dedent(source))
    return folder


def program_info(folder: Path, **options: Any) -> language_pb2.ProgramInfo:
    info = language_pb2.ProgramInfo(
        root_directory=str(folder), program_directory=str(folder), entry_point="__main__.py"
    )
    info.options.CopyFrom(struct_pb2.Struct())
    info.options.update(options)
    return info


def run_request(
    folder: Path, config: Mapping[str, str] | None = None, **options: Any
) -> language_pb2.RunRequest:
    return language_pb2.RunRequest(
        project="shop",
        stack="dev",
        organization="acme",
        pwd=str(folder),
        config=config or {},
        configSecretKeys=["shop:key"],
        dryRun=True,
        parallel=4,
        monitor_address="127.0.0.1:2",
        info=program_info(folder, **options),
    )


def plugin_request(
    folder: Path, kind: str = "resource", toolchain: str | None = None, **fields: Any
) -> language_pb2.RunPluginRequest:
    options = {"toolchain": toolchain} if toolchain else {}
    return language_pb2.RunPluginRequest(
        pwd=str(folder.parent), kind=kind, name="plugin", info=program_info(folder, **options), **fields
    )


def eventually(find: Callable[[], T], complaint: str, seconds: float = 15.0) -> T:
    """Wait until `found` says something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = find()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(complaint)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def written_pid(file: Path) -> int:
    """The pid that a program wrote when it was under way."""
    text = eventually(lambda: file.exists() and file.read_text().strip(), f"no program wrote {file}")
    return int(str(text))


WRITES_ITS_PID = """
import os, pathlib, time
pathlib.Path("pid.part").write_text(str(os.getpid()))
os.rename("pid.part", "pid")
"""
