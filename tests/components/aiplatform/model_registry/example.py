"""A model registry that the tests of this folder share."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.model_registry import ModelRegistry
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER, GOOGLE_NETWORK, NETWORK
from tests.components.recording import ACCOUNT, Recording, record

RELEASE = f"arn:aws:iam::{ACCOUNT}:role/release"
TRAINING = f"arn:aws:iam::{ACCOUNT}:role/training"
PIPELINE = "serviceAccount:pipeline@acme-dev-1234.iam.gserviceaccount.com"
ANSWERS: dict[str, Any] = {
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": lambda arguments: {
        "id": arguments["project"],
        "project": arguments["project"],
        "emailAddress": "service-1@gs-project-accounts.iam.gserviceaccount.com",
    }
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
