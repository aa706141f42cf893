"""Wrong arguments of a model registry: each is reported with its path, before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.aiplatform.model_registry.example import problems
from tests.components.aiplatform.pools import GOOGLE_CLUSTER, GOOGLE_NETWORK


@pytest.mark.parametrize("argument", ["protect", "high_availability", "retain_data"])
def test_data_that_must_not_be_lost_requires_backups(argument: str) -> None:
    reported = problems(**{argument: True, "database": {"backup_days": 0}})
    assert reported == [
        f"ModelRegistryArgs.database.backup_days: got 0 together with {argument}; expected at least 1: "
        "without backups lost data cannot be restored"
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"prefix": "a-name-that-is-far-too-long-for-a-bucket"},
        "prefix: got 'a-name-that-is-far-too-long-for-a-bucket'; expected at most 38",
    ),
    (
        {"high_availability": True, "replicas": 1},
        "replicas: got 1 together with high_availability; expected at least 2",
    ),
    ({"database": {"storage_gib": 5}}, "database.storage_gib: got 5; expected 20 to 65536 GiB"),
    (
        {"database": {"storage_gib": 100, "most_storage_gib": 105}},
        "database.most_storage_gib: got 105; expected 0 (no growth) or 110 to 65536",
    ),
    ({"database": {"backup_days": 36}}, "database.backup_days: got 36; expected 0 to 35 days"),
    ({"database": {"version": "9.6"}}, "database.version: got '9.6'; expected one of 16, 17, 18"),
    ({"image": "ghcr.io/mlflow/mlflow:v3.15.2-full"}, "image: got 'ghcr.io/mlflow/mlflow:v3.15.2-full'"),
    ({"accounts": {"admin": {}}}, "accounts.admin: got 'admin'; expected another name"),
    (
        {"accounts": {"release": {"principals": ["*"]}}},
        "accounts.release.principals[0]: got '*'; expected an IAM role's arn",
    ),
    (
        {"accounts": {"audit": {"reads": ["serch"]}, "search": {}}},
        "accounts.audit.reads[0]: got 'serch'; expected another account of `accounts`; did you mean",
    ),
    (
        {"accounts": {"search": {"reads": ["search"]}}},
        "accounts.search.reads[0]: got 'search'; expected another account of `accounts`",
    ),
    (
        {"accounts": {"release": {"promotes": True, "reads": ["search"]}, "search": {}}},
        "accounts.release.reads: got some together with promotes; expected none: it reads all",
    ),
    ({"guarded_aliases": ["latest"]}, "guarded_aliases[0]: got 'latest'; expected an alias"),
    ({"hosts": ["https://models.acme.example"]}, "hosts[0]: got 'https://models.acme.example'"),
    ({"protect": True, "force_destroy": True}, "force_destroy: got true together with protect"),
    ({"database": {"certificates": "none"}}, "database.certificates: got 'none'; expected certificates, PEM"),
    ({"network": GOOGLE_NETWORK}, "network.cloud: got 'gcp'; expected the cluster's, 'aws'"),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG)
def test_wrong_arguments_are_reported(wrong: dict[str, Any], expected: str) -> None:
    (reported,) = problems(**wrong)
    assert reported.startswith(f"ModelRegistryArgs.{expected}")


def test_a_network_without_private_services_is_refused() -> None:
    cluster = {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"}
    (reported,) = problems(cluster=cluster, network=GOOGLE_NETWORK)
    assert reported.startswith("ModelRegistryArgs.network.private_services: missing")


def test_a_region_without_a_known_authority_requires_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    from aiplatform.model_registry.aws import database as aws_database

    assert aws_database.authority("mx-central-1") is None
    monkeypatch.setattr(aws_database, "authority", lambda region: None)
    (reported,) = problems()
    assert reported.startswith(
        "ModelRegistryArgs.database.certificates: missing; expected RDS's certificate bundle"
    )
