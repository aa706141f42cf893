"""Functions that the tests of this folder share."""

from __future__ import annotations

from typing import Any

from aiplatform.function import Function
from tests.components.aiplatform.feature_store.example import GOOGLE_LAKEHOUSE, LAKEHOUSE
from tests.components.recording import ACCOUNT, REGION, Answers, Recording, record

IMAGES = {
    "aws": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/acme/ingest@sha256:{'5' * 64}",
    "gcp": f"us-central1-docker.pkg.dev/acme-dev/functions/ingest@sha256:{'5' * 64}",
}
LAKEHOUSES = {"aws": LAKEHOUSE, "gcp": GOOGLE_LAKEHOUSE}
KEYS = {
    "aws": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "gcp": "projects/acme-dev/locations/us-central1/keyRings/ring/cryptoKeys/key",
}
CALLERS = {
    "aws": f"arn:aws:iam::{ACCOUNT}:role/search",
    "gcp": "serviceAccount:search@acme-dev.iam.gserviceaccount.com",
}
TARGETS = {
    "aws": f"arn:aws:sns:{REGION}:{ACCOUNT}:acme-dev-cost-alerts",
    "gcp": "projects/acme-dev/notificationChannels/123",
}
NETWORKS: dict[str, dict[str, Any]] = {
    "aws": {"vpc_id": "vpc-1", "cidr": "10.0.0.0/16", "private_subnet_ids": ["subnet-1", "subnet-2"]},
    "gcp": {
        "cloud": "gcp",
        "project": "acme-dev",
        "region": "us-central1",
        "vpc_id": "projects/acme-dev/global/networks/acme-dev",
        "cidr": "10.0.0.0/16",
        "private_subnet_ids": ["projects/acme-dev/regions/us-central1/subnetworks/nodes"],
    },
}


def arguments(cloud: str, **more: Any) -> dict[str, Any]:
    """Return arguments of a function without events and callers. more: further ones."""
    place = {"cloud": "gcp", "project": "acme-dev", "region": "us-central1"} if cloud == "gcp" else {}
    return {
        "prefix": "acme-dev",
        "name": "ingest",
        "owner": "search",
        "image": IMAGES[cloud],
        **place,
        **more,
    }


def ingest(cloud: str) -> dict[str, Any]:
    """Return what a function has that processes files of raw."""
    return {
        "lakehouse": LAKEHOUSES[cloud],
        "event": {"zone": "raw", "prefix": "files/incoming/"},
        "reads": [{"zone": "raw", "prefix": "files/incoming/"}],
        "writes": [{"zone": "raw", "prefix": "files/quarantine/"}],
        "environment": {"TABLE": "acme_dev_curated.events"},
    }


def deployed(cloud: str, answers: Answers | None = None, **more: Any) -> Recording:
    """Return what a function registers."""
    args: Any = arguments(cloud, **more)
    return record(lambda: Function("ingest", args), answers=answers)
