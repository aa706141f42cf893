"""A model registry that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.model_registry import ModelRegistry
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK
from tests.components.cloud_answers import FUNCTIONS
from tests.components.recording import ACCOUNT, REGION, Recording, record

RELEASE = f"arn:aws:iam::{ACCOUNT}:role/release"
TRAINING = f"arn:aws:iam::{ACCOUNT}:role/training"
PIPELINE = "serviceAccount:pipeline@acme-dev-1234.iam.gserviceaccount.com"
HOST: Final = f"shared.c1a2b3c4d5e6.{REGION}.rds.amazonaws.com"
DB: Final = "db-ABCDEFGHIJKL01234"
SECRET: Final = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-0a1b2c3d-AbCdEf"
ON_AWS: Final[Mapping[str, Any]] = {"host": HOST, "resource_id": DB, "master_secret": SECRET}
"""A database server that exists."""
CONNECTION: Final = f"acme-databases:{GOOGLE_CLUSTER['region']}:shared"
READ: Final = "gcp:sql/getDatabaseInstance:getDatabaseInstance"
INSTANCE: Final = {
    **FUNCTIONS[READ]({"project": "acme-databases", "name": "shared"}),
    "connectionName": CONNECTION,
}
"""That instance, as Cloud SQL describes it."""
ANSWERS: dict[str, Any] = {
    READ: lambda _: INSTANCE,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": lambda arguments: {
        "id": arguments["project"],
        "project": arguments["project"],
        "emailAddress": "service-1@gs-project-accounts.iam.gserviceaccount.com",
    },
}


def registry(**arguments: Any) -> Recording:
    """One on AWS, where nothing else is said."""
    args: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "network": NETWORK, **arguments}
    return record(lambda: ModelRegistry("models", args), answers=ANSWERS)


def on_google(**arguments: Any) -> Recording:
    """One on Google Cloud."""
    cluster = {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"}
    network = {**GOOGLE_NETWORK, "private_services": "acme-dev-private-services"}
    return registry(**{"cluster": cluster, "network": network, **arguments})


def problems(**arguments: Any) -> list[str]:
    """Return the reported problems of wrong arguments."""
    with pytest.raises(ArgumentError) as error:
        registry(**arguments)
    return [str(problem) for problem in error.value.problems]
