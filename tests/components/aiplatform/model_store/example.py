"""A model store that the tests of this folder share."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.model_store import ModelStore
from tests.components.aiplatform.model_registry.example import ANSWERS
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, REGION, Recording, record

IMAGE = f"111122223333.dkr.ecr.us-west-2.amazonaws.com/model-release@sha256:{'0' * 64}"
APPROVERS = f"arn:aws:iam::{ACCOUNT}:role/model-release"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
REGISTRY: dict[str, Any] = {
    "tracking_uri": "http://mlflow.model-registry.svc.cluster.local",
    "namespace": "model-registry",
    "secret": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:acme-dev/mlflow/accounts/release-AbCdEf",
    "kms_key": KEY,
}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
GOOGLE_REGISTRY: dict[str, Any] = {
    "tracking_uri": REGISTRY["tracking_uri"],
    "namespace": "model-registry",
    "secret": "projects/acme-dev-1234/secrets/acme-dev-mlflow-account-release",
}


def store(**arguments: Any) -> Recording:
    """Return one of profile dev, on AWS where no other cloud is stated."""
    args: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "profile": "dev", **arguments}
    return record(lambda: ModelStore("store", args), answers=ANSWERS)


def on_google(**arguments: Any) -> Recording:
    """Return one on Google Cloud."""
    return store(**{"cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"}, **arguments})


def problems(**arguments: Any) -> list[str]:
    """Return the reported problems of wrong arguments."""
    with pytest.raises(ArgumentError) as error:
        store(**arguments)
    return [str(problem) for problem in error.value.problems]
