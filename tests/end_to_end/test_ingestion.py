"""Ingestion into a lakehouse on the twin's AWS: streams, captures, batches and rules."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.end_to_end.plain import Base, Plain, trust

pytestmark = pytest.mark.end_to_end

TABLES: list[dict[str, Any]] = [
    {
        "zone": "raw",
        "name": "clicks",
        "columns": [{"name": "page", "type": "string"}, {"name": "at", "type": "timestamp"}],
    },
    {
        "zone": "curated",
        "name": "orders",
        "columns": [{"name": "id", "type": "long"}, {"name": "amount", "type": "decimal(10,2)"}],
        "quality": {
            "rules": [
                {"rule": "complete", "column": "id"},
                {"rule": "between", "column": "amount", "low": 0},
            ],
            "schedule": "0 6 * * *",
        },
    },
]


def _program(base: Base) -> None:
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    secret = aws.secretsmanager.Secret("shop", name="shop-replica", recovery_window_in_days=0)
    pipeline = aws.iam.Role(
        "pipeline", name="intake-pipeline", assume_role_policy=trust("glue.amazonaws.com")
    )
    args: Any = {
        "prefix": "acme-in",
        "force_destroy": True,
        "writers": [f"arn:aws:iam::{account}:role/intake-pipeline"],
        "tables": TABLES,
        "streams": [{"name": "clicks", "table": "raw.clicks"}],
        "captures": [
            {
                "name": "shop",
                "engine": "postgresql",
                "database": "shop",
                "secret": secret.arn,
                "tables": ["public.orders"],
            }
        ],
        "batches": [
            {
                "name": "load",
                "script": "s3://acme-scripts/load.py",
                "schedule": "15 3 * * *",
                "publishes": ["curated.orders"],
            }
        ],
        "network": {
            "vpc_id": base.vpc_id,
            "cidr": "10.0.0.0/16",
            "private_subnet_ids": base.subnet_ids,
        },
    }
    lake = Lakehouse("intake", args, pulumi.ResourceOptions(depends_on=[pipeline]))
    pulumi.export("lake", lake.outputs)


def _role_of_dms() -> None:
    role = aws.iam.Role("dms", name="dms-vpc-role", assume_role_policy=trust("dms.amazonaws.com"))
    aws.iam.RolePolicyAttachment(
        "dms",
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/service-role/AmazonDMSVPCManagementRole",
    )


def test_streams_captures_batches_and_rules_are_created_and_destroyed(plain: Plain) -> None:
    base = plain.base()
    before = set(plain.inventory())
    stack = plain.stack("intake", lambda: _program(base))
    with pytest.raises(Exception, match="the account has no role dms-vpc-role"):
        stack.up()
    account = plain.stack("account", _role_of_dms)
    account.up()

    lake = stack.up().outputs["lake"].value
    stream = plain.aws("firehose").describe_delivery_stream(DeliveryStreamName="acme-in-clicks")
    description = stream["DeliveryStreamDescription"]
    assert description["DeliveryStreamARN"] == lake["streams"]["clicks"]
    assert description["DeliveryStreamEncryptionConfiguration"]["KeyARN"] == lake["kms_key"]
    glue = plain.aws("glue")
    job = glue.get_job(JobName=lake["batches"]["load"])["Job"]
    script = job["Command"]["ScriptLocation"].removeprefix("s3://")
    gate = plain.aws("s3").get_object(Bucket=script.split("/")[0], Key=script.split("/", 1)[1])
    assert b"fast_forward" in gate["Body"].read(), "the gate is where the job looks for it"
    rules = glue.get_data_quality_ruleset(Name="acme-in-curated-orders")["Ruleset"]
    assert 'IsComplete "id"' in rules
    [config] = plain.aws("dms").describe_replication_configs()["ReplicationConfigs"]
    assert json.loads(config["TableMappings"])["rules"][0]["object-locator"]["table-name"] == "orders"
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    account.destroy()
    assert set(plain.inventory()) == before
