"""The topic `pipelines`: what the platform adds, what profiles state, and what is refused by line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aiplatform._shared.images import images
from stacks import data_arguments
from stacks.images import repositories, without_digests
from stacks.loading import load_file
from stacks.settings import Settings
from stacks.validation import placeholders
from tests.stacks.environments import STACKS
from tests.stacks.test_google_files import changed, problems

CI = {"aws": "arn:aws:iam::111122223333:role/ci", "gcp": "serviceAccount:ci@acme.iam.gserviceaccount.com"}


OWNERS = {"aws": "arn:aws:iam::111122223333:role/search", "gcp": "group:search@acme.example"}
TEAM = "search"


def topic(stack: str, **team: Any) -> dict[str, Any]:
    """A change of a file: a team, and its pipelines."""
    cloud = stack.partition("-")[0]
    groups = {"cluster/gke/google_groups": "gke-security-groups@acme.example"} if cloud == "gcp" else {}
    teams = {TEAM: {"owners": [OWNERS[cloud]]}}
    return {**groups, "teams": teams, "pipelines": {"teams": {TEAM: team}}}


def arguments(settings: Settings) -> Any:
    return data_arguments.pipelines(settings, placeholders.of(settings))


@pytest.mark.parametrize("stack", STACKS)
def test_every_environment_accepts_the_topic(tmp_path: Path, stack: str) -> None:
    schedule = {"template": "train", "schedules": ["0 3 * * *"], "timezone": "Europe/Berlin"}
    change = topic(stack, submitters=[CI[stack.partition("-")[0]]], schedules={"nightly": schedule})
    [(_, team)] = arguments(load_file(changed(tmp_path, change, stack)))["teams"].items()
    assert set(team["schedules"]) == {"nightly"}


@pytest.mark.parametrize(
    ("stack", "days", "replicas"), [("aws-dev", 14, None), ("aws-staging", None, 2), ("gcp-prod", 90, 2)]
)
def test_profiles_state_replicas_and_expiry(
    tmp_path: Path, stack: str, days: int | None, replicas: int | None
) -> None:
    args = arguments(load_file(changed(tmp_path, topic(stack), stack)))
    assert args.get("expire_days") == days
    assert args.get("replicas") == replicas
    assert args["protect"] is stack.endswith("prod")


def test_steps_run_with_the_teams_namespace_and_identity(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, topic("aws-dev"), "aws-dev"))
    team = arguments(settings)["teams"][TEAM]
    assert team["namespace"] == settings.namespace_of(TEAM)
    assert team["identity"]["service_account"] == "workloads"


def test_the_executor_may_run_in_namespaces_of_teams_in_prod(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, topic("aws-prod"), "aws-prod"))
    image = images()["argo-executor"]
    assert image.repository in repositories(settings), "each step has it"
    assert bool(image.digest) != (image.reference in without_digests(settings)), (
        "guardrails refuse images without a digest"
    )


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"teams": {"unknown-team": {}}}, r"pipelines\.teams\.unknown-team: no team has this name"),
        (
            {"teams": {"search": {"schedules": {"s": {"template": "t", "schedules": ["x"]}}}}},
            r"schedules\.s\.schedules\[0\]: got 'x'; expected cron's five fields",
        ),
        (
            {
                "teams": {
                    "search": {
                        "schedules": {"s": {"template": "t", "schedules": ["0 3 * * *"], "timezone": "X"}}
                    }
                }
            },
            r"schedules\.s\.timezone: got 'X'; expected a time zone of IANA",
        ),
        ({"teams": {"search": {"submitters": ["ci"]}}}, r"submitters\[0\]: got 'ci'"),
    ],
)
def test_a_wrong_key_is_reported_with_its_line(tmp_path: Path, keys: Any, reason: str) -> None:
    change = {**topic("aws-dev"), "pipelines": keys}
    [problem] = problems(tmp_path, change, "aws-dev")
    assert re.search(rf"Pulumi\.aws-dev\.yaml:\d+: .*{reason}", problem), problem


def test_a_submitter_is_no_member_of_a_team(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, topic("aws-dev", submitters=[OWNERS["aws"]]), "aws-dev")
    assert "expected a principal that only submits" in problem
