"""A lakehouse on the twin's AWS: it comes up, tells its tables to boto3, stays as it is, and goes."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest

from tests.end_to_end.plain import Plain, trust

pytestmark = pytest.mark.end_to_end


def _program() -> None:
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    pipeline = aws.iam.Role("pipeline", name="pipeline", assume_role_policy=trust("glue.amazonaws.com"))
    analysts = aws.iam.Role("analysts", name="analysts", assume_role_policy=trust("glue.amazonaws.com"))
    lake = Lakehouse(
        "lake",
        {
            "prefix": "acme-lake",
            "force_destroy": True,
            "writers": [f"arn:aws:iam::{account}:role/pipeline"],
            "tables": [
                {
                    "zone": "curated",
                    "name": "orders",
                    "owner": "shop@acme.example",
                    "columns": [
                        {"name": "order_id", "type": "long", "required": True},
                        {"name": "placed_at", "type": "timestamptz"},
                        {"name": "email", "type": "string", "classification": "pii"},
                    ],
                    "partitions": [{"column": "placed_at", "transform": "day"}],
                }
            ],
            "grants": [
                {
                    "name": "analysts",
                    "principal": f"arn:aws:iam::{account}:role/analysts",
                    "actions": ["read"],
                    "zones": ["curated"],
                }
            ],
        },
        pulumi.ResourceOptions(depends_on=[pipeline, analysts]),
    )
    pulumi.export("lake", lake.outputs)


def test_a_lakehouse_comes_up_is_seen_stays_and_goes(plain: Plain) -> None:
    before = set(plain.inventory())
    stack = plain.stack("lakehouse", _program)
    lake = stack.up().outputs["lake"].value
    [told] = lake["tables"]
    table = plain.aws("glue").get_table(DatabaseName=told["database"], Name="orders")["Table"]
    assert table["Parameters"]["table_type"].upper() == "ICEBERG"
    assert table["Parameters"]["metadata_location"].startswith(told["location"]), "Iceberg finds it there"
    columns = [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
    assert columns == ["order_id", "placed_at", "email"]
    settings = plain.aws("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    assert not settings.get("CreateTableDefaultPermissions"), "IAM alone decides on nothing"
    workgroup = plain.aws("athena").get_work_group(WorkGroup=lake["workgroup"])["WorkGroup"]
    assert workgroup["Configuration"]["EnforceWorkGroupConfiguration"]
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before, "buckets with nothing but the first metadata go, too"
