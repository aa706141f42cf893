"""Principals that do not exist, or that belong to another account."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.loading import load_file
from tests.stacks.test_google_files import changed, problems

OTHER_ACCOUNT = "arn:aws:iam::999900001111:role/elsewhere"
FEATURES = {"name": "features", "principal": "features", "actions": ["read"], "tables": ["curated.trips"]}


@pytest.mark.parametrize("key", ["lakehouse/writers", "feature_store/readers"])
def test_role_of_another_account_is_refused_where_a_policy_is_attached(tmp_path: Path, key: str) -> None:
    (problem,) = problems(tmp_path, {key: [OTHER_ACCOUNT]}, "aws-dev")
    assert f": {key.replace('/', '.')}[0]: got '{OTHER_ACCOUNT}'; " in problem
    assert "expected a role of this account, 111122223333" in problem


def test_role_of_another_account_may_be_granted_to_read(tmp_path: Path) -> None:
    grant = {"name": "partner", "principal": OTHER_ACCOUNT, "actions": ["read"], "zones": ["serving"]}
    assert load_file(changed(tmp_path, {"lakehouse/grants": [FEATURES, grant]}, "aws-dev"))


@pytest.mark.parametrize("everybody", ["*", "allUsers", "IAM_ALLOWED_PRINCIPALS"])
def test_every_principal_is_refused_once_and_named_so(tmp_path: Path, everybody: str) -> None:
    grant = {"name": "all", "principal": everybody, "actions": ["read"], "zones": ["raw"]}
    (problem,) = problems(tmp_path, {"lakehouse/grants": [FEATURES, grant]}, "aws-dev")
    assert f": lakehouse.grants[1].principal: got {everybody!r}, which is every principal; " in problem


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_misspelt_workload_identity_is_refused_with_the_nearest(tmp_path: Path, cloud: str) -> None:
    (problem,) = problems(tmp_path, {"feature_store/readers": ["analyst"]}, f"{cloud}-dev")
    assert ": feature_store.readers[0]: got 'analyst'; expected the name of one of this file's" in problem
    assert "did you mean 'analysts'?" in problem
