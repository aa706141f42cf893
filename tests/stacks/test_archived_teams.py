"""Teams that leave an environment: what is deleted, what is stated to be left, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks import program
from stacks.loading import Loaded, SettingsError, load_file
from stacks.settings import Settings
from tests.components.recording import ACCOUNT, Recording, record
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed
from tests.stacks.test_layer_stacks import REFERENCE

TABLE = "serving.driver_stats"
OWNERS = {"aws": f"arn:aws:iam::{ACCOUNT}:role/NAME", "gcp": "group:NAME@acme.example"}
NAMESPACE = "kubernetes:core/v1:Namespace"


def settings_of(folder: Path, stack: str, **search: Any) -> Settings:
    """An environment with the teams ads and search, the second with these keys."""
    cloud = stack.partition("-")[0]
    teams = {name: {"owners": [OWNERS[cloud].replace("NAME", name)]} for name in ("ads", "search")}
    change: dict[str, Any] = {"teams": {**teams, "search": {**teams["search"], **search}}}
    if cloud == "gcp":
        change["cluster/gke/google_groups"] = "gke-security-groups@acme.example"
    return load_file(changed(folder, change, stack))


@pytest.mark.parametrize(("stack", "scheme"), [("aws-dev", "s3"), ("gcp-dev", "gs")])
def test_an_archived_team_leaves_its_data_and_states_it(tmp_path: Path, stack: str, scheme: str) -> None:
    settings = settings_of(tmp_path, stack, archive=True, tables=[TABLE], namespace="search-ml")
    environment = build(settings)
    namespaces = {entry.inputs["metadata"]["name"] for entry in environment.recording.all(NAMESPACE)}
    assert "ads" in namespaces
    assert "search-ml" not in namespaces
    names = [resource.name for resource in environment.recording.resources]
    assert [name for name in names if "search" in name] == [], "nothing of the team is registered"
    left = environment.above["teams"]["archived_teams"]["search"]
    assert left["tables"] == [TABLE]
    assert left["secrets"].startswith("acme-dev"), "of its path in the secret manager"
    assert left["releases"].startswith(f"{scheme}://acme-dev-releases-")
    assert left["releases"].endswith("/search/")
    assert left["checkpoints"].endswith("/search-ml/"), "checkpoints are by namespace"
    assert "account search" in left["model_registry"]


def test_an_environment_without_archived_teams_has_the_output_that_it_had(tmp_path: Path) -> None:
    assert "archived_teams" not in build(settings_of(tmp_path, "aws-dev")).above["teams"]


def deployed(settings: Settings, stack: str, last: Mapping[str, Any]) -> Recording:
    """Deploy an environment whose last update had these outputs."""
    return record(
        lambda: program.deploy(Loaded(settings, stack, None)),
        stack=stack,
        computed={REFERENCE: lambda *_: {"outputs": dict(last), "secretOutputNames": []}},
    )


LAST = {"teams": {"teams": {"namespaces": {"ads": "ads", "search": "search", "maps": "maps"}}}}


@pytest.mark.parametrize("stack", ["aws-prod", "gcp-prod"])
def test_a_team_with_protected_data_is_not_removed_without_archive(tmp_path: Path, stack: str) -> None:
    settings = settings_of(tmp_path, stack)
    with pytest.raises(SettingsError) as refused:
        deployed(settings, stack, LAST)
    [problem] = refused.value.problems
    assert f"Pulumi.{stack}.yaml: teams.maps: missing, while the last update had it" in problem
    assert "expected its block with archive: true" in problem


def test_an_archived_team_is_removed_from_the_file_afterwards(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "aws-prod")
    last = {
        "teams": {"teams": {"namespaces": {"ads": "ads", "search": "search"}}, "archived_teams": {"maps": {}}}
    }
    assert deployed(settings, "aws-prod", last).all(NAMESPACE)
    assert deployed(settings, "aws-prod", {}).all(NAMESPACE), "the first update has no outputs"


def test_an_environment_that_protects_nothing_does_not_ask_for_its_last_update(tmp_path: Path) -> None:
    recording = deployed(settings_of(tmp_path, "aws-dev"), "aws-dev", LAST)
    assert not recording.all(REFERENCE)
