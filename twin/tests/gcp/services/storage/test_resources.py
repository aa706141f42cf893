"""Buckets and what is in them, against an API server."""

from __future__ import annotations

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext
from twin.gcp.resources.function import table as functions
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import PROJECT, client
from twin.tests.gcp.resources.life import make, refused

BUCKET = "gcp:storage/bucket:Bucket"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
OBJECT = "gcp:storage/bucketObject:BucketObject"
FOLDER = "gcp:storage/managedFolder:ManagedFolder"
FOLDER_MEMBER = "gcp:storage/managedFolderIamMember:ManagedFolderIamMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
CLOSED = {
    "location": "us-central1",
    "uniformBucketLevelAccess": True,
    "publicAccessPrevention": "enforced",
    "versioning": {"enabled": True},
}


def agent(gcp: GcpContext) -> str:
    """Cloud Storage's own account."""
    response = functions()["gcp:storage/getProjectServiceAccount:getProjectServiceAccount"].invoke(gcp, {})
    return str(response["member"])


def key(gcp: GcpContext, place: str = "us-central1") -> str:
    """A key that no account can use yet."""
    ring = make(gcp, "gcp:kms/keyRing:KeyRing", name=f"ring-{place}", location=place)
    return make(gcp, "gcp:kms/cryptoKey:CryptoKey", name="data", keyRing=ring.id).id


def test_a_bucket_with_a_key_needs_the_agents_right_on_it(gcp: GcpContext) -> None:
    name = key(gcp)
    encryption = {"defaultKmsKeyName": name}
    with pytest.raises(CloudError, match=r"roles/cloudkms\.cryptoKeyEncrypterDecrypter"):
        make(gcp, BUCKET, name="acme-raw", **CLOSED, encryption=encryption)
    make(
        gcp,
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        cryptoKeyId=name,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=agent(gcp),
    )
    bucket = make(gcp, BUCKET, name="acme-raw", **CLOSED, encryption=encryption, labels={"zone": "raw"})
    assert bucket.outputs["url"] == "gs://acme-raw"
    assert bucket.outputs["location"] == "us-central1", "as it was asked for"
    assert bucket.outputs["softDeletePolicy"]["retentionDurationSeconds"] == 604800
    rule = {"action": {"type": "Delete"}, "condition": {"age": 30, "withState": "ARCHIVED"}}
    after = bucket.update(lifecycleRules=[rule], softDeletePolicy={"retentionDurationSeconds": 0})
    assert after["lifecycleRules"][0]["condition"]["age"] == 30
    assert bucket.replaced_by(location="us-east1") == ["location"]
    with pytest.raises(CloudError, match="must be that of the bucket"):
        make(gcp, BUCKET, name="acme-far", **{**CLOSED, "location": "EU"}, encryption=encryption)
    bucket.delete()
    assert bucket.read() is None


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"name": "my.example.com"}, "owned by another user"),
        ({"name": "google-data"}, "hold google"),
        ({"location": "mars"}, "location constraint is not valid"),
        ({"retentionPolicy": {"retentionPeriod": "100"}}, "both a retention policy and object versioning"),
        ({"hierarchicalNamespace": {"enabled": True}}, "together with object versioning"),
        ({"logging": {"logBucket": "nowhere"}}, "target bucket for logging does not exist"),
        ({"rpo": "ASYNC_TURBO"}, "dual-regions only"),
        (
            {"lifecycleRules": [{"action": {"type": "SetStorageClass"}, "condition": {"age": 1}}]},
            "Invalid storage class of a lifecycle rule",
        ),
        ({"softDeletePolicy": {"retentionDurationSeconds": 60}}, "from 604800 to 7776000"),
    ],
)
def test_a_bucket_that_cannot_be_is_refused(
    shared_data: GcpContext, inputs: dict[str, object], words: str
) -> None:
    with pytest.raises(CloudError, match=words):
        make(shared_data, BUCKET, **{"name": "acme-refused", **CLOSED, **inputs})


def test_a_taken_name_is_refused(gcp: GcpContext) -> None:
    make(gcp, BUCKET, name="acme-raw", **CLOSED)
    with pytest.raises(CloudError, match="Your previous request to create the named bucket succeeded"):
        make(gcp, BUCKET, name="acme-raw", **CLOSED)


def test_a_locked_retention_policy_grows_and_keeps_objects(gcp: GcpContext, google: ApiServer) -> None:
    policy = {"retentionPeriod": "86400", "isLocked": True}
    arguments = {**CLOSED, "versioning": None, "retentionPolicy": policy, "forceDestroy": True}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    bucket = make(gcp, BUCKET, name="acme-kept", **arguments)
    assert bucket.outputs["retentionPolicy"]["isLocked"] is True
    longer = bucket.update(retentionPolicy={"retentionPeriod": "172800", "isLocked": True})
    assert longer["retentionPolicy"]["retentionPeriod"] == "172800"
    with pytest.raises(CloudError, match="Cannot reduce retention duration of a locked"):
        bucket.update(retentionPolicy={"retentionPeriod": "60", "isLocked": True})
    unlocked = bucket.replaced_by(retentionPolicy={"retentionPeriod": "172800", "isLocked": False})
    assert unlocked == ["retentionPolicy.isLocked"]
    make(gcp, OBJECT, bucket="acme-kept", name="a.txt", content="kept")
    with pytest.raises(CloudError, match="not met the retention period"):
        bucket.kind.delete(gcp, bucket.id, bucket.outputs)


def test_members_of_a_bucket_come_and_go(gcp: GcpContext, google: ApiServer) -> None:
    bucket = make(gcp, BUCKET, name="acme-raw", **CLOSED)
    member = make(gcp, ACCOUNT, accountId="team-a").outputs["member"]
    created = make(gcp, MEMBER, bucket="acme-raw", role="roles/storage.objectViewer", member=member)
    assert created.id == f"b/acme-raw/roles/storage.objectViewer/{member}"
    assert created.outputs["bucket"] == "b/acme-raw"
    policy = client(google, "storage").buckets().getIamPolicy(bucket="acme-raw").execute()
    assert "roles/storage.objectViewer" in {binding["role"] for binding in policy["bindings"]}
    for role, who, words in (
        ("roles/container.viewer", member, "is not supported for this resource"),
        ("roles/storage.objectViewer", "allUsers", "public access prevention is enforced"),
        ("roles/storage.objectViewer", f"serviceAccount:gone@{PROJECT}.iam.gserviceaccount.com", "does not"),
    ):
        with pytest.raises(CloudError, match=words):
            make(gcp, MEMBER, bucket="acme-raw", role=role, member=who)
    created.delete()
    assert created.read() is None
    folder = make(gcp, FOLDER, bucket="acme-raw", name="files/")
    assert folder.id == "acme-raw/files/"
    on_folder = make(
        gcp,
        FOLDER_MEMBER,
        bucket="acme-raw",
        managedFolder="files/",
        role="roles/storage.objectUser",
        member=member,
    )
    assert on_folder.id == f"b/acme-raw/managedFolders/files//roles/storage.objectUser/{member}"
    on_folder.delete()
    folder.delete()
    assert "name" in refused(gcp, FOLDER, bucket="acme-raw", name="files")
    bucket.delete()


def test_an_objects_versions_stand_in_the_way_of_its_bucket(gcp: GcpContext, google: ApiServer) -> None:
    bucket = make(gcp, BUCKET, name="acme-raw", **CLOSED)
    stored = make(gcp, OBJECT, bucket="acme-raw", name="conf/a.yaml", content="a: 1\n")
    assert stored.id == "acme-raw-conf/a.yaml"
    assert stored.update(content="a: 2\n")["md5hexhash"]
    objects = client(google, "storage").objects().list(bucket="acme-raw", versions=True).execute()["items"]
    assert len(objects) == 2, "versioning keeps what was replaced"
    stored.delete()
    with pytest.raises(CloudError, match="without `force_destroy` set to true"):
        bucket.kind.delete(gcp, bucket.id, bucket.outputs)
    bucket.kind.delete(gcp, bucket.id, {**bucket.outputs, "forceDestroy": True})
    assert bucket.read() is None


def test_each_write_of_an_object_has_a_generation_of_its_own(gcp: GcpContext) -> None:
    bucket = make(gcp, BUCKET, name="acme-raw", **{**CLOSED, "versioning": {"enabled": False}})
    stored = make(gcp, OBJECT, bucket="acme-raw", name="a.sql", content="A")
    seen = [stored.outputs["generation"], *(stored.update(content=name)["generation"] for name in ("B", "A"))]
    stored.delete()
    again = make(gcp, OBJECT, bucket="acme-raw", name="a.sql", content="A")
    seen.append(again.outputs["generation"])
    assert seen == sorted(set(seen)), "what comes back is another generation"
    assert all(isinstance(version, int) for version in seen)
    again.delete()
    bucket.delete()
