"""Every component with access logs writes them to a bucket that exists instead, and creates none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from aiplatform._shared.args import ArgumentError
from tests.components.aiplatform.lakehouse import example as lakehouses
from tests.components.aiplatform.lakehouse import google
from tests.components.aiplatform.model_monitor.example import monitoring
from tests.components.aiplatform.model_registry import example as models
from tests.components.aiplatform.model_store import example as stores
from tests.components.aiplatform.pipelines.example import pipelines
from tests.components.recording import Recording

BUCKET: Final = "acme-security-access-logs"
AWS: Final[Mapping[str, Callable[..., Recording]]] = {
    "lakehouse": lakehouses.lakehouse,
    "model_monitor": lambda **more: monitoring("aws", **more),
    "model_registry": lambda **more: models.registry(artifacts=more),
    "model_store": stores.store,
    "pipelines": lambda **more: pipelines("aws", **more),
}
GOOGLE: Final[Mapping[str, Callable[..., Recording]]] = {
    "model_monitor": lambda **more: monitoring("gcp", **more),
    "model_registry": lambda **more: models.on_google(artifacts=more),
    "model_store": stores.on_google,
    "pipelines": lambda **more: pipelines("gcp", **more),
}


def names(recording: Recording, kind: str) -> set[str]:
    return {resource.name for resource in recording.all(kind)}


@pytest.mark.parametrize("component", AWS)
def test_access_logs_of_s3_go_to_the_bucket_and_none_is_created(component: str) -> None:
    created, existing = AWS[component](), AWS[component](access_log_bucket=BUCKET)
    buckets = "aws:s3/bucket:Bucket"
    (missing,) = names(created, buckets) - names(existing, buckets)
    assert missing.endswith("logs")
    logging = existing.all("aws:s3/bucketLogging:BucketLogging")
    assert len(logging) == len(created.all("aws:s3/bucketLogging:BucketLogging")), "none is lost"
    assert {entry.inputs["targetBucket"] for entry in logging} == {BUCKET}
    prefixes = [entry.inputs["targetPrefix"] for entry in logging]
    name = created.one(buckets, missing).inputs["bucket"]
    assert all(prefix.startswith(f"{name}/") for prefix in prefixes), "others write to it, too"
    assert len(set(prefixes)) == len(prefixes)


@pytest.mark.parametrize("component", GOOGLE)
def test_usage_logs_of_cloud_storage_go_to_the_bucket_and_none_is_created(component: str) -> None:
    created, existing = GOOGLE[component](), GOOGLE[component](access_log_bucket=BUCKET)
    buckets = "gcp:storage/bucket:Bucket"
    (missing,) = names(created, buckets) - names(existing, buckets)
    assert missing.endswith("logs")
    for bucket in existing.all(buckets):
        assert bucket.inputs["logging"] == {"logBucket": BUCKET}, "under the name of the bucket, by default"
    writers = "gcp:storage/bucketIAMMember:BucketIAMMember"
    assert missing not in names(existing, writers), "its owner decides who writes"


@pytest.mark.parametrize("component", AWS)
@pytest.mark.parametrize("wrong", [f"s3://{BUCKET}", f"arn:aws:s3:::{BUCKET}", "Logs"])
def test_what_is_no_name_of_a_bucket_is_refused(component: str, wrong: str) -> None:
    with pytest.raises(ArgumentError, match=r"access_log_bucket: got .*; expected a bucket's name"):
        AWS[component](access_log_bucket=wrong)


def test_a_lakehouse_on_google_cloud_has_access_logs_in_cloud_logging() -> None:
    with pytest.raises(ArgumentError, match=r"access_log_bucket: .* Google Cloud does not support"):
        google.lakehouse(access_log_bucket=BUCKET)


def test_a_bucket_of_requests_that_exists_keeps_its_logging() -> None:
    more: dict[str, Any] = {"bucket": "acme-requests", "access_log_bucket": BUCKET}
    with pytest.raises(ArgumentError, match="access_log_bucket: got one, and bucket names one that exists"):
        monitoring("gcp", **more)
