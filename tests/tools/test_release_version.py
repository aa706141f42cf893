"""A tag is released where it is the version of both packages and of the changelog."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools import release_version

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose version 1.2.0 is complete."""
    (tmp_path / "twin").mkdir()
    for name in release_version.PACKAGES:
        (tmp_path / name).write_text('[project]\nname = "a"\nversion = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [1.2.0] - 2026-12-01\n### Added\n\n## [1.1.0] - 2026-11-01\n"
    )
    record = tmp_path / release_version.RECORDS / "1.2.0"
    record.mkdir(parents=True)
    (record / "aws-dev.json.gz").touch()
    return tmp_path


def test_complete_version_has_no_problem(repository: Path) -> None:
    assert list(release_version.problems("v1.2.0", repository)) == []


@pytest.mark.parametrize("tag", ["1.2.0", "v1.2", "v1.2.0-rc1", "v1.2.0.dev1", "latest", "v1.2.0\n"])
def test_tag_that_is_no_version_is_refused(tag: str, repository: Path) -> None:
    assert "expected v and a version" in next(release_version.problems(tag, repository))


@pytest.mark.parametrize("package", release_version.PACKAGES)
def test_package_of_another_version_is_named(package: str, repository: Path) -> None:
    (repository / package).write_text('[project]\nversion = "1.1.0"\n')
    [problem] = release_version.problems("v1.2.0", repository)
    assert problem == f"{package}: the version is 1.1.0; expected 1.2.0, that of the tag"


def test_changelog_without_the_version_is_refused(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("## [1.1.0] - 2026-11-01\n")
    assert list(release_version.problems("v1.2.0", repository)) == [
        "CHANGELOG.md: the first version is 1.1.0; expected 1.2.0"
    ]


def test_changelog_without_a_date_is_refused_but_for_a_candidate(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("## [1.2.0] - Unreleased\n")
    assert "has the date 'Unreleased'" in next(release_version.problems("v1.2.0", repository))
    for name in release_version.PACKAGES:
        (repository / name).write_text('[project]\nversion = "1.2.0rc1"\n')
    assert list(release_version.problems("v1.2.0rc1", repository)) == []


def test_version_without_a_record_of_its_resources_is_refused_but_for_a_candidate(repository: Path) -> None:
    (repository / release_version.RECORDS / "1.2.0" / "aws-dev.json.gz").unlink()
    [problem] = release_version.problems("v1.2.0", repository)
    assert "tests/releases/1.2.0: the version has no record of its resources" in problem
    for name in release_version.PACKAGES:
        (repository / name).write_text('[project]\nversion = "1.2.0rc1"\n')
    assert list(release_version.problems("v1.2.0rc1", repository)) == []


def test_both_packages_have_one_version_now() -> None:
    command = [sys.executable, str(ROOT / "tools" / "release_version.py"), "v999.0.0"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    versions = {
        line.split("the version is ")[1].split(";")[0] for line in ended.stderr.splitlines() if "toml" in line
    }
    assert len(versions) == 1
