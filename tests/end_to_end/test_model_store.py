"""Checkpoints and releases on AWS, as the identities of Pods use them by boto3: each team has its own, and no
release is replaced or deleted.

The tests of this module run in the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError
from pulumi import automation

from tests.end_to_end import model_stores, pods
from tests.end_to_end.model_stores import RELEASE
from tests.end_to_end.plain import Base, Plain, location, trust

pytestmark = pytest.mark.end_to_end

PART = 5 * 1024 * 1024
"""The least size of a part but the last."""


def _program(base: Base) -> None:
    owner = aws.iam.Role("owner-of-teams", assume_role_policy=trust("ec2.amazonaws.com"))
    cluster: Any = location(base)["cluster"]
    secrets = {
        name: aws.secretsmanager.Secret(name, name=f"acme-dev/{name}", recovery_window_in_days=0)
        for name in ("mlflow-release", "hugging-face")
    }
    for name, secret in secrets.items():
        aws.secretsmanager.SecretVersion(name, secret_id=secret.id, secret_string=f"of {name}")
    model_stores.register(
        cluster,
        owner.arn,
        registry_secret=secrets["mlflow-release"].arn,
        token_secret="acme-dev/hugging-face",
    )


class Store:
    """The names of the buckets, and clients of identities."""

    def __init__(self, plain: Plain, base: Base, outputs: automation.OutputMap) -> None:
        self.plain, self._cluster = plain, base.cluster
        self.checkpoints: str = outputs["checkpoints"].value
        self.releases: str = outputs["releases"].value
        self._keys: dict[str, dict[str, str]] = {}

    def client(self, namespace: str, account: str = "workloads", service: str = "s3") -> Any:
        """Return a client as the Pods of a service account have it."""
        key = self._keys.setdefault(
            f"{namespace}/{account}", pods.session_of(self.plain, self._cluster, namespace, account)
        )
        return pods.client(self.plain, key, service)

    def promoter(self) -> Any:
        """Return the client of promotions."""
        return self.client("release", "promoter")

    def importer(self) -> Any:
        """Return the client of imports."""
        return self.client("release", "importer")


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    """Return the code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error: Any = caught.value.response
    return error["Error"]["Code"]


@pytest.fixture(scope="module")
def deployed(plain: Plain, base: Base) -> Iterator[automation.Stack]:
    stack = plain.stack("model-store", lambda: _program(base))
    stack.set_config("kubernetes:kubeconfig", automation.ConfigValue(str(plain.instance.kubeconfig)))
    stack.set_config("aws:region", automation.ConfigValue(plain.instance.region))
    stack.up()
    yield stack
    stack.destroy()


@pytest.fixture(scope="module")
def store(plain: Plain, base: Base, deployed: automation.Stack) -> Store:
    return Store(plain, base, deployed.outputs())


def test_a_promotion_creates_a_release_and_replaces_none(store: Store) -> None:
    s3 = store.promoter()
    place = {"Bucket": store.releases, "Key": RELEASE}
    assert refused(s3.put_object, **place, Body=b"1") == "AccessDenied", "without the header"
    s3.put_object(**place, Body=b"1", IfNoneMatch="*")
    assert refused(s3.put_object, **place, Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    assert refused(s3.put_object, **place, Body=b"2") == "AccessDenied"
    assert s3.get_object(**place)["Body"].read() == b"1"


def test_a_promotion_in_parts_replaces_none_either(store: Store) -> None:
    s3 = store.promoter()

    def upload(content: bytes, **header: str) -> None:
        place = {"Bucket": store.releases, "Key": "search/ranker/1/model/large"}
        place["UploadId"] = s3.create_multipart_upload(**place)["UploadId"]
        parts = [
            {"PartNumber": number, "ETag": s3.upload_part(**place, PartNumber=number, Body=body)["ETag"]}
            for number, body in enumerate((content * PART, content), 1)
        ]
        s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts}, **header)

    assert refused(upload, content=b"1") == "AccessDenied"
    upload(b"1", IfNoneMatch="*")
    assert refused(upload, content=b"2", IfNoneMatch="*") == "PreconditionFailed"


def test_no_identity_deletes_a_release(store: Store) -> None:
    place = {"Bucket": store.releases, "Key": RELEASE}
    version = store.promoter().head_object(**place)["VersionId"]
    for s3 in (store.promoter(), store.importer(), store.client("search"), store.plain.aws("s3")):
        assert refused(s3.delete_object, **place) == "AccessDenied"
        assert refused(s3.delete_object, **place, VersionId=version) == "AccessDenied"


def test_the_author_changes_no_release_and_neither_does_the_deployer(store: Store) -> None:
    place = {"Bucket": store.releases, "Key": RELEASE}
    for s3 in (store.client("search"), store.plain.aws("s3")):
        assert refused(s3.put_object, **place, Body=b"2") == "AccessDenied"
        new = {"Bucket": store.releases, "Key": "search/ranker/1/model/more"}
        assert refused(s3.put_object, **new, Body=b"2", IfNoneMatch="*") == "AccessDenied", (
            "nothing new either"
        )
        copy = {"Bucket": store.releases, "Key": RELEASE}
        assert (
            refused(s3.copy_object, **place, CopySource=copy, MetadataDirective="REPLACE") == "AccessDenied"
        )
    assert store.promoter().get_object(**place)["Body"].read() == b"1", "it is unchanged"


def test_a_team_that_serves_reads_its_releases_and_no_other_teams(store: Store) -> None:
    place = {"Bucket": store.releases, "Key": RELEASE}
    assert store.client("search").get_object(**place)["Body"].read() == b"1"
    answer = store.client("search").list_objects_v2(Bucket=store.releases, Prefix="search/")
    assert [entry["Key"] for entry in answer["Contents"]] == ["search/ranker/1/model/large", RELEASE]
    ads = store.client("ads")
    assert refused(ads.get_object, **place) == "AccessDenied"
    for prefix in ("search/", "", "a"):
        assert refused(ads.list_objects_v2, Bucket=store.releases, Prefix=prefix) == "AccessDenied"


def test_imports_create_below_their_folder_alone(store: Store) -> None:
    s3 = store.importer()
    imported = {"Bucket": store.releases, "Key": "imports/search/base/hf-1/model/weights"}
    s3.put_object(**imported, Body=b"1", IfNoneMatch="*")
    assert refused(s3.put_object, **imported, Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    other = {"Bucket": store.releases, "Key": "search/base/1/model/weights"}
    assert refused(s3.put_object, **other, Body=b"1", IfNoneMatch="*") == "AccessDenied"
    assert refused(s3.get_object, Bucket=store.releases, Key=RELEASE) == "AccessDenied"
    assert store.promoter().get_object(**imported)["Body"].read() == b"1", "a promotion copies it from there"


def test_each_of_the_two_reads_one_secret(store: Store) -> None:
    secrets = {
        account: store.client("release", account, "secretsmanager") for account in ("promoter", "importer")
    }
    names = {"promoter": "acme-dev/mlflow-release", "importer": "acme-dev/hugging-face"}
    for account, client in secrets.items():
        for owner, name in names.items():
            if owner == account:
                assert client.get_secret_value(SecretId=name)["SecretString"].startswith("of ")
            else:
                assert refused(client.get_secret_value, SecretId=name) == "AccessDeniedException"


def test_a_team_uses_its_checkpoints_and_no_other_teams(store: Store) -> None:
    search, ads = store.client("search"), store.client("ads")
    place = {"Bucket": store.checkpoints, "Key": "search/run-1/step-100"}
    search.put_object(**place, Body=b"1")
    search.put_object(**place, Body=b"2")
    answer = search.list_objects_v2(Bucket=store.checkpoints, Prefix="search/")
    assert [entry["Key"] for entry in answer["Contents"]] == [place["Key"]]
    assert refused(ads.get_object, **place) == "AccessDenied"
    assert refused(ads.put_object, **place, Body=b"3") == "AccessDenied"
    assert refused(ads.delete_object, **place) == "AccessDenied"
    for prefix in ("search/", "", "s"):
        assert refused(ads.list_objects_v2, Bucket=store.checkpoints, Prefix=prefix) == "AccessDenied"
    search.delete_object(**place)
    versions = store.plain.aws("s3").list_object_versions(Bucket=store.checkpoints)
    assert not versions.get("Versions"), "nothing of a deleted checkpoint stays to be paid for"


def test_a_role_that_may_do_everything_has_no_checkpoints_of_others_in_a_pod(
    plain: Plain, store: Store
) -> None:
    iam = plain.aws("iam")
    everything = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    )
    search = {"Bucket": store.checkpoints, "Key": "search/run-1/step-200"}
    store.client("search").put_object(**search, Body=b"1")
    iam.put_role_policy(RoleName="acme-dev-wi-ads", PolicyName="everything", PolicyDocument=everything)
    try:
        ads = store.client("ads")
        assert refused(ads.get_object, **search) == "AccessDenied", "the bucket compares the Pod's namespace"
        ads.put_object(Bucket=store.checkpoints, Key="ads/run-1/step-1", Body=b"1")
        release = {"Bucket": store.releases, "Key": "search/ranker/2/model/weights"}
        assert refused(ads.put_object, **release, Body=b"1", IfNoneMatch="*") == "AccessDenied"
    finally:
        iam.delete_role_policy(RoleName="acme-dev-wi-ads", PolicyName="everything")


def test_dev_is_destroyed_with_its_releases(plain: Plain, store: Store, deployed: automation.Stack) -> None:
    deployed.destroy()
    names = {bucket["Name"] for bucket in plain.aws("s3").list_buckets()["Buckets"]}
    assert not {store.checkpoints, store.releases} & names
