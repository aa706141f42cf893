"""S3 Tables as the store of a lakehouse: resources, and unsupported declarations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform.lakehouse.table_keeper.planning import NOTE
from tests.components.aiplatform.lakehouse.example import (
    BY_TABLE,
    BY_TAGS,
    EVENTS,
    ORDERS,
    lakehouse,
    problems,
)
from tests.components.recording import ACCOUNT, REGION, Recording, value

TABLE = "aws:s3tables/table:Table"
PERMISSIONS = "aws:lakeformation/permissions:Permissions"
FLAT: dict[str, Any] = {
    **ORDERS,
    "columns": [column for column in ORDERS["columns"] if column["name"] not in ("address", "labels")],
    "partitions": ORDERS["partitions"][:1],
}
CATALOG = f"{ACCOUNT}:s3tablescatalog/acme-dev-lakehouse"
BUCKET = f"arn:aws:s3tables:{REGION}:{ACCOUNT}:bucket/acme-dev-lakehouse"


@pytest.fixture(scope="module")
def recording() -> Recording:
    return lakehouse(
        store="s3_tables",
        tables=[FLAT, EVENTS],
        grants=[BY_TABLE],
        streams=[{"name": "clicks", "table": "raw.events"}],
    )


def test_tables_are_in_an_encrypted_table_bucket(recording: Recording) -> None:
    bucket = recording.one("aws:s3tables/tableBucket:TableBucket").inputs
    assert bucket["name"] == "acme-dev-lakehouse"
    assert bucket["encryptionConfiguration"]["sseAlgorithm"] == "aws:kms"
    table = recording.one(TABLE, "lake-curated-orders")
    assert (table.inputs["namespace"], table.inputs["format"]) == ("acme_dev_curated", "ICEBERG")
    assert table.ignore_changes == ("metadata",), "it is Iceberg's from then on"
    fields = table.inputs["metadata"]["iceberg"]["schema"]["fields"]
    assert fields[0] == {"name": "id", "type": "long", "required": True}
    upkeep = table.inputs["maintenanceConfiguration"]["icebergSnapshotManagement"]["settings"]
    assert upkeep["maxSnapshotAgeHours"] == 7 * 24
    key = json.loads(recording.one("aws:kms/key:Key").inputs["policy"])
    [maintenance] = [statement for statement in key["Statement"] if statement["Sid"] == "TablesAreKept"]
    assert maintenance["Condition"] == {"StringLike": {"kms:EncryptionContext:aws:s3:arn": f"{BUCKET}/*"}}, (
        "the guide's condition alone: where another does not hold, upkeep stops unnoticed"
    )
    for glue in ("catalogTable:CatalogTable", "catalogDatabase:CatalogDatabase"):
        assert not recording.all(f"aws:glue/{glue}")
    assert not recording.all("aws:glue/catalogTableOptimizer:CatalogTableOptimizer")


def test_the_migrator_adds_partitions_and_order(recording: Recording) -> None:
    call = json.loads(
        recording.one("aws:lambda/invocation:Invocation", "lake-curated-orders").inputs["input"]
    )
    assert call["warehouse"] == CATALOG
    assert call["partitions"] == [{"column": "ordered_at", "transform": "day", "name": "ordered_at_day"}]
    properties = recording.one(TABLE, "lake-curated-orders").inputs["metadata"]["iceberg"]["properties"]
    assert json.loads(properties[NOTE])["partitions"] == [], "it is created without"


def test_no_principal_circumvents_lake_formation(recording: Recording) -> None:
    policy = json.loads(
        recording.one("aws:s3tables/tableBucketPolicy:TableBucketPolicy").inputs["resourcePolicy"]
    )
    past = {statement["Sid"]: statement for statement in policy["Statement"]}["PastGovernance"]
    assert past["Action"] == ["s3tables:GetTableData", "s3tables:PutTableData"]
    assert len(past["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]) == 2, (
        "Lake Formation's role, and who makes"
    )
    (trusted,) = json.loads(recording.one("aws:iam/role:Role", "lake-access").inputs["assumeRolePolicy"])[
        "Statement"
    ]
    assert trusted["Action"] == ["sts:AssumeRole", "sts:SetContext", "sts:SetSourceIdentity"], (
        "Lake Formation sets both where it hands out credentials for a table bucket"
    )


def test_grants_name_the_catalog_of_the_table_bucket(recording: Recording) -> None:
    granted = recording.one(PERMISSIONS, "lake-role-support-curated.orders").inputs["tableWithColumns"]
    assert (granted["catalogId"], granted["databaseName"]) == (CATALOG, "acme_dev_curated")
    assert recording.one(PERMISSIONS, "lake-keeper-raw-tables").inputs["table"]["catalogId"] == CATALOG
    assert not [resource for resource in recording.all(PERMISSIONS) if "dataLocation" in resource.inputs]
    stream = recording.one("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream").inputs
    assert stream["icebergConfiguration"]["catalogArn"] == (
        f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog/s3tablescatalog/acme-dev-lakehouse"
    )


def test_the_accounts_table_buckets_are_added_to_the_catalog_once(recording: Recording) -> None:
    catalog = recording.one("aws:glue/catalog:Catalog").inputs
    assert catalog["name"] == "s3tablescatalog"
    assert catalog["federatedCatalog"]["connectionName"] == "aws:s3tables"
    other = lakehouse(store="s3_tables", tables=[FLAT], account_settings=False)
    assert not other.all("aws:glue/catalog:Catalog"), "where another lakehouse has created it"


def test_outputs_name_the_table_buckets_catalog(recording: Recording) -> None:
    outputs = value(recording.result.warehouse), value(recording.result.tables)
    assert outputs[0] == CATALOG
    assert [table["database"] for table in outputs[1]] == ["acme_dev_curated", "acme_dev_raw"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"tables": [ORDERS]}, "tables[0].columns[4].type: got 'struct<city"),
        (
            {"tables": [{**FLAT, "quality": {"rules": [{"rule": "rows", "low": 1}]}}]},
            "tables[0].quality: got rules with store s3_tables",
        ),
        (
            {"tables": [FLAT], "grants": [BY_TAGS]},
            "grants[0].zones: got curated, serving with store s3_tables",
        ),
        (
            {"tables": [FLAT], "grants": [{**BY_TABLE, "rows": "id > 1"}]},
            "grants[0].rows: got 'id > 1' with store s3_tables",
        ),
        (
            {"store": "bucket"},
            "store: got 'bucket'; expected one of buckets, s3_tables; did you mean",
        ),
    ],
)
def test_declarations_that_s3_tables_does_not_support_are_refused(
    arguments: dict[str, Any], problem: str
) -> None:
    reported = problems(**{"store": "s3_tables", **arguments})
    assert any(problem in line for line in reported), reported
