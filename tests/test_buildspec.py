"""A run of the runner: what buildspec.yml does, with commands that only write down how they were called."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
GUARDED = " --policy-pack policies"
FAKE = """#!/bin/sh
echo "$(basename $0) $*" >> "$TOLD"
[ -n "$AWS_CONFIG_FILE" ] && cat "$AWS_CONFIG_FILE" > "$TOLD.profile" && echo "$AWS_PROFILE" > "$TOLD.named"
exit 0
"""


def _run(folder: Path, command: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """A run with this COMMAND: how it ended, and the calls that it made."""
    phases = YAML(typ="safe").load(ROOT / "buildspec.yml")["phases"]
    script = "\n".join(phases["build"]["commands"])
    tools = folder / "tools"
    tools.mkdir()
    (tools / "python3").write_text(FAKE)
    (tools / "python3").chmod(0o755)
    told = folder / "told"
    variables = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TOLD": str(told),
        "COMMAND": command,
        "STACK": "aws-prod",
        "AWS_REGION": "us-west-2",
        "DEPLOYER_ROLE_ARN": "arn:aws:iam::111122223333:role/platform-deployer",
        "CODEBUILD_BUILD_NUMBER": "7",
    }
    done = subprocess.run(
        ["/bin/bash", "-c", script], env=variables, cwd=folder, capture_output=True, text=True, check=False
    )
    return done, told.read_text().splitlines() if told.exists() else []


@pytest.mark.parametrize(
    ("command", "options"), [("preview", GUARDED), ("up", f" --yes{GUARDED}"), ("refresh", " --yes")]
)
def test_a_run_works_as_the_deployer_on_its_stack(tmp_path: Path, command: str, options: str) -> None:
    done, calls = _run(tmp_path, command)
    assert done.returncode == 0, done.stderr
    assert calls == [
        "python3 bootstrap.py --run pulumi login",
        f"python3 bootstrap.py --run pulumi {command} --stack aws-prod --non-interactive{options}",
    ]
    assert (tmp_path / "told.named").read_text().strip() == "deployer"
    assert (tmp_path / "told.profile").read_text().splitlines() == [
        "[profile deployer]",
        "role_arn = arn:aws:iam::111122223333:role/platform-deployer",
        "credential_source = EcsContainer",
        "role_session_name = runner-7",
        "region = us-west-2",
    ], "the runner's own role may do nothing"


@pytest.mark.parametrize(
    ("command", "words"),
    [("destroy", "destroy from outside"), ("cancel", "expected preview, up or refresh"), ("", "got ''")],
)
def test_a_run_refuses_what_is_not_its_to_do(tmp_path: Path, command: str, words: str) -> None:
    done, calls = _run(tmp_path, command)
    assert done.returncode == 2
    assert words in done.stderr
    assert not calls, "before anything is asked of Pulumi"


def test_versions_are_those_that_stand_in_one_place() -> None:
    first = YAML(typ="safe").load(ROOT / "buildspec.yml")["phases"]["install"]["commands"][0]
    done = subprocess.run(
        ["/bin/bash", "-c", f"{first}; echo $PULUMI_VERSION $UV_VERSION"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    known = tomllib.loads((ROOT / "twin/toolchain/versions.toml").read_text())
    assert done.stdout.split() == [known["pulumi"]["version"], known["uv"]["version"]]
