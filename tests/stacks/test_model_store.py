"""The topic `model_store`: what the platform adds, what profiles state, and what teams get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stacks import data_arguments, team_arguments
from stacks.loading import load_file
from stacks.settings import Settings
from stacks.validation import placeholders
from tests.components.recording import value as resolved
from tests.stacks.test_google_files import changed

REGISTRY: dict[str, Any] = {
    "tracking_uri": "http://mlflow",
    "namespace": "models",
    "kms_key": "arn:key",
    "secrets": [{"account": "release", "secret": "arn:secret"}, {"account": "admin", "secret": "arn:admin"}],
}


def arguments(settings: Settings, registry: dict[str, Any] | None = None) -> dict[str, Any]:
    args: Any = data_arguments.model_store(settings, placeholders.of(settings), registry or REGISTRY)
    return args


def test_promotions_use_the_registry_of_the_environment_as_the_account_that_promotes(tmp_path: Path) -> None:
    args = arguments(load_file(changed(tmp_path, {}, "aws-dev")))
    registry = args["registry"]
    assert resolved(registry.pop("secret")) == "arn:secret"
    assert registry == {"tracking_uri": "http://mlflow", "namespace": "models", "kms_key": "arn:key"}
    assert "account" not in args, "the component knows no accounts"


def test_a_registry_that_the_file_states_is_used_in_place_of_it(tmp_path: Path) -> None:
    stated = {"tracking_uri": "https://mlflow.acme.example", "namespace": "mlflow", "secret": "mlflow"}
    settings = load_file(changed(tmp_path, {"model_store/registry": stated}, "aws-dev"))
    assert arguments(settings)["registry"] == stated
    registry: Any = data_arguments.model_registry(settings, placeholders.of(settings))
    assert "release" not in registry["client_namespaces"], "nothing reaches the other one"


@pytest.mark.parametrize(
    ("stack", "days", "retention"),
    [("aws-dev", 14, None), ("aws-staging", 30, None), ("aws-prod", 90, 365), ("gcp-prod", 90, 365)],
)
def test_profiles_state_how_long_checkpoints_and_releases_stay(
    tmp_path: Path, stack: str, days: int, retention: int | None
) -> None:
    args = arguments(load_file(changed(tmp_path, {}, stack)))
    assert args["checkpoints"]["expire_days"] == days
    assert args.get("releases", {}).get("retention", {}).get("days") == retention
    assert args["profile"] == stack.partition("-")[2]


def test_deleting_prods_data_lifts_a_retention_that_prevents_it_on_google_cloud(
    tmp_path: Path,
) -> None:
    change = {"environment/teardown": "with_data"}
    assert "retention" not in arguments(load_file(changed(tmp_path, change, "gcp-prod")))["releases"]
    aws = arguments(load_file(changed(tmp_path, change, "aws-prod")))
    assert aws["releases"]["retention"]["days"] == 365, "S3 lets the deployer bypass it"
    assert aws["force_destroy"] is True


def test_teams_get_the_store(tmp_path: Path) -> None:
    team = {"owners": ["arn:aws:iam::111122223333:role/search"], "serves": True}
    settings = load_file(changed(tmp_path, {"teams": {"search": team}}, "aws-dev"))
    references = placeholders.of(settings)
    args: Any = team_arguments.teams(settings, placeholders.offered_to_teams(settings, references))
    assert args["model_store"]["cloud"] == "aws"
    assert args["teams"]["search"]["serves"] is True


def test_an_environment_without_the_topic_has_no_store(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, {"model_store": None}, "aws-dev"))
    assert settings.model_store is None
    assert placeholders.offered_to_teams(settings, placeholders.of(settings)).model_store is None
