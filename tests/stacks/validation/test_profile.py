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
    "no exclusion of GKE's upgrades": (
        "gcp",
        {"cluster/gke/maintenance_exclusions": []},
        "cluster.gke.maintenance_exclusions",
        "got none; expected an entry in prod, in effect now, with the scope no_minor_or_node_upgrades",
    ),
    "exclusion of GKE's upgrades that has ended": (
        "gcp",
        {
            "cluster/gke/maintenance_exclusions": [
                {
                    "name": "past",
                    "start": "2026-01-01T00:00:00Z",
                    "end": "2026-06-01T00:00:00Z",
                    "scope": "no_minor_or_node_upgrades",
                }
            ]
        },
        "cluster.gke.maintenance_exclusions",
        "got past (no_minor_or_node_upgrades, 2026-01-01T00:00:00Z to 2026-06-01T00:00:00Z)",
    ),
    "exclusion of minor upgrades alone": (
        "gcp",
        {
            "cluster/gke/maintenance_exclusions": [
                {"name": "minor", "start": "2026-01-01T00:00:00Z", "scope": "no_minor_upgrades"}
            ]
        },
        "cluster.gke.maintenance_exclusions",
        "otherwise GKE replaces the nodes of pools with a stated release by itself",
    ),
    "no guarded alias": (
        "gcp",
        {"model_registry/guarded_aliases": []},
        "model_registry.guarded_aliases",
        "expected at least `champion` in prod",
    ),
    "alerts without a receiver": (
        "aws",
        {"observability/notifications": {}},
        "observability.notifications.receivers",
        "expected at least one in prod",
    ),
    "Prometheus whose end nothing reports": (
        "gcp",
        {"observability/long_term_storage": {"alarm": {"notify": []}}},
        "observability.long_term_storage.alarm.notify",
        "sends no alert",
    ),
    "alarm of a workspace that others may write to": (
        "aws",
        {
            "observability/long_term_storage": {
                "workspace_id": "ws-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
                "alarm": {"notify": ["arn:aws:sns:us-west-2:333344445555:on-call"]},
            }
        },
        "observability.notifications.heartbeat",
        "raised only once all of them have stopped",
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


SYSTEM, POOLS = "cluster.system_nodes", ("node_pools.general", "gpu_pools.serving", "gpu_pools.training")


@pytest.mark.parametrize(("cloud", "pools"), [("aws", POOLS), ("gcp", (*POOLS, "gpu_pools.batch"))])
def test_prod_states_the_releases_of_its_nodes(tmp_path: Path, cloud: str, pools: tuple[str, ...]) -> None:
    key = "node_images.gke" if cloud == "gcp" else "node_images.al2023"
    reported = problems(tmp_path, {key.replace(".", "/"): None}, f"{cloud}-prod")
    assert sorted(problem.partition(": ")[2].partition(": ")[0] for problem in reported) == sorted(
        f"{nodes}.image_version" for nodes in (SYSTEM, *pools)
    )
    assert all(f"missing; expected a release in prod, here or for all nodes in {key}" in p for p in reported)
    assert load_file(changed(tmp_path, {}, f"{cloud}-dev")), "dev may have the newest"


def test_prod_states_a_release_for_each_image(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {"gpu_pools/serving/image": "bottlerocket"}, "aws-prod")
    assert ": gpu_pools.serving.image_version: missing; " in problem
    assert "node_images.bottlerocket" in problem
    stated = {"image": "bottlerocket", "image_version": "1.64.0-6f4c2b1e"}
    change = {f"gpu_pools/serving/{key}": value for key, value in stated.items()}
    assert load_file(changed(tmp_path, change, "aws-prod"))


@pytest.mark.parametrize(
    ("stack", "change", "key", "reason"),
    [
        ("aws-prod", {"node_images/al2023": "latest"}, "node_images.al2023", "a release of the EKS AMI"),
        ("gcp-prod", {"node_images/gke": "1.35"}, "node_images.gke", "expected a version of GKE"),
        ("gcp-dev", {"node_images/al2023": "1.35.8-20260930"}, "node_images.al2023", "of the other cloud"),
        (
            "aws-prod",
            {"gpu_pools/training/image_version": "1.36.4-20260930"},
            "gpu_pools.training.image_version",
            "expected a release of Kubernetes 1.32 to 1.35",
        ),
        (
            "aws-prod",
            {
                "gpu_pools/training/node_provisioning": "karpenter",
                "gpu_pools/training/image_version": "1.35.8-20260930",
                "karpenter/image_versions": {"al2023": "v20260930"},
            },
            "gpu_pools.training.image_version",
            "expected none: the component Karpenter states the releases of its nodes",
        ),
    ],
)
def test_a_release_that_is_wrong_is_reported_where_it_is_stated(
    tmp_path: Path, stack: str, change: Change, key: str, reason: str
) -> None:
    (problem,) = problems(tmp_path, change, stack)
    assert f": {key}: got " in problem
    assert reason in problem


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
