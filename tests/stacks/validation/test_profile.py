"""What a profile does not permit, and another does."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.loading import load_file
from tests.stacks.test_google_files import Change, changed, problems

REFUSED_IN_PROD: dict[str, tuple[str, Change, str, str]] = {
    "one NAT gateway": (
        "aws",
        {"network/nat": "single"},
        "network.nat",
        "expected 'per_zone' or 'none' in prod",
    ),
    "cluster without deletion protection": (
        "gcp",
        {"cluster/deletion_protection": False},
        "cluster.deletion_protection",
        "to retire the environment, set environment.teardown",
    ),
    "flow logs turned off": (
        "aws",
        {"network/flow_log_retention_days": 0},
        "network.flow_log_retention_days",
        "only dev may turn flow logs off",
    ),
    "one feature server": (
        "gcp",
        {"feature_store/server": {"min_replicas": 1}},
        "feature_store.server.min_replicas",
        "expected at least 2 in prod",
    ),
    "no guarded alias": (
        "gcp",
        {"model_registry/guarded_aliases": []},
        "model_registry.guarded_aliases",
        "expected at least `champion` in prod",
    ),
    "database in one zone": (
        "aws",
        {"model_registry/high_availability": False},
        "model_registry.high_availability",
        "a database in one zone fails with it",
    ),
    "database without deletion protection": (
        "gcp",
        {"model_registry/database": {"deletion_protection": False}},
        "model_registry.database.deletion_protection",
        "to retire the environment, set environment.teardown",
    ),
}


@pytest.mark.parametrize("case", REFUSED_IN_PROD)
def test_prod_refuses_what_dev_permits(tmp_path: Path, case: str) -> None:
    cloud, change, key, reason = REFUSED_IN_PROD[case]
    (problem,) = problems(tmp_path, change, f"{cloud}-prod")
    assert f": {key}: got " in problem
    assert reason in problem
    assert load_file(changed(tmp_path, change, f"{cloud}-dev")), "dev may"


@pytest.mark.parametrize(("days", "refused"), [(0, True), (6, True), (7, False)])
def test_prod_keeps_backups_of_its_database_for_a_week(tmp_path: Path, days: int, refused: bool) -> None:
    change = {"model_registry/database": {"backup_days": days}}
    if not refused:
        assert load_file(changed(tmp_path, change, "aws-prod"))
        return
    reported = problems(tmp_path, change, "aws-prod")
    assert any(": model_registry.database.backup_days: " in problem for problem in reported)


@pytest.mark.parametrize("teardown", [True, "with_data"])
def test_teardown_lifts_deletion_protection_in_prod(tmp_path: Path, teardown: bool | str) -> None:
    change = {
        "environment/teardown": teardown,
        "cluster/deletion_protection": False,
        "model_registry/database": {"deletion_protection": False},
    }
    assert load_file(changed(tmp_path, change, "gcp-prod")), "an environment that is retired"


def test_staging_may_not_turn_flow_logs_off(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"network/flow_log_retention_days": 0}, "aws-staging")
    assert "only dev may turn flow logs off" in problem
