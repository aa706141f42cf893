"""`aiplatform new`: flags, questions, and a file that is written only when it is valid."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import environment_files
from cli.app import app
from cli.new import command
from cli.new.checker import Checker
from cli.output import CommandError
from stacks.new_environment.__main__ import reply

ROOT = environment_files.ROOT
FLAGS = {
    "--cloud": "aws",
    "--profile": "dev",
    "--org": "acme",
    "--account": "111122223333",
    "--region": "us-west-2",
    "--owner": "jo@acme.example",
    "--cost-center": "research",
    "--accelerators": "none",
}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a repository whose environments a test may change."""
    for part in ("stacks", "components"):
        (tmp_path / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "environments", tmp_path / "environments")
    monkeypatch.setattr(environment_files, "ROOT", tmp_path)
    return tmp_path


class InProcess(Checker):
    """The program in this process, which has loaded it."""

    def __exit__(self, *_: object) -> None:
        pass

    def _start(self) -> None:
        pass

    def _exchange(self, line: str) -> str:
        return json.dumps(reply(json.loads(line)))


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the start of the program, which takes seconds."""
    monkeypatch.setattr(command, "Checker", InProcess)


def run(*options: str, name: str = "aws-lab", answers: Sequence[str] = (), **changes: str | None) -> Any:
    """Run the command with all flags but those that are changed to None. answers: on a terminal."""
    flags = {**FLAGS, **{f"--{key.replace('_', '-')}": value for key, value in changes.items()}}
    words = [word for flag, value in flags.items() if value is not None for word in (flag, value)]
    return CliRunner().invoke(app, ["new", name, *words, *options], input="\n".join([*answers, ""]))


def error(result: Any) -> str:
    """Return the message of the error by which the command ended."""
    assert isinstance(result.exception, CommandError), result.output
    return str(result.exception)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command ask."""
    monkeypatch.setattr(command, "is_terminal", lambda: True)


def written(root: Path) -> list[str]:
    """Return the new files."""
    here = {file.name for file in (root / "environments").glob("*.yaml")}
    return sorted(here - {file.name for file in (ROOT / "environments").glob("*.yaml")})


def test_flags_alone_write_a_file(root: Path) -> None:
    result = run(accelerators="l4,h100:8")
    assert result.exit_code == 0, result.output
    assert written(root) == ["Pulumi.aws-lab.yaml"]
    text = (root / "environments" / "Pulumi.aws-lab.yaml").read_text()
    assert "l4: {accelerator: l4, count: 1" in text
    assert "h100: {accelerator: h100, count: 8" in text
    number = next(number for number, line in enumerate(text.splitlines(), 1) if "Placeholder" in line)
    assert (
        f"placeholders are to be changed before it is deployed in the cloud: line {number}." in result.output
    )
    steps = result.output.partition("Next:\n")[2].splitlines()
    assert len(steps) == 3, "at most three next steps"
    assert all("aws-lab" in step for step in steps)


@pytest.mark.usefixtures("program")
def test_missing_answer_without_a_terminal_lists_its_flags(root: Path) -> None:
    message = error(run(region=None, cost_center=None, account=None))
    assert "missing --account, --region, --cost-center" in message
    assert "missing --project" in error(run(name="gcp-lab", cloud="gcp", account=None, region="us-central1"))
    assert "--account or --project" in error(run(cloud=None, account=None))
    assert not written(root)


@pytest.mark.usefixtures("program")
def test_wrong_flag_is_reported_although_others_are_missing(root: Path) -> None:
    message = error(run(org=None, region="us-central1", accelerators="tpu-v6e"))
    assert "--region: got 'us-central1', which is a region of Google Cloud" in message
    assert "--accelerators: got 'tpu-v6e', which AWS does not have" in message
    assert not written(root)


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": None, "project": "acme-ml"}, "--project: got 'acme-ml' on AWS; expected --account"),
        ({"cloud": "gcp", "name": "gcp-lab"}, "--account: got '111122223333' on Google Cloud; expected"),
        ({"project": "acme-ml"}, "--account and --project: got both"),
        ({"name": "aws-dev"}, "environments/Pulumi.aws-dev.yaml exists, and is not overwritten"),
        ({"profile": "prod", "release": "latest"}, "--release: "),
    ],
)
def test_wrong_flag_writes_nothing(root: Path, changes: dict[str, Any], message: str) -> None:
    before = (root / "environments" / "Pulumi.aws-dev.yaml").read_bytes()
    assert message in error(run(**changes))
    assert not written(root)
    assert (root / "environments" / "Pulumi.aws-dev.yaml").read_bytes() == before


def test_file_that_appears_meanwhile_is_not_overwritten(root: Path) -> None:
    file = root / "environments" / "Pulumi.aws-lab.yaml"
    file.write_text("mine\n")
    with pytest.raises(CommandError, match="not overwritten"):
        command._write("aws-lab", "new\n")  # pyright: ignore[reportPrivateUsage]
    assert file.read_text() == "mine\n"


@pytest.mark.usefixtures("program", "terminal")
def test_questions_are_asked_again_with_the_reason(root: Path) -> None:
    answers = ["Acme", "acme", "12", "111122223333", "us-central1", "", "t4,tpu-v6e", "t4"]
    result = run(org=None, account=None, region=None, accelerators=None, answers=answers)
    assert result.exit_code == 0, result.output
    assert "got 'Acme'" in result.output
    assert "12 digits" in result.output
    assert "a region of Google Cloud; expected a region of AWS" in result.output
    assert "got 'tpu-v6e', which AWS does not have" in result.output
    assert "Profile" not in result.output, "a flag states it"
    text = (root / "environments" / "Pulumi.aws-lab.yaml").read_text()
    assert "region: us-west-2" in text, "the default is that of the other environments"
    assert "t4: {accelerator: t4" in text


@pytest.mark.usefixtures("program", "terminal")
def test_all_questions_have_a_default_but_the_account(root: Path) -> None:
    nothing = dict.fromkeys(("cloud", "profile", "org", "account", "region", "owner", "cost_center"))
    answers = ["", "", "", "", "acme-ml-lab", "", "", "", "none"]
    result = run(name="gcp-staging-2", accelerators=None, answers=answers, **nothing)
    assert result.exit_code == 0, result.output
    text = (root / "environments" / "Pulumi.gcp-staging-2.yaml").read_text()
    assert "cloud: gcp" in text, "as the name states"
    assert "profile: staging" in text
    assert "gpu_pools" not in text


@pytest.mark.usefixtures("program", "terminal")
def test_end_of_the_input_writes_nothing(root: Path) -> None:
    assert run(region=None, answers=["us-central1"]).exit_code != 0
    assert not written(root)


def test_error_of_the_program_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert "ended with the error above" in error(run())
