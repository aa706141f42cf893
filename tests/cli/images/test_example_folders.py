"""`aiplatform image build` over the folders of this repository: up to the definition that a builder gets."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.images import build_command, containerfile, description
from tests.cli.images.folders import commit, git
from tests.cli.images.targets import target_of
from tools import image_folders

ROOT = image_folders.ROOT
IMAGES = [
    (name, environment)
    for name in image_folders._folders(ROOT)
    for environment in description.load(ROOT / name).environments or (*image_folders.DEVELOPMENT, "aws-prod")
]
_MODULE = re.compile(r'ENTRYPOINT \["(?:python|torchrun)", "-m", "(\w+)"[\],]')


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the folders, committed."""
    root = tmp_path_factory.mktemp("repository")
    for name in image_folders._folders(ROOT):
        for file in git(ROOT, "ls-files", "-z", "--", name).split("\0"):
            if file:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / file, root / file)
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


def test_folders_of_a_teams_work_are_among_them() -> None:
    names = {name for name, _ in IMAGES}
    assert {"examples/training", "examples/batch-inference", "examples/fine-tune"} <= names


@pytest.mark.parametrize(("name", "environment"), IMAGES)
def test_folder_becomes_a_definition_for_its_environment(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, environment: str
) -> None:
    monkeypatch.setattr(build_command, "target_of", target_of)
    monkeypatch.setenv("UV_OFFLINE", "1")
    folder, output = repository / name, tmp_path / "out"
    arguments = ["image", "build", str(folder), environment, "--definition-only", "--output", str(output)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    text = (output / "definition" / "Containerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", bases[0]), "pinned"
    if description.load(folder).pool == "training" and environment == "aws-prod":
        assert "deep-learning-containers" in bases[0], "the pool's network is EFA, which this base has"
    sources = output / "definition" / containerfile.CONTEXT / containerfile.SOURCES
    copied = {str(file.relative_to(sources)) for file in sources.rglob("*") if file.is_file()}
    assert copied == set(git(folder, "ls-files").split()), "what the commit has, and nothing else"
    module = _MODULE.search(text)
    program = f"{module[1]}/__main__.py" if module else "main.py"
    assert program in copied, "the entry point is in the image"
    assert f"builds {target_of(environment).repositories['training']}" in result.stderr
