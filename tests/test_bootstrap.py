"""The bootstrap: what it asks of a machine, and what it does only once."""

from __future__ import annotations

import ast
import importlib.util
import os
import stat
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HASH = "0123456789abcdef" * 4


@pytest.fixture
def bootstrap() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_archive_of_the_pinned_uv_has_a_hash(bootstrap: types.ModuleType) -> None:
    line = bootstrap.uv_requirement()
    assert line.startswith(f"uv=={bootstrap.pinned_uv()} --hash=sha256:")
    assert line.count("--hash=sha256:") > 10, "one for each platform that PyPI has"


@pytest.fixture
def checkout(bootstrap: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a uv that only writes down how it was called."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / ".bootstrapped")
    (tmp_path / "uv.lock").write_text("lock")
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\n")
    versions = tmp_path / "twin" / "toolchain" / "versions.toml"
    versions.parent.mkdir(parents=True)
    versions.write_text(
        '[uv]\n# from PyPI\nversion = "0.13.9"\nminimum = "0.13.0"\n'
        f'sha256 = [\n  "{HASH}",\n]\n\n[go]\nversion = "1"\n'
    )
    script(
        tmp_path / "tools" / "uv",
        'if [ "$1" = --version ]; then echo "uv 0.13.9"; exit; fi\n'
        f'echo "$@" >> {tmp_path}/calls; mkdir -p .venv/bin; touch .venv/bin/python',
    )
    monkeypatch.setenv("PATH", f"{tmp_path}/tools:{os.environ['PATH']}")
    monkeypatch.setenv("AIPLATFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("UV", raising=False)
    return tmp_path


def script(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def calls(checkout: Path) -> list[str]:
    file = checkout / "calls"
    return file.read_text().splitlines() if file.exists() else []


def test_only_the_standard_library_is_imported() -> None:
    tree = ast.parse((ROOT / "bootstrap.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names), "it runs before anything is installed"


def test_an_old_python_can_read_it_and_gets_an_error_that_states_what_to_do() -> None:
    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 7))


def test_an_old_python_is_refused_with_how_to_get_a_newer_one(
    bootstrap: types.ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    assert bootstrap.main([]) == 1
    message = capsys.readouterr().err
    assert "Python 3.11 or later" in message
    assert "PYTHON=python3.11" in message


def test_a_missing_tool_is_named_with_how_to_get_it(
    bootstrap: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = {"apt-get": "/usr/bin/apt-get", "git": "/usr/bin/git"}
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name, **_: present.get(name))
    with pytest.raises(bootstrap.BootstrapError, match="make: sudo apt-get install make") as caught:
        bootstrap.check_machine()
    assert "git" not in str(caught.value)


def test_packages_are_installed_once_until_the_lock_changes(
    bootstrap: types.ModuleType, checkout: Path
) -> None:
    assert bootstrap.main([]) == 0
    assert bootstrap.main([]) == 0
    assert len(calls(checkout)) == 1, "a second `make up` has no second for it"
    assert calls(checkout)[0].startswith("sync --frozen")
    (checkout / "uv.lock").write_text("another")
    assert bootstrap.main([]) == 0
    assert len(calls(checkout)) == 2


def test_a_sync_that_failed_is_tried_again(
    bootstrap: types.ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script(checkout / "tools" / "uv", 'if [ "$1" = --version ]; then echo "uv 0.13.9"; exit; fi\nexit 2')
    assert bootstrap.main([]) == 1
    assert "uv sync --frozen" in capsys.readouterr().err
    assert not bootstrap.is_current(False)


def test_a_deployment_gets_the_program_alone_and_development_all_groups_but_docs(
    bootstrap: types.ModuleType, checkout: Path
) -> None:
    assert bootstrap.main([]) == 0
    assert "--group plan" in calls(checkout)[0]
    assert "--all-groups" not in calls(checkout)[0], (
        "where the deployer works there is no test, linter or twin"
    )
    assert bootstrap.main(["--development"]) == 0
    assert "--all-groups --no-group docs" in calls(checkout)[1]
    assert bootstrap.main([]) == 0
    assert len(calls(checkout)) == 2, "an environment for development has what a deployment needs"
    (checkout / "uv.lock").write_text("another")
    assert bootstrap.main([]) == 0
    assert "--all-groups" in calls(checkout)[2], "and stays one when the lock changes"


def test_packages_that_another_command_took_away_come_back(
    bootstrap: types.ModuleType, checkout: Path
) -> None:
    packages = checkout / ".venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "pytest").mkdir()
    assert bootstrap.main(["--development"]) == 0
    assert bootstrap.main(["--development"]) == 0
    assert len(calls(checkout)) == 1
    (packages / "pytest").rmdir()
    os.utime(packages, (time.time() + 1, time.time() + 1))
    assert bootstrap.main([]) == 0
    assert len(calls(checkout)) == 2, "`pulumi install` syncs exactly, by the default groups"
    assert "--all-groups" in calls(checkout)[1]


def test_the_host_finds_uv_on_path_where_the_machine_has_none(
    bootstrap: types.ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bootstrap.uv_on_path() == [], "the one on PATH is good"
    installed = checkout / "cache" / "tools" / "uv-0.13.9" / "bin"
    script(installed / "uv", "echo uv 0.13.9")
    script(checkout / "tools" / "uv", "echo uv 0.8.24")
    assert bootstrap.uv_on_path() == [str(installed)], "before the one that is too old"
    (checkout / "tools" / "uv").unlink()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert bootstrap.uv_on_path() == [str(installed)]
    (installed / "uv").unlink()
    assert bootstrap.uv_on_path() == []
    script(checkout / "named" / "uv", "echo uv 0.13.9")
    monkeypatch.setenv("UV", str(checkout / "named" / "uv"))
    assert bootstrap.uv_on_path() == [str(checkout / "named")], "a host does not read the variable"


def test_a_command_finds_uv_on_path_after_the_environments_own_tools(checkout: Path) -> None:
    (checkout / "bootstrap.py").write_text((ROOT / "bootstrap.py").read_text())
    (checkout / "tools" / "uv").rename(checkout / "tools" / "another")
    for name in ("git", "make"):
        script(checkout / "tools" / name, "true")
    script(
        checkout / "cache" / "tools" / "uv-0.13.9" / "bin" / "uv",
        'if [ "$1" = --version ]; then echo "uv 0.13.9"; exit; fi\n'
        "mkdir -p .venv/bin; touch .venv/bin/python",
    )
    done = subprocess.run(
        [sys.executable, str(checkout / "bootstrap.py"), "--run", "sh", "-c", "echo $PATH; command -v uv"],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": f"{checkout}/tools:/usr/bin:/bin",
            "HOME": str(checkout),
            "AIPLATFORM_CACHE": str(checkout / "cache"),
        },
    )
    path, uv = done.stdout.splitlines()
    installed = checkout / "cache" / "tools" / "uv-0.13.9" / "bin"
    assert path.split(":")[:2] == [str(checkout / ".venv" / "bin"), str(installed)], done.stderr
    assert uv == str(installed / "uv")


@pytest.mark.parametrize("answer", ["uv 0.12.9", "command not found", ""])
def test_a_uv_that_is_too_old_or_only_a_shim_is_not_used(
    bootstrap: types.ModuleType, checkout: Path, answer: str
) -> None:
    script(checkout / "tools" / "uv", f'echo "{answer}"')
    assert bootstrap.find_uv() is None


def test_uv_comes_from_pypi_in_its_pinned_version_whole_or_not_at_all(
    bootstrap: types.ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(
        checkout / "pip",
        f'echo "$@" >> {checkout}/pip-calls\n'
        'while [ "$1" != --target ]; do shift; done\n'
        f'cat "$4" > {checkout}/pip-requirements\n'
        'mkdir -p "$2/bin"; printf "#!/bin/sh\\necho uv 0.13.9\\n" > "$2/bin/uv"; chmod +x "$2/bin/uv"',
    )
    monkeypatch.setattr(bootstrap, "pip", lambda _: [str(checkout / "pip")])
    uv = bootstrap.install_uv()
    assert uv == checkout / "cache" / "tools" / "uv-0.13.9" / "bin" / "uv"
    assert "--require-hashes" in (checkout / "pip-calls").read_text()
    assert (checkout / "pip-requirements").read_text() == f"uv==0.13.9 --hash=sha256:{HASH}\n", (
        "pip refuses an archive that is not the pinned one"
    )
    assert [file.name for file in (checkout / "cache" / "tools").iterdir()] == ["uv-0.13.9"]
    (checkout / "tools" / "uv").unlink()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert bootstrap.find_uv() == uv, "the next time it is there"


def test_a_cache_that_is_only_there_to_be_read_needs_no_uv_in_it(
    bootstrap: types.ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(checkout / "own"))
    assert bootstrap.uv_folder().is_relative_to(checkout / "cache")
    (checkout / "cache").mkdir()
    shared = str(checkout / "cache")
    monkeypatch.setattr(bootstrap.os, "access", lambda place, _: not place.startswith(shared))
    assert bootstrap.uv_folder() == checkout / "own" / "ai-platform" / "tools" / "uv-0.13.9"
    script(checkout / "cache" / "tools" / "uv-0.13.9" / "bin" / "uv", "echo uv 0.13.9")
    assert bootstrap.uv_folder().is_relative_to(checkout / "cache"), "it was filled for the same purpose"


def test_a_command_runs_in_the_environment_with_its_own_exit_code(checkout: Path) -> None:
    # In a separate process, which becomes the command.
    for name in ("bootstrap.py",):
        (checkout / name).write_text((ROOT / name).read_text())
    done = subprocess.run(
        [sys.executable, str(checkout / "bootstrap.py"), "--run", "sh", "-c", "echo $VIRTUAL_ENV; exit 7"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.strip() == str(checkout / ".venv")


def test_the_command_aiplatform_works_from_any_folder_and_through_a_link(tmp_path: Path) -> None:
    link = tmp_path / "aiplatform"
    link.symlink_to(ROOT / "bin" / "aiplatform")
    done = subprocess.run(
        [str(link), "twin", "list"],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={**os.environ, "AIPLATFORM_HOME": str(tmp_path)},
    )
    assert "there is no twin yet" in done.stderr
