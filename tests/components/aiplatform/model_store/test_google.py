"""A model store on Google Cloud: buckets, and what promotions and imports may do."""

from __future__ import annotations

import pytest

from tests.components.aiplatform.model_store.example import GOOGLE_REGISTRY, on_google
from tests.components.recording import Recording

BUCKET = "gcp:storage/bucket:Bucket"
DAY = 24 * 3600


@pytest.fixture(scope="module")
def default() -> Recording:
    return on_google(
        registry=GOOGLE_REGISTRY,
        hugging_face={"secret": "hugging-face"},
        release_group=["group:release@acme.example"],
    )


def test_checkpoints_have_neither_versions_nor_soft_delete_and_expire(default: Recording) -> None:
    bucket = default.one(BUCKET, "store-checkpoints").inputs
    assert bucket["name"] == "acme-dev-checkpoints-acme-dev-1234"
    assert bucket["versioning"] == {"enabled": False}
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 0}
    expiry, abandoned = bucket["lifecycleRules"]
    assert (expiry["action"], expiry["condition"]) == ({"type": "Delete"}, {"age": 30})
    assert abandoned["action"] == {"type": "AbortIncompleteMultipartUpload"}


def test_releases_are_restorable_and_never_expire(default: Recording) -> None:
    bucket = default.one(BUCKET, "store-releases").inputs
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 30 * DAY}
    assert [rule["action"]["type"] for rule in bucket["lifecycleRules"]] == ["AbortIncompleteMultipartUpload"]
    assert "retentionPolicy" not in bucket


@pytest.mark.parametrize("purpose", ["checkpoints", "releases"])
def test_buckets_are_private_and_encrypted_by_the_key(default: Recording, purpose: str) -> None:
    bucket = default.one(BUCKET, f"store-{purpose}").inputs
    assert bucket["uniformBucketLevelAccess"] is True
    assert bucket["publicAccessPrevention"] == "enforced"
    assert "cryptoKeys" in bucket["encryption"]["defaultKmsKeyName"] or bucket["encryption"]
    assert bucket["logging"]["logObjectPrefix"] == purpose


@pytest.mark.parametrize(("mode", "locked"), [("governance", False), ("compliance", True)])
def test_a_retention_applies_to_every_principal(mode: str, locked: bool) -> None:
    recording = on_google(releases={"retention": {"days": 10, "mode": mode}})
    policy = recording.one(BUCKET, "store-releases").inputs["retentionPolicy"]
    assert policy == {"retentionPeriod": str(10 * DAY), "isLocked": locked}


def test_writers_of_releases_cannot_delete_and_hence_not_overwrite(default: Recording) -> None:
    roles = {
        resource.inputs["role"]
        for type_ in (
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            "gcp:storage/managedFolderIamMember:ManagedFolderIamMember",
        )
        for resource in default.all(type_)
        if resource.name != "store-logs"
    }
    assert roles == {"roles/storage.objectCreator", "roles/storage.objectViewer"}


def test_imports_have_their_folder_alone(default: Recording) -> None:
    importer = "serviceAccount:acme-dev-wi-importer@acme-dev-1234.iam.gserviceaccount.com"
    on_buckets = [
        resource.inputs["member"] for resource in default.all("gcp:storage/bucketIAMMember:BucketIAMMember")
    ]
    assert importer not in on_buckets
    folders = default.all("gcp:storage/managedFolderIamMember:ManagedFolderIamMember")
    assert {resource.inputs["managedFolder"] for resource in folders} == {"imports/"}
    secrets = {
        resource.inputs["secretId"]: resource.name
        for resource in default.all("gcp:secretmanager/secretIamMember:SecretIamMember")
    }
    assert secrets == {
        "hugging-face": "store-importer-secret",
        "acme-dev-mlflow-account-release": "store-promoter-secret",
    }, "each reads one secret"


def test_a_key_that_exists_is_used_and_cloud_storage_may_use_it() -> None:
    key = "projects/acme-keys/locations/europe-west4/keyRings/data/cryptoKeys/models"
    recording = on_google(kms_key=key)
    assert not recording.all("gcp:kms/cryptoKey:CryptoKey")
    assert recording.one(BUCKET, "store-releases").inputs["encryption"] == {"defaultKmsKeyName": key}
    (grant,) = recording.all("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert grant.inputs["cryptoKeyId"] == key


def test_groups_that_approve_reach_the_cluster(default: Recording) -> None:
    (member,) = default.all("gcp:projects/iAMMember:IAMMember")
    assert member.inputs["role"] == "roles/container.clusterViewer"
    (binding,) = default.all("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding")
    (subject,) = binding.inputs["subjects"]
    assert (subject["kind"], subject["name"]) == ("Group", "release@acme.example")
