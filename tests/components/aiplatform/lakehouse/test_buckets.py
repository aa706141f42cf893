"""The buckets of a lakehouse: access, retention, and notifications."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aiplatform.lakehouse.example import BY_TABLE, BY_TAGS, EVENTS, lakehouse
from tests.components.aiplatform.lakehouse.test_ingestion import CAPTURE, NETWORK
from tests.components.recording import ACCOUNT, REGION, Recording

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/platform-deployer"
ZONES = ("curated", "raw", "serving")


@pytest.fixture(scope="module")
def default() -> Recording:
    """Two tables, a grant by tags and one by table."""
    return lakehouse(grants=[BY_TAGS, BY_TABLE])


def _statements(policy: str) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_buckets_are_named_by_zone_and_account_and_closed(default: Recording) -> None:
    assert [bucket.inputs["bucket"] for bucket in default.all(BUCKET)] == [
        f"acme-dev-curated-{ACCOUNT}",
        f"acme-dev-lakehouse-logs-{ACCOUNT}",
        f"acme-dev-raw-{ACCOUNT}",
        f"acme-dev-serving-{ACCOUNT}",
    ]
    for block in default.all("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"):
        assert {key for key, entry in block.inputs.items() if entry is True} == {
            "blockPublicAcls",
            "blockPublicPolicy",
            "ignorePublicAcls",
            "restrictPublicBuckets",
        }
    for ownership in default.all("aws:s3/bucketOwnershipControls:BucketOwnershipControls"):
        assert ownership.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_data_is_encrypted_only_by_the_lakehouses_key(default: Recording) -> None:
    key = default.one("aws:kms/key:Key")
    kind = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    for zone in ZONES:
        (rule,) = default.one(kind, f"lake-{zone}").inputs["rules"]
        assert rule["applyServerSideEncryptionByDefault"] == {
            "sseAlgorithm": "aws:kms",
            "kmsMasterKeyId": key.state["arn"],
        }
        assert rule["bucketKeyEnabled"] is True
        statements = _statements(default.one(POLICY, f"lake-{zone}").inputs["policy"])
        other = statements["OtherKey"]["Condition"]
        assert other["StringNotEquals"] == {
            "s3:x-amz-server-side-encryption-aws-kms-key-id": key.state["arn"]
        }
        assert other["Null"] == {"s3:x-amz-server-side-encryption-aws-kms-key-id": "false"}, (
            "a write without a key gets the bucket's: it must pass"
        )
        assert "CustomersKey" in statements
    (rule,) = default.one(kind, "lake-logs").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}, "S3 logs to no other"
    assert key.inputs["enableKeyRotation"] is True


def test_nothing_is_read_or_written_without_tls(default: Recording) -> None:
    for policy in default.all(POLICY):
        plain = _statements(policy.inputs["policy"])["PlainHttp"]
        assert (plain["Effect"], plain["Principal"]) == ("Deny", "*")
        assert plain["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert len(plain["Resource"]) == 2, "the bucket and what is in it"


def test_only_the_platforms_roles_access_files_of_tables(default: Recording) -> None:
    statement = _statements(default.one(POLICY, "lake-curated").inputs["policy"])["PastGovernance"]
    assert statement["Resource"] == f"arn:aws:s3:::acme-dev-curated-{ACCOUNT}/tables/*"
    allowed = statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    access, writer = (default.one("aws:iam/role:Role", f"lake-{role}") for role in ("access", "writer"))
    assert allowed == [access.state["arn"], writer.state["arn"], DEPLOYER]


def test_other_objects_are_read_only_by_their_writers() -> None:
    recorded = lakehouse(
        tables=[EVENTS],
        streams=[{"name": "clicks", "table": "raw.events"}],
        captures=[CAPTURE],
        network=NETWORK,
    )
    roles = {
        name: recorded.one("aws:iam/role:Role", f"lake-{name}").state["arn"]
        for name in ("access", "writer", "streams", "capture-shop")
    }
    expected = {
        "raw": {*roles.values(), DEPLOYER},
        "curated": {roles["access"], roles["writer"], roles["streams"], DEPLOYER},
    }
    for zone, allowed in expected.items():
        policy = recorded.one(POLICY, f"lake-{zone}")
        statements = _statements(policy.inputs["policy"])
        others = statements["PastRoles"]
        assert others["Resource"] == f"arn:aws:s3:::acme-dev-{zone}-{ACCOUNT}/*", "no folder is left out"
        assert {"s3:GetObject", "s3:GetObjectVersionForReplication"} <= set(others["Action"])
        assert "s3:PutObject" not in others["Action"], "an uploader that reads nothing writes to files/"
        assert "s3:PutObject" in statements["PastGovernance"]["Action"], "and to no table"
        for sid, folder in (("ScriptsPastRoles", "platform"), ("SpillPastRoles", "files/spill")):
            closed = statements[sid]
            assert closed["Resource"] == f"arn:aws:s3:::acme-dev-{zone}-{ACCOUNT}/{folder}/*"
            assert closed["Action"] == ["s3:PutObject"], "jobs run and load what is there"
            assert closed["Condition"] == others["Condition"]
        assert set(others["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]) == allowed, zone
        tables = statements["PastGovernance"]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
        assert roles["capture-shop"] not in tables, "captures write files and no table"
    assert recorded.depends(
        recorded.one("aws:dms/s3Endpoint:S3Endpoint"), on=recorded.one(POLICY, "lake-raw")
    ), "a closed bucket comes before what is captured"


def test_a_function_reads_files_of_raw_and_no_table() -> None:
    reader = f"arn:aws:iam::{ACCOUNT}:role/acme-dev-fn-ingest"
    recorded = lakehouse(file_readers=[reader])

    def allowed(zone: str, sid: str) -> list[str]:
        policy = recorded.one(POLICY, f"lake-{zone}")
        statement = _statements(policy.inputs["policy"])[sid]
        return statement["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]

    assert reader in allowed("raw", "PastRoles")
    assert reader not in allowed("raw", "PastGovernance")
    assert reader not in allowed("curated", "PastRoles")


def test_files_of_tables_do_not_expire(default: Recording) -> None:
    recorded = lakehouse(zones={"raw": {"file_days": 400, "deleted_days": 60}}, tables=[])
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    deleted, files, spill = recorded.one(kind, "lake-raw").inputs["rules"]
    assert deleted["noncurrentVersionExpiration"] == {"noncurrentDays": 60}
    assert "days" not in deleted["expiration"]
    assert (files["filter"], files["expiration"]) == ({"prefix": "files/"}, {"days": 400})
    assert (spill["filter"], spill["expiration"]) == ({"prefix": "files/spill/"}, {"days": 7}), (
        "temporary files of jobs expire, regardless of file_days"
    )
    lifecycle = default.one(kind, "lake-curated")
    assert [rule["id"] for rule in lifecycle.inputs["rules"]] == ["deleted"]
    versioning = default.one("aws:s3/bucketVersioning:BucketVersioning", "lake-curated")
    assert default.depends(lifecycle, on=versioning), "S3 asks for versions first"


def test_access_is_logged_to_a_bucket_that_only_s3_writes(default: Recording) -> None:
    logs = default.one(BUCKET, "lake-logs")
    for logging in default.all("aws:s3/bucketLogging:BucketLogging"):
        assert logging.inputs["targetBucket"] == logs.inputs["bucket"]
        assert default.depends(logging, on=default.one(POLICY, "lake-logs"))
    delivery = _statements(default.one(POLICY, "lake-logs").inputs["policy"])["AccessLogs"]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_raw_sends_events_of_arrivals_unless_disabled(default: Recording) -> None:
    kind = "aws:s3/bucketNotification:BucketNotification"
    assert default.one(kind).inputs["eventbridge"] is True
    assert not lakehouse(arrival_events=False, tables=[]).all(kind)


def test_all_buckets_send_events_of_commits_where_trainings_need_them() -> None:
    kind = "aws:s3/bucketNotification:BucketNotification"
    names = {entry.name for entry in lakehouse(table_events=True, arrival_events=False, tables=[]).all(kind)}
    assert names == {"lake-raw", "lake-curated", "lake-serving"}


def test_targets_get_events_of_files_that_arrive(default: Recording) -> None:
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:arrivals"
    recorded = lakehouse(arrival_targets={"loader": queue}, tables=[])
    rule = recorded.one("aws:cloudwatch/eventRule:EventRule").inputs
    assert rule["name"] == "acme-dev-arrivals", "the queue's policy names it"
    assert json.loads(rule["eventPattern"])["detail"] == {
        "bucket": {"name": [f"acme-dev-raw-{ACCOUNT}"]},
        "object": {"key": [{"prefix": "files/"}]},
    }
    target = recorded.one("aws:cloudwatch/eventTarget:EventTarget", "lake-arrivals-loader").inputs
    assert (target["rule"], target["targetId"], target["arn"]) == (rule["name"], "loader", queue)
    assert not default.all("aws:cloudwatch/eventRule:EventRule"), "a rule without targets has no effect"


def test_a_legal_hold_locks_only_raw() -> None:
    recorded = lakehouse(legal_hold={"days": 365, "mode": "compliance"}, tables=[])
    locked = [bucket.name for bucket in recorded.all(BUCKET) if bucket.inputs["objectLockEnabled"]]
    assert locked == ["lake-raw"]
    lock = recorded.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert lock.inputs["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 365}}
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    expiration = recorded.one(kind, "lake-raw").inputs["rules"][0]["noncurrentVersionExpiration"]
    assert expiration == {"noncurrentDays": 365}, "objects under the hold can be restored as long"
