"""Wrong arguments of a model store: each is reported with its path, before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.aiplatform.model_store.example import (
    APPROVERS,
    CERTIFICATE,
    KEY,
    REGISTRY,
    problems,
)
from tests.components.aiplatform.pools import GOOGLE_CLUSTER

GOOGLE: dict[str, Any] = {"cluster": {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"}}

WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"profile": "prod"},
        "release_group: missing, and releases of prod need an approval; expected the members",
    ),
    ({"checkpoints": {"expire_days": 0}}, "checkpoints.expire_days: got 0; expected 1 to 3650 days"),
    ({"releases": {"retention": {"days": 0}}}, "releases.retention.days: got 0; expected 1 to 3650 days"),
    (
        {"releases": {"retention": {"days": 1, "mode": "legal"}}},
        "releases.retention.mode: got 'legal'; expected one of governance, compliance",
    ),
    (
        {"releases": {"deleted_days": 30}},
        "releases.deleted_days: got 30, which AWS does not support: versions stay",
    ),
    (
        {**GOOGLE, "releases": {"deleted_days": 3}},
        "releases.deleted_days: got 3; expected 7 to 90 days",
    ),
    (
        {"checkpoints": {"bucket": "acme-scratch"}},
        "checkpoints.kms_key: missing; expected the arn of the key that encrypts the bucket",
    ),
    (
        {"checkpoints": {"bucket": "s3://acme-scratch", "kms_key": KEY}},
        "checkpoints.bucket: got 's3://acme-scratch'; expected a bucket's name",
    ),
    ({"checkpoints": {"kms_key": KEY}}, f"checkpoints.kms_key: got '{KEY}' without a bucket that exists"),
    ({"kms_key": "alias/models"}, "kms_key: got 'alias/models'; expected a key's arn"),
    (
        {**GOOGLE, "kms_key": KEY},
        f"kms_key: got '{KEY}'; expected a key, projects/PROJECT/locations/REGION/keyRings",
    ),
    (
        {"release_group": ["group:release@acme.example"]},
        "release_group[0]: got 'group:release@acme.example'; expected an IAM role's arn",
    ),
    (
        {**GOOGLE, "release_group": [APPROVERS]},
        f"release_group[0]: got '{APPROVERS}'; expected a Google group",
    ),
    (
        {"release_group": [APPROVERS, APPROVERS]},
        "release_group: got [",
    ),
    (
        {"image": "acme/model-release:1.0"},
        "image: got 'acme/model-release:1.0'; expected an image with a digest",
    ),
    (
        {"registry": REGISTRY, "hugging_face": {"secret": REGISTRY["secret"]}},
        "hugging_face.secret: got 'arn:aws:secretsmanager:",
    ),
    (
        {"registry": {**REGISTRY, "tracking_uri": "https://mlflow.model-registry.svc.cluster.local"}},
        "registry_ca: missing, and no public authority signs the name of the server (https://mlflow.",
    ),
    ({"registry_ca": CERTIFICATE}, "registry_ca: got certificates without a registry"),
    (
        {"registry": REGISTRY, "registry_ca": "/etc/ca.pem"},
        "registry_ca: got '/etc/ca.pem'; expected certificates in PEM",
    ),
    (
        {**GOOGLE, "hugging_face": {"secret": "token", "kms_key": KEY}},
        f"hugging_face.kms_key: got '{KEY}', which Google Cloud does not support",
    ),
    ({"protect": True, "force_destroy": True}, "force_destroy: got true together with protect"),
    (
        {"force_destroy": True, "releases": {"retention": {"days": 9, "mode": "compliance"}}},
        "releases.retention: got 9 days of compliance together with force_destroy",
    ),
    (
        {**GOOGLE, "force_destroy": True, "releases": {"retention": {"days": 9}}},
        "releases.retention: got 9 days of governance together with force_destroy",
    ),
    ({"cluster": GOOGLE_CLUSTER}, "cluster.workload_pool: missing; expected it as in Cluster.outputs"),
    ({"api_ranges": ["everywhere"]}, "api_ranges[0]: got 'everywhere'; expected an IPv4 range"),
    (
        {"prefix": "a-prefix-that-is-far-too-long-for-buckets"},
        "prefix: got 'a-prefix-that-is-far-too-long-for",
    ),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG)
def test_wrong_arguments_are_reported(wrong: dict[str, Any], expected: str) -> None:
    (reported,) = problems(**wrong)
    assert reported.startswith(f"ModelStoreArgs.{expected}")
