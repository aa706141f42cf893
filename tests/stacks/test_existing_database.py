"""An environment whose model registry uses a database server that exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from stacks.loading import load_file
from stacks.settings.generated import stated
from tests.components.aiplatform.model_registry.example import DB
from tests.components.recording import REGION
from tests.stacks.environments import build
from tests.stacks.test_google_files import changed, problems

ACCOUNT: Final = "333344445555"
EXISTING: Final = "model_registry/database/existing"


def existing(stack: str, region: str = "us-west-2") -> dict[str, Any]:
    """Return the ids of a server. region: of one on AWS."""
    if stack.startswith("gcp"):
        return {"connection_name": "acme-databases:us-central1:shared"}
    return {
        "host": f"shared.c1a2b3c4d5e6.{region}.rds.amazonaws.com",
        "resource_id": DB,
        "master_secret": f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:rds!db-0a1b2c3d-AbCdEf",
        "master_secret_kms_key": f"arn:aws:kms:{region}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    }


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod", "gcp-prod"])
def test_a_server_that_exists_replaces_the_database_of_the_profile(tmp_path: Path, stack: str) -> None:
    settings = load_file(changed(tmp_path, {EXISTING: existing(stack)}, stack))
    assert settings.model_registry is not None
    assert stated(settings.model_registry)["database"] == {"existing": existing(stack)}


@pytest.mark.parametrize("teardown", [False, True])
@pytest.mark.parametrize("stack", ["aws-dev", "gcp-dev"])
def test_no_database_is_created_in_such_an_environment(tmp_path: Path, stack: str, teardown: bool) -> None:
    change = {EXISTING: existing(stack, REGION), "environment/teardown": teardown}
    if stack == "aws-dev":
        change["environment/region"] = REGION
    settings = load_file(changed(tmp_path, change, stack))
    recording = build(settings, without=("kubernetes", "data", "teams")).recording
    for kind in ("aws:rds/instance:Instance", "gcp:sql/databaseInstance:DatabaseInstance"):
        assert recording.all(kind) == []
    assert recording.one("kubernetes:apps/v1:Deployment", "model-registry-deployment")


def test_prod_still_requires_replicas_in_two_zones(tmp_path: Path) -> None:
    change = {EXISTING: existing("aws-prod"), "model_registry/high_availability": False}
    (problem,) = problems(tmp_path, change, "aws-prod")
    assert "model_registry.high_availability: got false" in problem


def test_arguments_of_a_created_database_are_refused_next_to_it(tmp_path: Path) -> None:
    change = {"model_registry/database": {"existing": existing("aws-dev"), "size": "large"}}
    (problem,) = problems(tmp_path, change, "aws-dev")
    assert "model_registry.database.size: got 'large' together with existing" in problem


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("host", "shared.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com", "a database in us-east-1"),
        (
            "master_secret",
            f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:rds!db-0a1b2c3d-AbCdEf",
            "a secret in us-east-1",
        ),
        (
            "master_secret_kms_key",
            f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "a key in us-east-1",
        ),
        ("resource_id", "shared", "expected the resource id"),
        ("connection_name", "acme-databases:us-central1:shared", "AWS does not support"),
    ],
)
def test_ids_of_another_region_or_form_are_reported_with_their_line(
    tmp_path: Path, key: str, value: str, expected: str
) -> None:
    (problem,) = problems(tmp_path, {EXISTING: {**existing("aws-dev"), key: value}}, "aws-dev")
    assert f": model_registry.database.existing.{key}: " in problem
    assert expected in problem
