"""The topic `workflows`: what an environment registers, and what it refuses by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.loading import load_file
from tests.components.aiplatform.workflow.example import arguments, definition
from tests.policies.test_environments import violations
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems

TYPES = {"aws": "aws:sfn/stateMachine:StateMachine", "gcp": "gcp:workflows/workflow:Workflow"}
OF_PLATFORM = ("prefix", "name", "cloud", "project", "region")


def topic(cloud: str, **more: Any) -> dict[str, Any]:
    stated = {key: value for key, value in arguments(cloud, **more).items() if key not in OF_PLATFORM}
    # Services and job are in the region of the environments.
    text = json.dumps(stated).replace("europe-west4", "us-central1")
    return {"workflows/scoring": json.loads(text)}


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-dev"])
def test_a_workflow_is_created_and_no_policy_refuses_it(tmp_path: Path, stack: str) -> None:
    cloud = stack.partition("-")[0]
    schedule = {"cron": "0 3 * * *", "timezone": "Europe/Berlin"}
    settings = load_file(changed(tmp_path, topic(cloud, schedule=schedule), stack))
    recording = build(settings, without=("kubernetes", "data", "teams")).recording
    workflow = recording.one(TYPES[cloud], "workflow-scoring").inputs
    assert workflow["name"] == f"{settings.environment.prefix}-scoring"
    assert [
        f"{entry.policy.id}: {entry.name}: {entry.problem}" for entry in violations(recording, stack)
    ] == []


@pytest.mark.parametrize(
    ("stack", "more", "path", "reason"),
    [
        (
            "aws-dev",
            {"definition": {**definition("aws"), "StartAt": "Start"}},
            "definition",
            "Start not found",
        ),
        ("gcp-dev", {"functions": {}}, "definition.main", "`functions` does not list"),
        (
            "aws-dev",
            {"schedule": {"cron": "0 3 * * *", "timezone": "Berlin"}},
            "schedule.timezone",
            "time zone",
        ),
        ("aws-dev", {"log_dys": 30}, "log_dys", "did you mean"),
    ],
)
def test_bad_input_is_refused_by_file_and_line(
    tmp_path: Path, stack: str, more: dict[str, Any], path: str, reason: str
) -> None:
    reported = problems(tmp_path, topic(stack.partition("-")[0], **more), stack)
    assert any(f": workflows.scoring.{path}" in problem and reason in problem for problem in reported), (
        reported
    )


def test_owner_is_required(tmp_path: Path) -> None:
    stated = topic("aws")
    del stated["workflows/scoring"]["owner"]
    [problem] = problems(tmp_path, stated, "aws-dev")
    assert "workflows.scoring.owner" in problem
