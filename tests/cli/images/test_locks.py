"""Only locked packages get into an image, and those that the base has are not installed again."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.images import locks
from cli.images.bases import bases
from cli.output import CommandError
from tests.cli.images import folders
from tests.cli.images.folders import package

TRACKED = [Path(locks.PROJECT), Path(locks.LOCK)]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FROZEN", "1")  # as CI may have it


def locked(folder: Path, *packages: str) -> Path:
    return folders.write(folder, files={"uv.lock": folders.LOCK.format(packages="".join(packages))})


def test_lock_of_the_project_is_accepted(tmp_path: Path) -> None:
    locks.check(folders.write(tmp_path), TRACKED, bases()["python"])


def test_lock_that_is_out_of_date_is_refused(tmp_path: Path) -> None:
    stated = folders.PROJECT.replace("dependencies = []", 'dependencies = ["mlflow>=3"]')
    folder = folders.write(tmp_path, files={"pyproject.toml": stated})
    before = (folder / locks.LOCK).read_text()
    with pytest.raises(CommandError, match=r"uv\.lock: is not the lock of pyproject\.toml"):
        locks.check(folder, TRACKED, bases()["python"])
    assert (folder / locks.LOCK).read_text() == before


@pytest.mark.parametrize("name", [locks.PROJECT, locks.LOCK])
def test_missing_lock_is_refused(tmp_path: Path, name: str) -> None:
    folder = folders.write(tmp_path)
    (folder / name).unlink()
    with pytest.raises(CommandError, match=f"{name}: missing; expected a project of uv"):
        locks.check(folder, TRACKED, bases()["python"])


def test_lock_that_git_does_not_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="git does not track it"):
        locks.check(folders.write(tmp_path), TRACKED[:1], bases()["python"])


def test_packages_of_the_base_are_not_installed_again(tmp_path: Path) -> None:
    packages = ("torch", "2.9.1"), ("triton", "3.5.1"), ("nvidia-nccl-cu12", "2.27.5"), ("numpy", "2.3.0")
    folder = locked(tmp_path, *(package(*entry) for entry in packages))
    base = bases()["torch"]
    assert locks.installed_by_base(folder, "torch", base) == ["nvidia-nccl-cu12", "torch", "triton"]
    assert locks.installed_by_base(folder, "torch", bases()["python"]) == [], "it has none"


def test_bases_of_several_networks_have_one_minor_version(tmp_path: Path) -> None:
    folder = locked(tmp_path, package("torch", "2.9.1+cu128"))
    assert locks.installed_by_base(folder, "torch", bases()["torch-efa"]) == ["torch"], "2.9.0"


@pytest.mark.parametrize("name", ["torch", "torch-efa", "torch-tcpx", "python"])
@pytest.mark.parametrize(
    ("required", "versions"),
    [
        (">=3.12,<3.13", {"3.12"}),
        (">=3.11,<3.13", {"3.11", "3.12"}),
        ("==3.11.*", {"3.11"}),
        (">=3.11.4", {"3.11", "3.12"}),
        ("<3.11", {"3.10"}),
    ],
)
def test_python_of_the_base_is_one_that_the_project_accepts(
    tmp_path: Path, name: str, required: str, versions: set[str]
) -> None:
    stated = folders.PROJECT.replace(">=3.11", required)
    folder = folders.write(tmp_path, files={"pyproject.toml": stated})
    base = bases()[name]
    if base.python in versions:
        locks.check_python(folder, base)
        return
    with pytest.raises(CommandError) as refused:
        locks.check_python(folder, base)
    assert str(refused.value) == (
        f"{folder}/pyproject.toml:4: project.requires-python: is {required!r}, and the base "
        f"{base.repository}:{base.tag} has Python {base.python}, which is the one that runs; expected a "
        "range with it in pyproject.toml, and `uv lock`"
    )


def test_python_of_a_project_that_states_none_is_that_of_its_lock(tmp_path: Path) -> None:
    lock = folders.LOCK.format(packages="").replace(">=3.11", ">=3.12")
    stated = folders.PROJECT.replace('requires-python = ">=3.11"\n', "")
    folder = folders.write(tmp_path, files={"pyproject.toml": stated, "uv.lock": lock})
    locks.check_python(folder, bases()["torch-efa"])
    with pytest.raises(CommandError, match=r"uv\.lock:3: requires-python: is '>=3\.12'.* has Python 3\.11"):
        locks.check_python(folder, bases()["torch"])


def test_python_that_is_not_known_is_not_compared(tmp_path: Path) -> None:
    stated = folders.PROJECT.replace(">=3.11", ">=3.99")
    locks.check_python(folders.write(tmp_path, files={"pyproject.toml": stated}), bases()["jax-tpu"])


def test_range_of_python_that_is_none_is_an_error_with_its_line(tmp_path: Path) -> None:
    stated = folders.PROJECT.replace(">=3.11", "three")
    folder = folders.write(tmp_path, files={"pyproject.toml": stated})
    with pytest.raises(CommandError, match=r"pyproject\.toml:4: project\.requires-python: .*expected '>=3"):
        locks.check_python(folder, bases()["torch"])


def test_lock_of_another_version_than_the_base_is_refused(tmp_path: Path) -> None:
    folder = locked(tmp_path, package("torch", "2.8.0"))
    with pytest.raises(
        CommandError, match=r"torch: is 2\.8\.0, and the base .* has 2\.9\.1.*expected torch==2\.9\.\*"
    ):
        locks.installed_by_base(folder, "torch", bases()["torch"])


def test_framework_that_neither_lock_nor_base_has_is_refused(tmp_path: Path) -> None:
    folder = locked(tmp_path)
    with pytest.raises(CommandError, match="has no torch; expected it, as the base has none"):
        locks.installed_by_base(folder, "torch", bases()["python"])
    assert locks.installed_by_base(folder, "torch", bases()["torch"]) == [], "the base has it"


def test_package_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = locked(tmp_path, package("shared", "1.0", '{ editable = "../shared" }'))
    with pytest.raises(CommandError, match=r"shared: is \.\./shared; expected no path out of the folder"):
        locks.installed_by_base(folder, "python", bases()["python"])


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", False),
        ('[build-system]\nrequires = ["hatchling"]\n', True),
        ('[build-system]\nrequires = ["hatchling"]\n[tool.uv]\npackage = false\n', False),
    ],
)
def test_project_is_a_package_by_the_rule_of_uv(tmp_path: Path, more: str, expected: bool) -> None:
    folder = folders.write(tmp_path, files={"pyproject.toml": folders.PROJECT + more})
    assert locks.is_package(folder) == expected
