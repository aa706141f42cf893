"""A run of the runner: what buildspec.yml does, with commands that only write down how they were called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
GUARDED = " --policy-pack policies"
FAKE = """#!/bin/sh
echo "$(basename $0) $*" >> "$CALLS"
echo "${PULUMI_SKIP_CHECKPOINTS:-kept}" > "$CALLS.checkpoints"
[ -n "$AWS_CONFIG_FILE" ] && cat "$AWS_CONFIG_FILE" > "$CALLS.profile" && echo "$AWS_PROFILE" > "$CALLS.named"
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
    calls = folder / "calls"
    variables = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(folder),
        "CALLS": str(calls),
        "COMMAND": command,
        "STACK": "aws-prod",
        "AWS_REGION": "us-west-2",
        "DEPLOYER_ROLE_ARN": "arn:aws:iam::111122223333:role/platform-deployer",
        "CODEBUILD_BUILD_NUMBER": "7",
        "PULUMI_SKIP_CHECKPOINTS": "1",
    }
    done = subprocess.run(
        ["/bin/bash", "-c", script], env=variables, cwd=folder, capture_output=True, text=True, check=False
    )
    return done, calls.read_text().splitlines() if calls.exists() else []


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("preview", GUARDED),
        ("up", f" --yes{GUARDED}"),
        ("refresh", " --yes"),
        ("cancel", " --yes"),
    ],
)
def test_a_run_works_as_the_deployer_on_its_stack(tmp_path: Path, command: str, options: str) -> None:
    done, calls = _run(tmp_path, command)
    assert done.returncode == 0, done.stderr
    assert calls == [
        "python3 bootstrap.py --run pulumi login",
        f"python3 bootstrap.py --run pulumi {command} --stack aws-prod --non-interactive{options}",
    ]
    assert (tmp_path / "calls.named").read_text().strip() == "deployer"
    assert (tmp_path / "calls.profile").read_text().splitlines() == [
        "[profile deployer]",
        "role_arn = arn:aws:iam::111122223333:role/platform-deployer",
        "credential_source = EcsContainer",
        "role_session_name = runner-7",
        "region = us-west-2",
    ], "the runner's own role may do nothing"


@pytest.mark.parametrize(
    ("command", "checkpoints"), [("preview", "true"), ("up", "kept"), ("refresh", "kept"), ("cancel", "kept")]
)
def test_only_a_preview_skips_checkpoints(tmp_path: Path, command: str, checkpoints: str) -> None:
    _run(tmp_path, command)
    assert (tmp_path / "calls.checkpoints").read_text().strip() == checkpoints, (
        "an update that is broken off is repaired from them, whatever the project's variables say"
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("destroy", "cannot delete the network that it runs in"),
        ("import", "expected preview, up, refresh or cancel"),
        ("", "got ''"),
    ],
)
def test_run_refuses_an_unknown_command_and_destroy(tmp_path: Path, command: str, words: str) -> None:
    done, calls = _run(tmp_path, command)
    assert done.returncode == 2
    assert words in done.stderr
    assert not calls, "before anything is asked of Pulumi"


def test_what_a_run_installs_is_checked_and_locked() -> None:
    buildspec = YAML(typ="safe").load(ROOT / "buildspec.yml")
    assert buildspec["phases"]["install"]["commands"] == [
        'python3 tools/install_pulumi.py "$HOME"',
        "python3 bootstrap.py",
    ], "both compare what they fetch with checksums; without --development there is the program alone"
    assert buildspec["env"]["variables"]["UV_FROZEN"] == "1", "the host's own sync resolves nothing"


def test_the_state_is_compressed_as_in_the_workflows() -> None:
    variables = YAML(typ="safe").load(ROOT / "buildspec.yml")["env"]["variables"]
    assert variables["PULUMI_DIY_BACKEND_ZSTD"] == "true", "both deploy prod, from one state"
