"""Feature stores that the tests of this folder share, one for each cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from aiplatform._shared.args import ArgumentError
from aiplatform.feature_store import FeatureStore
from tests.components.aiplatform.pools import CLUSTER, GOOGLE_CLUSTER
from tests.components.recording import ACCOUNT, Recording, record, value

PROJECT = GOOGLE_CLUSTER["project"]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
APPLIER = "applier-role-data-scientists"
READER = "reader-role-teams/training"
"""Parts of logical names of an applier and a reader."""
CALLED = {"materializer": "materializer", APPLIER: "applier-0d400edf", READER: "reader-c2fb788c"}
"""What they and the materializer are called in physical names."""
MATERIALIZER: dict[str, Any] = {
    "principal": f"{ROLE}acme-dev-wi-features",
    "role_arn": f"{ROLE}acme-dev-wi-features",
    "role_name": "acme-dev-wi-features",
    "service_account_email": None,
    "annotations": {},
    "ready": "a-0123456789",
}
LAKEHOUSE: dict[str, Any] = {
    "cloud": "aws",
    "region": "eu-central-1",
    "catalog_id": ACCOUNT,
    "zones": [
        {"name": zone, "bucket": f"acme-dev-{zone}-{ACCOUNT}", "database": f"acme_dev_{zone}"}
        for zone in ("raw", "curated", "serving")
    ],
    "workgroups": {"features": "acme-dev-lakehouse-acme-dev-wi-features"},
}
GOOGLE_MATERIALIZER: dict[str, Any] = {
    "principal": f"serviceAccount:acme-dev-wi-features@{PROJECT}.iam.gserviceaccount.com",
    "service_account_email": f"acme-dev-wi-features@{PROJECT}.iam.gserviceaccount.com",
    "annotations": {
        "iam.gke.io/gcp-service-account": f"acme-dev-wi-features@{PROJECT}.iam.gserviceaccount.com"
    },
    "ready": "etag",
}
GOOGLE_LAKEHOUSE: dict[str, Any] = {
    "cloud": "gcp",
    "project": PROJECT,
    "region": "europe-west4",
    "catalog_id": "acme-dev",
    "zones": [
        {
            "name": zone,
            "bucket": f"acme-dev-{zone}-{PROJECT}",
            "database": f"acme_dev_{zone}",
            "dataset": f"acme_dev_{zone}",
        }
        for zone in ("raw", "curated", "serving")
    ],
}
NETWORK: dict[str, Any] = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.0.0.0/16",
    "private_subnet_ids": ["subnet-1", "subnet-2"],
}


_AGENT = "service-123@gs-project-accounts.iam.gserviceaccount.com"
ANSWERS: Any = {
    "aws:secretsmanager/getRandomPassword:getRandomPassword": lambda arguments: {
        "id": "",
        "randomPassword": "a" * int(arguments["passwordLength"]),
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": lambda arguments: {
        "id": _AGENT,
        "project": arguments["project"],
        "emailAddress": _AGENT,
        "member": f"serviceAccount:{_AGENT}",
    },
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": lambda arguments: {
        "id": "bq",
        "project": arguments["project"],
        "email": "bq-123@bigquery-encryption.iam.gserviceaccount.com",
        "member": "serviceAccount:bq-123@bigquery-encryption.iam.gserviceaccount.com",
    },
}


COMPUTED: Any = {
    "aws:elasticache/serverlessCache:ServerlessCache": lambda name, inputs: {
        "endpoints": [{"address": "acme-dev-features.serverless.euc1.cache.amazonaws.com", "port": 6379}]
    },
}


def aws(**arguments: Any) -> Recording:
    """One on AWS, with one feature view where nothing else is said."""
    values: Any = {
        "prefix": "acme-dev",
        "cluster": CLUSTER,
        "lakehouse": LAKEHOUSE,
        "materializer": MATERIALIZER,
        "feature_views": ["driver_stats"],
        **arguments,
    }
    return record(lambda: FeatureStore("features", values), answers=ANSWERS, computed=COMPUTED)


def google(**arguments: Any) -> Recording:
    """One on Google Cloud."""
    values: Any = {
        "prefix": "acme-dev",
        "cluster": {**GOOGLE_CLUSTER, "workload_pool": f"{PROJECT}.svc.id.goog"},
        "lakehouse": GOOGLE_LAKEHOUSE,
        "materializer": GOOGLE_MATERIALIZER,
        "feature_views": ["driver_stats"],
        **arguments,
    }
    return record(lambda: FeatureStore("features", values), answers=ANSWERS, computed=COMPUTED)


def rendered(recorded: Recording) -> dict[str, Any]:
    """The `feature_store.yaml` that a component gives, read."""
    return yaml.safe_load(value(recorded.result.feature_store_yaml))


def problems(build: Any, **arguments: Any) -> list[str]:
    """Return the reported problems of wrong arguments."""
    with pytest.raises(ArgumentError) as error:
        build(**arguments)
    return [str(problem) for problem in error.value.problems]


def statements(recorded: Recording, name: str) -> dict[str, dict[str, Any]]:
    """Sid -> statement of a role's policy."""
    kind = "aws:iam/rolePolicy:RolePolicy" if name == "server" else "aws:iam/policy:Policy"
    policy = json.loads(recorded.one(kind, f"features-{name}").inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}
