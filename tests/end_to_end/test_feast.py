"""Feast itself on what a feature store made: applies, materializes, reads online, joins points in time.

With the outputs of the stack alone, and as those whom the platform lets: a role that applies, one that
materializes, one that reads, each with no more rights than the component gives it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog

from tests.end_to_end.clients import ClientError, run
from tests.end_to_end.harness import ROOT
from tests.end_to_end.plain import Base, Plain
from twin import environment as variables

pytestmark = pytest.mark.end_to_end

ROWS = 10_000
DRIVERS = 5_000
FIRST = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(hours=6)
"""When the first value of each driver happened, in UTC; the second came two hours later."""
LATER = FIRST + timedelta(hours=2)


def _program(base: Base, kubeconfig: str) -> None:
    from aiplatform.feature_store import FeatureStore
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    cluster = aws.eks.get_cluster(name=base.cluster)
    nodes = aws.eks.NodeGroup(
        "nodes",
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        instance_types=["m6i.large"],
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=2, max_size=2, desired_size=2),
    )
    provider = kubernetes.Provider("kubernetes", kubeconfig=kubeconfig)
    roles = {name: _role(name, account) for name in ("materializer", "applier", "reader", "stranger")}
    lake = Lakehouse(
        "lake",
        {
            "prefix": "acme-feast",
            "force_destroy": True,
            "writers": [f"arn:aws:iam::{account}:role/acme-feast-applier"],
            "tables": [
                {
                    "zone": "curated",
                    "name": "driver_stats",
                    "owner": "drivers@acme.example",
                    "columns": [
                        {"name": "driver_id", "type": "long"},
                        {"name": "conversion_rate", "type": "double"},
                        {"name": "trips_today", "type": "long"},
                        {"name": "happened_at", "type": "timestamp"},
                    ],
                }
            ],
            "grants": [
                {
                    "name": name,
                    "principal": f"arn:aws:iam::{account}:role/acme-feast-{name}",
                    "actions": ["read"],
                    "tables": ["curated.driver_stats"],
                }
                for name in ("materializer", "applier", "reader")
            ],
        },
        pulumi.ResourceOptions(depends_on=list(roles.values())),
    )
    materializer = roles["materializer"]
    store = FeatureStore(
        "features",
        {
            "prefix": "acme-feast",
            "cluster": {
                "name": base.cluster,
                "security_group_id": cluster.vpc_config.cluster_security_group_id,
            },
            "lakehouse": lake.outputs,  # pyright: ignore[reportArgumentType]
            "materializer": {
                "principal": materializer.arn,
                "role_arn": materializer.arn,
                "role_name": materializer.name,
            },
            "feature_views": ["driver_stats"],
            "backup_days": 7,
            "force_destroy": True,
            "appliers": [f"arn:aws:iam::{account}:role/acme-feast-applier"],
            "readers": [f"arn:aws:iam::{account}:role/acme-feast-reader"],
        },
        pulumi.ResourceOptions(providers=[provider], depends_on=[nodes, *roles.values()]),
    )
    pulumi.export("features", store.outputs)
    pulumi.export("lake", lake.outputs)


def _role(name: str, account: str) -> aws.iam.Role:
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    return aws.iam.Role(
        name,
        name=f"acme-feast-{name}",
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [root]}),
    )


class Features:
    """A feature store that is up, with rows in the lakehouse's table."""

    def __init__(self, plain: Plain, outputs: Mapping[str, Any]) -> None:
        self.plain = plain
        self.outputs = outputs["features"]
        zones = {zone["name"]: zone for zone in outputs["lake"]["zones"]}
        self.database = zones["curated"]["database"]
        self._write()

    def client(self, who: str, do: str, **more: Any) -> dict[str, Any]:
        """Let Feast do something as a role."""
        asked = {
            "folder": str(ROOT / "examples" / "feature_store"),
            "yaml": self.outputs["feature_store_yaml"],
            "do": do,
            **more,
        }
        return run("feast", "store", asked, self._identity(who))

    def _identity(self, who: str) -> dict[str, str]:
        """A session of a role, and where the cloud is."""
        account = self.plain.aws("sts").get_caller_identity()["Account"]
        session = self.plain.aws("sts").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/acme-feast-{who}", RoleSessionName="feast"
        )["Credentials"]
        given = variables.environment(self.plain.world)
        return {
            "AWS_ENDPOINT_URL": given["AWS_ENDPOINT_URL"],
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
            "AWS_DEFAULT_REGION": self.plain.world.region,
            "AWS_REGION": self.plain.world.region,
            "LAKEHOUSE_DATABASE": self.database,
        }

    def _write(self) -> None:
        """Two values a driver, by PyIceberg."""
        given = variables.environment(self.plain.world)
        place = {
            "endpoint": given["AWS_ENDPOINT_URL"],
            "region": self.plain.world.region,
            "access-key-id": given["AWS_ACCESS_KEY_ID"],
            "secret-access-key": given["AWS_SECRET_ACCESS_KEY"],
        }
        catalog = load_catalog(
            "glue",
            type="glue",
            **{f"{service}.{key}": value for service in ("glue", "s3") for key, value in place.items()},
        )
        drivers = list(range(DRIVERS)) * 2
        seconds = [0] * DRIVERS + [1] * DRIVERS
        rows = pa.table(
            {
                "driver_id": pa.array(drivers, pa.int64()),
                "conversion_rate": pa.array(
                    [driver / DRIVERS + second for driver, second in zip(drivers, seconds, strict=True)],
                    pa.float64(),
                ),
                "trips_today": pa.array(
                    [driver + second for driver, second in zip(drivers, seconds, strict=True)], pa.int64()
                ),
                "happened_at": pa.array(
                    [LATER if second else FIRST for second in seconds], pa.timestamp("us")
                ),
            }
        )
        assert len(rows) == ROWS
        catalog.load_table(f"{self.database}.driver_stats").append(rows)


@pytest.fixture(scope="module")
def features(plain: Plain, base: Base) -> Iterator[Features]:
    """One that is up."""
    config = plain.world.kubeconfig.read_text()
    stack = plain.stack("feast", lambda: _program(base, config))
    before = set(plain.inventory())
    outputs = {name: output.value for name, output in stack.up().outputs.items()}
    yield Features(plain, outputs)
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before


def test_feast_applies_materializes_and_reads_what_was_known_when(features: Features) -> None:
    features.client("applier", "apply")
    tables = features.plain.aws("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if name.startswith("acme-feast.")] == features.outputs["online_tables"], (
        "Feast takes the platform's table and makes none"
    )
    [name] = features.outputs["online_tables"]
    table = features.plain.aws("dynamodb").describe_table(TableName=name)["Table"]
    assert table["SSEDescription"]["KMSMasterKeyArn"] == features.outputs["kms_key"]

    until = (LATER + timedelta(hours=1)).isoformat()
    features.client("materializer", "materialize", until=until)
    count = sum(
        page["Count"]
        for page in features.plain.aws("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=name, Select="COUNT")
    )
    assert count == DRIVERS, "of two values of a driver, the newer one is online"

    online = features.client("materializer", "online", drivers=[7, 4999, 123456])["features"]
    assert online["trips_today"] == [8, 5000, None]
    assert online["conversion_rate"] == [pytest.approx(7 / DRIVERS + 1), pytest.approx(1.9998), None]

    known = features.client("reader", "training", drivers=[7, 7, 7, 8], moments=_moments())["rows"]
    by_moment = sorted(known, key=lambda row: (row["driver_id"], row["event_timestamp"]))
    assert [row["trips_today"] for row in by_moment] == [None, 7, 8, None], (
        "the newest value that was known then: none from the future, none older than the view's ttl"
    )


def _moments() -> list[str]:
    """Before the first value, between the two, after both, and when both are too old."""
    moments = [
        FIRST - timedelta(minutes=1),
        FIRST + timedelta(minutes=1),
        LATER + timedelta(minutes=1),
        LATER + timedelta(days=2, minutes=1),
    ]
    return [moment.isoformat() for moment in moments]


def test_nobody_does_more_than_the_platform_lets_them(features: Features) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("stranger", "online", drivers=[7])
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized|Forbidden"):
        features.client("reader", "apply")
