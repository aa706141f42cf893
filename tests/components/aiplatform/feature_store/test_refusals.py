"""Arguments that a feature store refuses, and the errors."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform.feature_store.component_args import cron
from aiplatform.feature_store.online import meeting
from tests.components.aiplatform.feature_store.example import (
    GOOGLE_LAKEHOUSE,
    MATERIALIZER,
    ROLE,
    aws,
    google,
    problems,
)
from tests.components.recording import ACCOUNT


@pytest.mark.parametrize(
    ("build", "arguments", "expected"),
    [
        (
            aws,
            {"latency": "sub_millisecond", "online_store": "dynamodb"},
            "FeatureStoreArgs.online_store: got 'dynamodb', DynamoDB meets milliseconds and not "
            "sub_millisecond; expected valkey",
        ),
        (
            google,
            {"latency": "milliseconds", "online_store": "datastore"},
            "FeatureStoreArgs.online_store: got 'datastore', Firestore in Datastore mode meets "
            "tens_of_milliseconds and not milliseconds; expected bigtable",
        ),
        (
            google,
            {"latency": "sub_millisecond"},
            "FeatureStoreArgs.latency: got 'sub_millisecond', which no online store of Feast on Google Cloud "
            "meets: Memorystore requires IAM's tokens, which Feast's client cannot renew; expected "
            "milliseconds",
        ),
        (
            aws,
            {"online_store": "bigtable"},
            "FeatureStoreArgs.online_store: got 'bigtable', which AWS does not have; expected dynamodb or "
            "valkey",
        ),
        (
            aws,
            {"latency": "microseconds"},
            "FeatureStoreArgs.latency: got 'microseconds'; expected one of tens_of_milliseconds, "
            "milliseconds, sub_millisecond; did you mean 'milliseconds'?",
        ),
        (
            aws,
            {"latency": "sub_millisecond"},
            "FeatureStoreArgs.network: missing; expected the network of Valkey's endpoints: Network.outputs",
        ),
        (
            aws,
            {"expire_days": 3},
            "FeatureStoreArgs.expire_days: got 3; expected valkey as the online store: Feast writes no "
            "time to live into DynamoDB; a feature view's own ttl hides old values",
        ),
        (
            google,
            {"latency": "milliseconds", "backup_days": 7},
            "FeatureStoreArgs.backup_days: got 7, which Bigtable has only for tables, and Feast creates "
            "them: leave it out, the online store is filled again from the lakehouse",
        ),
        (
            aws,
            {"backup_days": 36},
            "FeatureStoreArgs.backup_days: got 36; expected 1 to 35 days",
        ),
        (
            aws,
            {"registry": {"kind": "sql"}},
            "FeatureStoreArgs.registry.secret: missing; expected the Kubernetes Secret that the database's "
            "URL is in",
        ),
        (
            aws,
            {"registry": {"server_secret": "feast-reads"}},
            "FeatureStoreArgs.registry.server_secret: got 'feast-reads' with a registry in a bucket; "
            "expected kind: sql",
        ),
        (
            google,
            {"registry": {"kind": "sql", "secret": "feast", "server_secret": "feast"}},
            "FeatureStoreArgs.registry.server_secret: got 'feast', which is `secret`, too; expected another "
            "Secret, with a database user that may only read",
        ),
        (
            aws,
            {"feature_views": ["driver-stats"]},
            "FeatureStoreArgs.feature_views[0]: got 'driver-stats'; expected at most 100 letters, digits and "
            "underscores, the first no underscore",
        ),
        (
            aws,
            {"readers": ["*"]},
            "FeatureStoreArgs.readers[0]: got '*'; expected an IAM role's arn, "
            "arn:aws:iam::111122223333:role/trainers",
        ),
        (
            aws,
            {"appliers": [f"{ROLE}a"], "readers": [f"{ROLE}a"]},
            f"FeatureStoreArgs.readers[0]: got '{ROLE}a'; expected it once: appliers read, too",
        ),
        (
            aws,
            {"appliers": ["arn:aws:iam::999999999999:role/a"]},
            "FeatureStoreArgs.appliers[0]: got 'arn:aws:iam::999999999999:role/a'; expected a role of this "
            "account, 111122223333",
        ),
        (
            aws,
            {"lakehouse": GOOGLE_LAKEHOUSE},
            "FeatureStoreArgs.lakehouse.cloud: got one on Google Cloud; expected one on AWS, where the "
            "cluster is",
        ),
        (
            aws,
            {"materializer": {**MATERIALIZER, "namespace": "shop"}},
            "FeatureStoreArgs.materializer.namespace: got 'shop'; expected an identity of "
            "feature-store/feature-materializer",
        ),
        (
            aws,
            {"materialization": {"schedule": "every hour"}},
            "FeatureStoreArgs.materialization.schedule: got 'every hour'; expected five fields of minute, "
            "hour, day, month and weekday, such as '17 * * * *'",
        ),
        (
            aws,
            {"server": {"min_replicas": 4, "max_replicas": 2}},
            "FeatureStoreArgs.server.max_replicas: got 2; expected at least 4",
        ),
        (
            aws,
            {"protect": True, "force_destroy": True},
            "FeatureStoreArgs.force_destroy: got true together with protect; expected one of the two",
        ),
        (
            google,
            {"query_cutoff_bytes": 10**9},
            "FeatureStoreArgs.query_cutoff_bytes: got 1000000000, which Google Cloud does not support: "
            "BigQuery's limits are custom quotas of the project, which the lakehouse sets",
        ),
    ],
)
def test_wrong_arguments_are_refused_with_the_solution(
    build: Any, arguments: dict[str, Any], expected: str
) -> None:
    assert problems(build, **arguments) == [expected]


def test_a_prefix_that_is_too_long_for_a_name_is_refused() -> None:
    (reported,) = problems(google, prefix="acme-department-of-mobility")
    assert "expected at most" in reported
    (reported,) = problems(aws, prefix="a" * 28)
    assert "would be an S3 bucket's name, which may have 63" in reported


def test_buckets_of_principals_are_valid_with_the_longest_prefix() -> None:
    prefix = "a" * 27
    arguments = {"readers": [f"arn:aws:iam::{ACCOUNT}:role/notebooks"], "prefix": prefix}
    buckets = [resource.inputs["bucket"] for resource in aws(**arguments).all("aws:s3/bucket:Bucket")]
    assert max(map(len, buckets)) <= 63, buckets
    assert any("-feast-reader-" in name for name in buckets)


def test_stores_that_meet_a_class_are_ordered_by_cost() -> None:
    assert meeting("aws", "tens_of_milliseconds") == ["dynamodb", "valkey"]
    assert meeting("aws", "sub_millisecond") == ["valkey"]
    assert meeting("gcp", "tens_of_milliseconds") == ["datastore", "bigtable"]
    assert meeting("gcp", "sub_millisecond") == []


@pytest.mark.parametrize(
    "text", ["17 * * * *", "*/5 0-6 1,15 * 1-5", "0 0 1 1 0", "59 23 31 12 7", "5-59/10 * * * *"]
)
def test_a_schedule_with_numbers_is_accepted(text: str) -> None:
    assert cron(text) is None


@pytest.mark.parametrize(
    "text", ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * *", "* * * * MON-", "*/0 * * * *"]
)
def test_schedules_that_kubernetes_refuses_are_refused(text: str) -> None:
    assert cron(text) is not None
