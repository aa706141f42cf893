"""What is refused of a database server that exists, before anything is created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.model_registry.args import ModelRegistrySettings
from aiplatform.model_registry.database import OF_CREATED
from tests.components.aiplatform.model_registry.example import (
    CONNECTION,
    DB,
    HOST,
    ON_AWS,
    SECRET,
)
from tests.components.aiplatform.model_registry.test_existing_database import (
    CLUSTER_ID,
    REGION_OF_GOOGLE,
    WRITER,
    google_args,
)
from tests.components.aiplatform.pools import CLUSTER, NETWORK


@pytest.mark.parametrize("key", OF_CREATED)
def test_arguments_of_a_created_database_are_refused_next_to_one_that_exists(key: str) -> None:
    stated: dict[str, Any] = {
        "version": "17",
        "size": "small",
        "storage_gib": 20,
        "most_storage_gib": 100,
        "backup_days": 7,
        "maintenance_day": "sunday",
        "maintenance_hour": 4,
        "deletion_protection": False,
    }
    [problem] = refused("aws", {key: stated[key], "existing": ON_AWS})
    assert problem == (
        f"ModelRegistryArgs.database.{key}: got {stated[key]!r} together with existing, of which nothing is "
        "changed; expected one of the two"
    ), "also with the value of its default"


def refused(cloud: str, database: Mapping[str, Any]) -> list[str]:
    """Return the problems of a database, without a deployment."""
    on_aws_args = {"prefix": "acme-dev", "cluster": CLUSTER, "network": NETWORK}
    args = {**(google_args() if cloud == "gcp" else on_aws_args), "database": database}
    with pytest.raises(ArgumentError) as error:
        read(ModelRegistrySettings, args, "ModelRegistryArgs")
    return [str(problem) for problem in error.value.problems]


WRONG: Final[list[tuple[str, dict[str, Any], str]]] = [
    (
        "aws",
        {"host": "db.acme.internal"},
        "host: got 'db.acme.internal'; expected the endpoint of",
    ),
    ("aws", {"host": WRITER.replace("cluster-", "cluster-ro-")}, "host: got"),
    ("aws", {"host": WRITER.replace("cluster-", "proxy-")}, "host: got"),
    ("aws", {"port": 80}, "port: got 80; expected 1150 to 65535"),
    ("aws", {"resource_id": "shared"}, "resource_id: got 'shared'; expected the resource id"),
    (
        "aws",
        {"resource_id": CLUSTER_ID},
        f"resource_id: got '{CLUSTER_ID}' with the endpoint of an instance; expected its id, db-...",
    ),
    (
        "aws",
        {"host": WRITER},
        f"resource_id: got '{DB}' with the endpoint of a cluster; expected its id, cluster-...",
    ),
    ("aws", {"master_secret": "hunter2"}, "master_secret: got a value that is not shown"),
    ("aws", {"master_secret": SECRET[:-7]}, "master_secret: got a value that is not shown"),
    (
        "aws",
        {"master_secret_kms_key": "alias/aws/rds"},
        "master_secret_kms_key: got 'alias/aws/rds'",
    ),
    ("aws", {"security_group_id": "default"}, "security_group_id: got 'default'; expected a security group"),
    ("aws", {"cidr": "8.8.8.0/24"}, "cidr: got '8.8.8.0/24'; expected a private range"),
    ("aws", {"name": "Models"}, "name: got 'Models'; expected 1 to 54 lower-case letters"),
    ("aws", {"name": "m" * 55}, "name: got"),
    ("aws", {"name": "postgres"}, "name: got 'postgres', a name that PostgreSQL or the cloud reserves"),
    ("aws", {"name": "rdsadmin"}, "name: got 'rdsadmin', a name"),
    ("aws", {"connection_name": CONNECTION}, f"connection_name: got '{CONNECTION}', which AWS does not"),
    (
        "gcp",
        {"connection_name": "shared"},
        "connection_name: got 'shared'; expected an instance's",
    ),
    (
        "gcp",
        {"connection_name": "acme-databases:asia-east1:shared"},
        "connection_name: got 'acme-databases:asia-east1:shared', an instance in asia-east1; expected one in "
        + REGION_OF_GOOGLE,
    ),
    ("gcp", {"host": HOST}, f"host: got '{HOST}', which Google Cloud does not support"),
    ("gcp", {"master_secret": SECRET}, "master_secret: got"),
    ("gcp", {"port": 5433}, "port: got 5433, which Google Cloud does not support"),
    ("aws", {"create_user": False}, "create_user: got False, which AWS does not support"),
    ("gcp", {"hots": HOST}, "hots: unknown key; did you mean 'host'?"),
]


@pytest.mark.parametrize(("cloud", "wrong", "expected"), WRONG)
def test_wrong_ids_are_refused(cloud: str, wrong: dict[str, Any], expected: str) -> None:
    right = ON_AWS if cloud == "aws" else {"connection_name": CONNECTION}
    [problem] = refused(cloud, {"existing": {**right, **wrong}})
    assert problem.startswith(f"ModelRegistryArgs.database.existing.{expected}")
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("cloud", "missing"), [("aws", ["host", "resource_id", "master_secret"]), ("gcp", ["connection_name"])]
)
def test_ids_that_are_missing_are_reported(cloud: str, missing: list[str]) -> None:
    paths = [problem.partition(":")[0].rpartition(".")[2] for problem in refused(cloud, {"existing": {}})]
    assert paths == missing
