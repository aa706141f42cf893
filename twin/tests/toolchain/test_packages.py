"""What the language host finds in a program's environment."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest

from twin.tests.toolchain.hosting import program_info
from twin.toolchain.interpreter import Interpreter, OptionError, resolve, virtualenv_path
from twin.toolchain.packages import Package, list_packages, package_dependencies, plugin_version


@pytest.mark.parametrize(
    ("package", "plugin"),
    [
        ("4.25.0", "4.25.0"),
        ("1.0", "1.0.0"),
        ("1.2.3a4", "1.2.3-alpha.4"),
        ("1.2.3rc4", "1.2.3-rc.4"),
        ("1.2.3.post4.dev5", "1.2.3+post4dev5"),
        ("1!1.2.3", None),
        ("nonsense", None),
    ],
)
def test_a_packages_version_becomes_its_plugins(package: str, plugin: str | None) -> None:
    assert plugin_version(package) == plugin


def test_only_packages_with_a_plugin_are_required() -> None:
    parameters = {"name": "sub", "version": "1.0.0", "value": base64.b64encode(b"value").decode()}
    packages = [
        Package("pulumi", "3.0.0", True, None),
        Package("pulumi-policy", "1.0.0", False, None),
        Package("pulumi-random", "4.1.2", False, None),
        Package("pulumi-aws", "7.1.0", False, {"resource": True, "name": "aws", "version": "7.1.1"}),
        Package("mine", "1.0.0", False, {"resource": False}),
        Package("other", "1.0.0", False, {"resource": True, "server": "s", "parameterization": parameters}),
    ]
    dependencies = {dependency.name: dependency for dependency in package_dependencies(packages)}
    assert {name: dependencies[name].version for name in dependencies} == {
        "random": "v4.1.2",
        "aws": "v7.1.1",
        "other": "v1.0.0",
    }
    assert dependencies["other"].parameterization.value == b"value"
    assert {dependency.kind for dependency in dependencies.values()} == {"resource"}


def test_the_programs_own_interpreter_is_asked(tmp_path: Path) -> None:
    for name, requirement in (("pulumi_foo", ""), ("needs_it", "Requires-Dist: Pulumi.Foo>=1\n")):
        info = tmp_path / f"{name}-1.2.3.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n{requirement}"
        )
    plugin = tmp_path / "pulumi_foo" / "pulumi-plugin.json"
    plugin.parent.mkdir()
    plugin.write_text(json.dumps({"resource": True, "name": "foo"}))
    packages = {
        package.name: package
        for package in list_packages(
            Interpreter(Path(sys.executable), None), {**os.environ, "PYTHONPATH": str(tmp_path)}
        )
    }
    assert packages["pulumi-foo"] == Package("pulumi-foo", "1.2.3", True, {"resource": True, "name": "foo"})
    assert not packages["needs-it"].required


def test_uv_puts_the_environment_beside_the_nearest_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_PROJECT_ENVIRONMENT", raising=False)
    (tmp_path / "uv.lock").touch()
    (tmp_path / "policies").mkdir()
    info = program_info(tmp_path / "policies", toolchain="uv")
    assert virtualenv_path(info) == tmp_path / ".venv"
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", "elsewhere")
    assert virtualenv_path(info) == tmp_path / "elsewhere"


def test_pip_uses_the_ambient_python_for_programs_and_venv_for_plugins(tmp_path: Path) -> None:
    info = program_info(tmp_path)
    assert virtualenv_path(info) is None
    assert virtualenv_path(info, is_plugin=True) == tmp_path / "venv"
    assert virtualenv_path(program_info(tmp_path, virtualenv="mine")) == tmp_path / "mine"


def test_without_a_virtual_environment_this_interpreter_runs_the_program(tmp_path: Path) -> None:
    interpreter = resolve(program_info(tmp_path, virtualenv=".venv"))
    assert interpreter == Interpreter(Path(sys.executable), None)
    assert interpreter.environment({"PATH": "/bin"}) == {"PATH": "/bin"}


def test_a_virtual_environment_is_activated_as_a_shell_would_do_it(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    interpreter = resolve(program_info(tmp_path, virtualenv=".venv"))
    assert interpreter.environment({"PATH": "/bin", "PYTHONHOME": "/x", "VIRTUAL_ENV": "/other"}) == {
        "PATH": f"{python.parent}:/bin",
        "VIRTUAL_ENV": str(tmp_path / ".venv"),
    }


def test_a_virtualenv_that_is_no_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="virtualenv must be a path"):
        resolve(program_info(tmp_path, virtualenv=3))
