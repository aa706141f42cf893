"""Which code a twin's processes run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin import code_fingerprint, processes
from twin.processes import Daemon


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("twin/aws/server.py", "twin/aws/data.json", "twin/toolchain/build.py", "uv.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def _fingerprint(root: Path) -> str:
    return code_fingerprint.fingerprint.__wrapped__(root / "twin")


@pytest.mark.parametrize("name", ["twin/aws/server.py", "twin/aws/data.json", "uv.lock", "twin/aws/new.py"])
def test_it_changes_with_what_the_processes_run(root: Path, name: str) -> None:
    before = _fingerprint(root)
    (root / name).write_text("changed")
    assert _fingerprint(root) != before


@pytest.mark.parametrize(
    "name",
    ["twin/toolchain/build.py", "twin/aws/__pycache__/server.pyc", "twin/tests/test_a.py", "cli/app.py"],
)
def test_it_stays_where_only_something_else_changes(root: Path, name: str) -> None:
    before = _fingerprint(root)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("changed")
    os.utime(root / "uv.lock")  # as a checkout to and fro does
    assert _fingerprint(root) == before


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    process = Daemon(tmp_path, "cloud")
    yield process
    processes.stop([process], grace_seconds=0)


def test_a_process_is_old_when_the_code_changed_since_it_started(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not code_fingerprint.is_old(daemon), "what does not run is not old"
    processes.start(daemon, ["sleep", "60"], env=dict(os.environ))
    assert code_fingerprint.is_old(daemon), "started by a version of the twin that recorded nothing"
    code_fingerprint.record(daemon)
    assert not code_fingerprint.is_old(daemon)
    monkeypatch.setattr(code_fingerprint, "fingerprint", lambda: "another")
    assert code_fingerprint.is_old(daemon)


def test_the_program_of_a_process_is_known(daemon: Daemon) -> None:
    assert daemon.program is None
    processes.start(daemon, ["sleep", "60"], env=dict(os.environ))
    assert daemon.program == "sleep"
