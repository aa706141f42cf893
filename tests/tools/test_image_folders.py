"""Which folders a workflow builds: those that a push has changed, or those that a run by hand names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.images.folders import commit, git
from tools import image_folders


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("examples/a", "examples/b", "plain"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "main.py").write_text("")
    for name in ("examples/a", "examples/b"):
        (tmp_path / name / "image.toml").write_text("")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return tmp_path


def outputs(root: Path, capsys: pytest.CaptureFixture[str], **variables: str) -> tuple[list[str], list[str]]:
    assert image_folders.main(variables, root) == 0
    lines = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    return json.loads(lines["folders"]), json.loads(lines["environments"])


def test_push_builds_what_it_changed_for_development(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = git(root, "rev-parse", "HEAD").strip()
    assert outputs(root, capsys, BEFORE=before) == ([], ["aws-dev", "gcp-dev"])
    (root / "examples" / "b" / "main.py").write_text("changed")
    (root / "plain" / "main.py").write_text("changed")
    commit(root)
    assert outputs(root, capsys, BEFORE=before)[0] == ["examples/b"]


@pytest.mark.parametrize("before", ["", "0" * 40, "a" * 40, "--output=/tmp/file"])
def test_push_after_an_unknown_commit_builds_all(
    root: Path, capsys: pytest.CaptureFixture[str], before: str
) -> None:
    assert outputs(root, capsys, BEFORE=before)[0] == ["examples/a", "examples/b"]


def test_run_by_hand_builds_what_it_names(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outputs(root, capsys, ENVIRONMENT="aws-prod", FOLDER="examples/a") == (
        ["examples/a"],
        ["aws-prod"],
    )
    assert outputs(root, capsys, ENVIRONMENT="aws-prod") == (["examples/a", "examples/b"], ["aws-prod"])
    assert image_folders.main({"ENVIRONMENT": "aws-prod", "FOLDER": "plain"}, root) == 1
    assert "plain: has no image.toml; expected one of examples/a, examples/b" in capsys.readouterr().err


def test_example_of_the_repository_is_found() -> None:
    assert "examples/image" in image_folders._folders(image_folders.ROOT)
