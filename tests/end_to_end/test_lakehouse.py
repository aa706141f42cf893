"""A lakehouse on the twin's AWS: created, read by boto3, previewed without changes, and destroyed."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pulumi
import pulumi_aws as aws
import pytest

from tests.end_to_end.plain import Plain, trust
from tests.end_to_end.tables import ORDERS
from twin import environment

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
            "tables": [ORDERS],
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


def test_a_lakehouse_is_created_read_and_destroyed(plain: Plain) -> None:
    before = set(plain.inventory())
    stack = plain.stack("lakehouse", _program)
    lake = stack.up().outputs["lake"].value
    [entry] = lake["tables"]
    table = plain.aws("glue").get_table(DatabaseName=entry["database"], Name="orders")["Table"]
    assert table["Parameters"]["table_type"].upper() == "ICEBERG"
    assert table["Parameters"]["metadata_location"].startswith(entry["location"]), "Iceberg finds it there"
    columns = [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
    assert columns == ["order_id", "placed_at", "email"]
    settings = plain.aws("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    assert not settings.get("CreateTableDefaultPermissions"), "access is never decided by IAM alone"
    workgroup = plain.aws("athena").get_work_group(WorkGroup=lake["workgroups"]["analysts"])["WorkGroup"]
    assert workgroup["Configuration"]["EnforceWorkGroupConfiguration"]
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before, "buckets that have only the first metadata are deleted, too"


def _in_s3_tables() -> None:
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    allowed = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
    analysts = aws.iam.Role(
        "analysts",
        name="s3t-analysts",
        assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    grant: dict[str, Any] = {
        "name": "analysts",
        "principal": f"arn:aws:iam::{account}:role/s3t-analysts",
        "actions": ["read"],
        "tables": ["curated.orders"],
    }
    args: Any = {
        "prefix": "acme-s3t",
        "store": "s3_tables",
        "writers": [f"arn:aws:iam::{account}:role/s3t-analysts"],
        "force_destroy": True,
        "tables": [
            ORDERS,
            {"zone": "raw", "name": "clicks", "columns": [{"name": "page", "type": "string"}]},
        ],
        "grants": [grant],
    }
    lake = Lakehouse("lake", args, pulumi.ResourceOptions(depends_on=[analysts]))
    pulumi.export("lake", lake.outputs)


def _as(plain: Plain, role: str, service: str) -> Any:
    arn = f"arn:aws:iam::{plain.instance.account}:role/{role}"
    key = plain.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    make: Any = boto3.client  # its types know each service by a literal
    return make(
        service,
        region_name=plain.instance.region,
        endpoint_url=environment.environment(plain.instance)["AWS_ENDPOINT_URL"],
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )


def test_a_lakehouse_in_s3_tables_is_created_read_by_its_catalog_and_destroyed(plain: Plain) -> None:
    before = set(plain.inventory())
    stack = plain.stack("s3-tables", _in_s3_tables)
    lake = stack.up().outputs["lake"].value
    catalog = f"{plain.instance.account}:s3tablescatalog/acme-s3t-lakehouse"
    assert lake["catalog_id"] == catalog
    of = {"CatalogId": catalog, "DatabaseName": "acme_s3t_curated"}
    table = plain.aws("glue").get_table(**of, Name="orders")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == [
        "order_id",
        "placed_at",
        "email",
    ]
    entries = {entry["name"]: entry for entry in lake["tables"]}
    where = table["Parameters"]["metadata_location"]
    assert where.startswith(entries["orders"]["location"]), "Iceberg finds it there"
    bucket, _, key = where.removeprefix("s3://").partition("/")
    metadata = json.loads(plain.aws("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    spec = next(
        spec for spec in metadata["partition-specs"] if spec["spec-id"] == metadata["default-spec-id"]
    )
    assert [field["name"] for field in spec["fields"]] == ["placed_at_day"], (
        "the table migrator created it, by Glue's Iceberg REST endpoint"
    )
    names = [entry["Name"] for entry in plain.aws("s3").list_buckets()["Buckets"]]
    assert bucket not in names, "the bucket of a table is not one of the account"
    with pytest.raises(Exception, match=r"Database acme_s3t_curated not found"):
        plain.aws("glue").get_table(DatabaseName="acme_s3t_curated", Name="orders")

    analysts = _as(plain, "s3t-analysts", "glue")
    seen = analysts.get_table(**of, Name="orders")["Table"]["StorageDescriptor"]["Columns"]
    assert [column["Name"] for column in seen] == ["order_id", "placed_at"]
    assert [database["Name"] for database in analysts.get_databases(CatalogId=catalog)["DatabaseList"]] == [
        "acme_s3t_curated"
    ]
    with pytest.raises(Exception, match="Insufficient Lake Formation permission"):
        analysts.get_table(CatalogId=catalog, DatabaseName="acme_s3t_raw", Name="clicks")
    with pytest.raises(Exception, match="AccessDenied"):
        _as(plain, "s3t-analysts", "s3").get_object(Bucket=bucket, Key=key)
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before
