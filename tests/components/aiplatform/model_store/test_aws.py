"""A model store on AWS: buckets, and what promotions and imports may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output

from aiplatform.model_store import ModelStore
from tests.components.aiplatform.model_store.example import APPROVERS, KEY, REGISTRY, store
from tests.components.aiplatform.pools import CLUSTER
from tests.components.recording import ACCOUNT, Recording, record

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
RELEASES = f"arn:aws:s3:::acme-dev-releases-{ACCOUNT}"
WRITERS = [f"arn:aws:iam::{ACCOUNT}:role/acme-dev-wi-{name}" for name in ("promoter", "importer")]


@pytest.fixture(scope="module")
def default() -> Recording:
    return store(registry=REGISTRY, hugging_face={"secret": "acme/hugging-face"}, release_group=[APPROVERS])


def statements(recording: Recording, type_: str, name: str) -> dict[str, Any]:
    policy = json.loads(recording.one(type_, name).inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_the_buckets_have_names_of_environment_and_account(default: Recording) -> None:
    names = sorted(bucket.inputs["bucket"] for bucket in default.all(BUCKET))
    assert names == [
        f"acme-dev-checkpoints-{ACCOUNT}",
        f"acme-dev-model-store-logs-{ACCOUNT}",
        f"acme-dev-releases-{ACCOUNT}",
    ]


def test_checkpoints_have_no_versions_and_expire(default: Recording) -> None:
    versioned = [resource.name for resource in default.all("aws:s3/bucketVersioning:BucketVersioning")]
    assert versioned == ["store-releases"], "versions of checkpoints would be paid for and never read"
    (rule,) = default.one(LIFECYCLE, "store-checkpoints").inputs["rules"]
    assert rule["expiration"] == {"days": 30}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_releases_never_expire(default: Recording) -> None:
    (rule,) = default.one(LIFECYCLE, "store-releases").inputs["rules"]
    assert "expiration" not in rule
    assert "noncurrentVersionExpiration" not in rule
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_only_promotions_and_imports_create_releases(default: Recording) -> None:
    denied = statements(default, POLICY, "store-releases")["OtherWriters"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Action"] == ["s3:PutObject"]
    assert denied["Resource"] == f"{RELEASES}/*"
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": WRITERS}}


def test_an_object_that_may_replace_another_is_denied_to_all(default: Recording) -> None:
    denied = statements(default, POLICY, "store-releases")["Overwrites"]
    assert denied["Principal"] == "*", "to promotions, too"
    # As the S3 user guide has it: requests of a multipart upload that create no object have no header.
    assert denied["Condition"] == {
        "Null": {"s3:if-none-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    }


def test_no_principal_deletes_a_release(default: Recording) -> None:
    denied = statements(default, POLICY, "store-releases")["Deletions"]
    assert denied["Principal"] == "*"
    assert "Condition" not in denied, "the deployer included, which deletes the policy before the bucket"
    assert denied["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]


def test_no_principal_writes_or_deletes_a_release_by_replication(default: Recording) -> None:
    """S3 authorizes replicas by s3:ReplicateObject in the target, not by s3:PutObject."""
    denied = statements(default, POLICY, "store-releases")["Replicas"]
    assert (denied["Effect"], denied["Principal"], denied["Resource"]) == ("Deny", "*", f"{RELEASES}/*")
    assert "Condition" not in denied, "promotions included"
    assert {"s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"} <= set(denied["Action"])


def test_a_pod_has_no_checkpoints_of_other_namespaces_whatever_its_role_allows(default: Recording) -> None:
    denied = statements(default, POLICY, "store-checkpoints")["OtherNamespaces"]
    namespace = "${aws:PrincipalTag/kubernetes-namespace}"
    assert denied["NotResource"] == f"arn:aws:s3:::acme-dev-checkpoints-{ACCOUNT}/{namespace}/*"
    assert denied["Condition"] == {"Null": {"aws:PrincipalTag/kubernetes-namespace": "false"}}
    by_version = {"s3:GetObjectVersion", "s3:DeleteObjectVersion"}
    assert {"s3:GetObject", "s3:DeleteObject", *by_version} <= set(denied["Action"]), "?versionId=null, too"


@pytest.mark.parametrize("bucket", ["checkpoints", "releases"])
def test_buckets_accept_only_tls_and_their_key(default: Recording, bucket: str) -> None:
    denied = statements(default, POLICY, f"store-{bucket}")
    assert {"PlainHttp", "OtherEncryption", "OtherKey", "CustomersKey"} <= denied.keys()
    (logging,) = [
        resource.inputs
        for resource in default.all("aws:s3/bucketLogging:BucketLogging")
        if resource.name == f"store-{bucket}"
    ]
    assert logging["targetPrefix"] == f"{bucket}/"


def test_promotions_write_all_releases_and_delete_none(default: Recording) -> None:
    allowed = statements(default, ROLE_POLICY, "store-promoter")
    assert allowed["Releases"]["Resource"] == f"{RELEASES}/*"
    actions = {action for statement in allowed.values() for action in statement["Action"]}
    assert not [action for action in actions if "Delete" in action or "*" in action]
    assert allowed["Secret"]["Resource"] == REGISTRY["secret"]
    assert allowed["KeyOfSecret"]["Resource"] == KEY


def test_imports_have_their_folder_and_their_token_alone(default: Recording) -> None:
    allowed = statements(default, ROLE_POLICY, "store-importer")
    assert allowed["Imports"]["Resource"] == f"{RELEASES}/imports/*"
    assert allowed["FindImports"]["Condition"] == {"StringLike": {"s3:prefix": "imports/*"}}
    assert allowed["Secret"]["Resource"].endswith(":secret:acme/hugging-face-??????")
    assert REGISTRY["secret"] not in json.dumps(allowed), "not the password of promotions"


def test_a_retention_locks_objects() -> None:
    recording = store(releases={"retention": {"days": 365, "mode": "compliance"}})
    lock = recording.one(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "store-releases"
    )
    assert lock.inputs["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 365}}


def test_a_bucket_without_a_retention_can_get_one_later(default: Recording) -> None:
    assert not default.all("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert default.one(BUCKET, "store-releases").inputs["objectLockEnabled"] is True


def test_a_bucket_of_checkpoints_that_exists_stays_as_it_is() -> None:
    recording = store(checkpoints={"bucket": "acme-scratch", "kms_key": KEY})
    names = [bucket.name for bucket in recording.all(BUCKET)]
    assert names == ["store-logs", "store-releases"]
    assert recording.result.outputs["checkpoints_bucket"] == "acme-scratch"
    assert recording.result.outputs["checkpoints_key"] == KEY


def test_a_key_that_exists_is_used_for_both_buckets() -> None:
    recording = store(kms_key=KEY)
    assert not recording.all("aws:kms/key:Key")
    keys = [
        resource.inputs["rules"][0]["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId")
        for resource in recording.all(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        )
        if resource.name != "store-logs"
    ]
    assert keys == [KEY, KEY]


def test_prod_keeps_what_it_stores() -> None:
    recording = store(profile="prod", release_group=[APPROVERS], protect=True, retain_data=True)
    for bucket in recording.all(BUCKET):
        assert bucket.protect, bucket.name
        assert bucket.retain_on_delete, bucket.name


def test_members_of_the_release_group_have_an_access_entry(default: Recording) -> None:
    (entry,) = default.all("aws:eks/accessEntry:AccessEntry")
    assert entry.inputs["principalArn"] == APPROVERS
    assert entry.inputs["kubernetesGroups"] == ["ai-platform:release"]


def test_members_that_only_the_engine_knows_have_an_access_entry_each() -> None:
    arns = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("release", "audit")]
    members = [Output.from_input(arn) for arn in arns]
    args: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "profile": "dev", "release_group": members}
    recording = record(lambda: ModelStore("store", args))
    entries = recording.all("aws:eks/accessEntry:AccessEntry")
    assert sorted(entry.inputs["principalArn"] for entry in entries) == sorted(arns)
