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


def built(root: Path, capsys: pytest.CaptureFixture[str], **variables: str) -> list[tuple[str, str]]:
    assert image_folders.main(variables, root) == 0
    name, _, value = capsys.readouterr().out.partition("=")
    assert name == "images"
    return [(image["folder"], image["environment"]) for image in json.loads(value)]


def of_development(*folders: str) -> list[tuple[str, str]]:
    return [(folder, name) for folder in folders for name in ("aws-dev", "gcp-dev")]


def test_push_builds_what_it_changed_for_development(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = git(root, "rev-parse", "HEAD").strip()
    assert built(root, capsys, BEFORE=before) == []
    (root / "examples" / "b" / "main.py").write_text("changed")
    (root / "plain" / "main.py").write_text("changed")
    commit(root)
    assert built(root, capsys, BEFORE=before) == of_development("examples/b")


@pytest.mark.parametrize("before", ["", "0" * 40, "a" * 40, "--output=/tmp/file"])
def test_push_after_an_unknown_commit_builds_all(
    root: Path, capsys: pytest.CaptureFixture[str], before: str
) -> None:
    assert built(root, capsys, BEFORE=before) == of_development("examples/a", "examples/b")


def test_run_by_hand_builds_what_it_names(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert built(root, capsys, ENVIRONMENT="aws-prod", FOLDER="examples/a") == [("examples/a", "aws-prod")]
    assert built(root, capsys, ENVIRONMENT="aws-prod") == [
        ("examples/a", "aws-prod"),
        ("examples/b", "aws-prod"),
    ]
    assert image_folders.main({"ENVIRONMENT": "aws-prod", "FOLDER": "plain"}, root) == 1
    assert "plain: has no image.toml; expected one of examples/a, examples/b" in capsys.readouterr().err


def test_folder_for_other_environments_is_left_out_with_a_note(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "examples" / "a" / "image.toml").write_text('environments = ["aws-prod", "gcp-dev"]\n')
    (root / "examples" / "b" / "image.toml").write_text('environments = ["aws-prod"]\n')
    commit(root)
    assert image_folders.main({}, root) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out.partition("=")[2]) == [{"folder": "examples/a", "environment": "gcp-dev"}]
    assert printed.err == "examples/b: no image for aws-dev, gcp-dev; its image.toml names aws-prod\n"
    assert built(root, capsys, ENVIRONMENT="aws-prod", FOLDER="examples/b") == [("examples/b", "aws-prod")]
    assert image_folders.main({"ENVIRONMENT": "gcp-prod", "FOLDER": "examples/b"}, root) == 1, "asked for it"


@pytest.mark.parametrize("text", ["environments = [", 'environments = "aws-prod"'])
def test_wrong_description_is_built_for_its_error(
    root: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (root / "examples" / "a" / "image.toml").write_text(text)
    assert built(root, capsys, FOLDER="examples/a") == of_development("examples/a", "examples/b")


def test_example_of_the_repository_is_found() -> None:
    assert "examples/image" in image_folders._folders(image_folders.ROOT)
