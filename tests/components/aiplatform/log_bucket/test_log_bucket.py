"""A log bucket that functions and workflows share."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.log_bucket import LogBucket
from aiplatform.log_bucket.args import LogBucketSettings
from tests.components.aiplatform.log_bucket.example import arguments, shared_logs
from tests.components.aiplatform.schema import undocumented
from twin.gcp.methods import filters

BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"


def test_it_is_documented() -> None:
    assert undocumented(LogBucket) == []


def test_one_sink_routes_functions_and_workflows_of_the_prefix_and_one_exclusion_leaves_them_out() -> None:
    recording = shared_logs()
    query = recording.one(SINK).inputs["filter"]
    assert query == (
        'resource.labels.location="us-central1" AND ('
        '(resource.type="cloud_run_revision" AND resource.labels.service_name=~"^acme-dev-")'
        ' OR (resource.type="workflows.googleapis.com/Workflow"'
        ' AND resource.labels.workflow_id=~"^acme-dev-"))'
    )
    filters.check("logging", query, "filter")
    assert recording.one(EXCLUSION).inputs["filter"] == query, "no log is stored twice, and none is lost"
    assert recording.depends(recording.one(EXCLUSION), recording.one(SINK))
    bucket = recording.one(BUCKET)
    assert recording.one(SINK).inputs["destination"] == f"logging.googleapis.com/{bucket.id}"
    assert bucket.inputs["bucketId"].startswith("acme-dev-functions-"), (
        "the name of a deleted one is reserved"
    )


def test_what_has_another_bucket_is_left_out_by_its_name() -> None:
    recording = shared_logs(excluded_functions=["b", "a"], excluded_workflows=["scoring"])
    query = recording.one(SINK).inputs["filter"]
    assert 'NOT resource.labels.service_name=("acme-dev-a" OR "acme-dev-b"))' in query
    assert 'NOT resource.labels.workflow_id=("acme-dev-scoring"))' in query
    filters.check("logging", query, "filter")


def test_the_logs_are_encrypted_once_logging_may_use_the_key() -> None:
    recording = shared_logs(retention_days=30)
    bucket = recording.one(BUCKET)
    assert bucket.inputs["retentionDays"] == 30
    assert bucket.inputs["cmekSettings"]["kmsKeyName"] == recording.one("gcp:kms/cryptoKey:CryptoKey").id
    assert recording.depends(bucket, recording.one("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"))


@pytest.mark.parametrize("retain", [False, True])
def test_logs_that_are_retained_stay_readable(retain: bool) -> None:
    recording = shared_logs(retain_data=retain)
    kinds = (BUCKET, "gcp:kms/cryptoKey:CryptoKey", "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert {bool(recording.one(kind).retain_on_delete) for kind in kinds} == {retain}, (
        "a bucket without its key cannot be read"
    )
    assert not recording.one(EXCLUSION).retain_on_delete, "without the sink it would lose logs"


@pytest.mark.parametrize(
    ("more", "path", "reason"),
    [
        ({"cloud": "aws"}, "LogBucketArgs", "AWS does not support this component"),
        ({"project": None}, "project", "missing"),
        ({"region": None}, "region", "missing"),
        ({"retention_days": 0}, "retention_days", "1 to 3650"),
        ({"retention_days": 3651}, "retention_days", "1 to 3650"),
        ({"prefix": "Acme"}, "prefix", "got 'Acme'"),
        ({"excluded_functions": ['x") OR ("']}, "excluded_functions[0]", "expected"),
        ({"excluded_workflows": ["a", "a"]}, "excluded_workflows", "repeats a"),
        ({"excluded_function": ["a"]}, "excluded_function", "did you mean 'excluded_functions'"),
        ({"kms_key": "key"}, "kms_key", "cryptoKeys"),
    ],
)
def test_a_wrong_argument_names_its_key(more: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        shared_logs(**more)
    lines = [line for line in str(caught.value).splitlines() if path in line]
    assert any(reason in line for line in lines), str(caught.value)


def test_a_filter_that_cloud_logging_refuses_for_its_size_is_refused() -> None:
    names = [f"function-{number:04}" for number in range(1000)]
    most = next(
        count
        for count in range(1000, 0, -1)
        if len(read(LogBucketSettings, arguments(), "Args").filter) + count * 29 < 19_950
    )
    accepted = read(LogBucketSettings, arguments(excluded_functions=names[:most]), "Args").filter
    assert len(accepted) <= 20_000
    filters.check("logging", accepted, "filter")
    with pytest.raises(ArgumentError, match=r"excluded_functions: .* has 2\d{4} characters; .* 20000"):
        shared_logs(excluded_functions=names)
