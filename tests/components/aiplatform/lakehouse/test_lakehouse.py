"""The lakehouse on AWS: tables, grants and roles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiplatform._plugin import Plugin
from tests.components.aiplatform.lakehouse.example import (
    ANALYSTS,
    BY_TABLE,
    BY_TAGS,
    PIPELINE,
    SUPPORT,
    lakehouse,
)
from tests.components.recording import ACCOUNT, REGION, Recording, record, value

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
TABLE = "aws:glue/catalogTable:CatalogTable"
OPTIMIZER = "aws:glue/catalogTableOptimizer:CatalogTableOptimizer"
PERMISSIONS = "aws:lakeformation/permissions:Permissions"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
MANAGED = "aws:iam/policy:Policy"
WORKGROUP = "aws:athena/workgroup:Workgroup"
TAGGED = "aws:lakeformation/resourceLfTags:ResourceLfTags"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/platform-deployer"
ZONES = ("curated", "raw", "serving")


ROLES = ("access", "keeper", "optimizer", "writer")


@pytest.fixture(scope="module")
def default() -> Recording:
    """Two tables, a grant by tags and one by table."""
    return lakehouse(grants=[BY_TAGS, BY_TABLE])


def _statements(policy: str) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_logical_names_are_a_contract(default: Recording) -> None:
    platform = [
        f"{PERMISSIONS} lake-{role}-{zone}-{what}"
        for role in ("keeper", "optimizer", "writer")
        for zone in ZONES
        for what in ("database", "location", "tables")
    ]
    closed = ("", "OwnershipControls", "Policy", "PublicAccessBlock", "ServerSideEncryptionConfiguration")
    every = (*closed, "LifecycleConfiguration")
    assert default.names() == sorted(
        [
            "aiplatform:index:Lakehouse lake",
            *(f"aws:athena/workgroup:Workgroup lake-workgroup-role-{who}" for who in ("analysts", "support")),
            *(f"aws:glue/catalogDatabase:CatalogDatabase lake-{zone}" for zone in ZONES),
            f"{TABLE} lake-curated-orders",
            f"{TABLE} lake-raw-events",
            *(
                f"{OPTIMIZER} lake-{table}-{kind}"
                for table in ("curated-orders", "raw-events")
                for kind in ("compaction", "orphan", "retention")
            ),
            *(f"aws:iam/role:Role lake-{role}" for role in ROLES),
            *(f"aws:iam/rolePolicy:RolePolicy lake-{role}" for role in ROLES),
            *(
                f"aws:iam/{kind} lake-client-role-{who}"
                for kind in ("policy:Policy", "rolePolicyAttachment:RolePolicyAttachment")
                for who in ("analysts", "support")
            ),
            "aws:iam/rolePolicy:RolePolicy lake-writers-role-pipeline",
            "aws:cloudwatch/logGroup:LogGroup lake-keeper",
            "aws:lambda/function:Function lake-keeper",
            "aws:lambda/invocation:Invocation lake-curated-orders",
            "aws:lambda/invocation:Invocation lake-default",
            "aws:lambda/invocation:Invocation lake-raw-events",
            "aws:kms/alias:Alias lake-key",
            "aws:kms/key:Key lake-key",
            "aws:lakeformation/dataLakeSettings:DataLakeSettings lake-settings",
            "aws:lakeformation/lfTag:LfTag lake-classification",
            "aws:lakeformation/lfTag:LfTag lake-default",
            "aws:lakeformation/lfTag:LfTag lake-zone",
            "aws:lakeformation/resourceLfTag:ResourceLfTag lake-default",
            *platform,
            f"{PERMISSIONS} lake-role-analysts-zones-curated-serving",
            f"{PERMISSIONS} lake-role-support-curated.orders",
            f"{PERMISSIONS} lake-keeper-catalog",
            f"{PERMISSIONS} lake-role-analysts-curated",
            f"{PERMISSIONS} lake-role-analysts-default-tag",
            f"{PERMISSIONS} lake-role-support-default-tag",
            f"{PERMISSIONS} lake-role-analysts-serving",
            f"{PERMISSIONS} lake-role-support-curated",
            *(f"aws:lakeformation/resource:Resource lake-{zone}" for zone in ZONES),
            *(f"{TAGGED} lake-{zone}" for zone in ZONES),
            f"{TAGGED} lake-curated-orders",
            f"{TAGGED} lake-curated-orders-internal",
            f"{TAGGED} lake-curated-orders-public",
            f"{TAGGED} lake-raw-events",
            *(
                f"aws:s3/bucket{kind}:Bucket{kind} lake-{bucket}"
                for kind in every
                for bucket in (*ZONES, "logs")
            ),
            *(
                f"aws:s3/bucket{kind}:Bucket{kind} lake-{zone}"
                for kind in ("Logging", "Versioning")
                for zone in ZONES
            ),
            "aws:s3/bucketNotification:BucketNotification lake-raw",
        ]
    )


def test_tables_are_declared_to_iceberg(default: Recording) -> None:
    orders = default.one(TABLE, "lake-curated-orders").inputs
    assert (orders["databaseName"], orders["name"]) == ("acme_dev_curated", "orders")
    assert set(orders) == {"databaseName", "name", "openTableFormatInput"}, "Glue would update the rest"
    iceberg = orders["openTableFormatInput"]["icebergInput"]
    assert (iceberg["metadataOperation"], iceberg["version"]) == ("CREATE", "2")
    declared = iceberg["icebergTableInput"]
    assert declared["location"] == f"s3://acme-dev-curated-{ACCOUNT}/tables/orders"
    assert declared["properties"]["owner"] == "shop"
    fields = declared["schema"]["fields"]
    assert [(field["id"], field["name"]) for field in fields] == list(
        enumerate(["id", "ordered_at", "amount", "email", "address", "labels"], start=1)
    )
    assert fields[2]["type"] == '"decimal(10,2)"', "a JSON text, as the provider wants it"
    assert json.loads(fields[4]["type"])["fields"][0] == {
        "id": 7,
        "name": "city",
        "required": True,
        "type": "string",
    }


def test_partitions_and_order_refer_to_columns_by_their_ids(default: Recording) -> None:
    iceberg = default.one(TABLE, "lake-curated-orders").inputs["openTableFormatInput"]["icebergInput"]
    declared = iceberg["icebergTableInput"]
    assert [
        (part["fieldId"], part["name"], part["sourceId"], part["transform"])
        for part in declared["partitionSpec"]["fields"]
    ] == [
        (1000, "ordered_at_day", 2, "day"),
        (1001, "id_bucket", 1, "bucket[16]"),
        (1002, "id_trunc", 1, "truncate[10]"),
    ]
    assert declared["sortOrder"] == {
        "orderId": 1,
        "fields": [{"sourceId": 1, "transform": "identity", "direction": "desc", "nullOrder": "nulls-last"}],
    }
    plain = default.one(TABLE, "lake-raw-events").inputs["openTableFormatInput"]["icebergInput"]
    assert {"partitionSpec", "sortOrder"}.isdisjoint(plain["icebergTableInput"])


def test_iceberg_manages_a_table_after_its_creation(default: Recording) -> None:
    for table in default.all(TABLE):
        assert {"openTableFormatInput", "parameters", "storageDescriptor"} <= set(table.ignore_changes)


def test_a_table_is_created_after_its_location_and_the_account_settings(default: Recording) -> None:
    table = default.one(TABLE, "lake-curated-orders")
    for kind in (POLICY, "aws:s3/bucketVersioning:BucketVersioning", "aws:lakeformation/resource:Resource"):
        assert default.depends(table, on=default.one(kind, "lake-curated")), kind
    assert default.depends(table, on=default.one("aws:iam/rolePolicy:RolePolicy", "lake-access"))
    settings = default.one("aws:lakeformation/dataLakeSettings:DataLakeSettings")
    for database in default.all("aws:glue/catalogDatabase:CatalogDatabase"):
        assert default.depends(database, on=settings), "or IAM alone would decide on it"


def test_tables_are_optimized_by_a_role_with_permissions_of_lake_formation(default: Recording) -> None:
    retention = default.one(OPTIMIZER, "lake-raw-events-retention")
    said = retention.inputs["configuration"]["retentionConfiguration"]["icebergConfiguration"]
    assert (said["snapshotRetentionPeriodInDays"], said["cleanExpiredFiles"]) == (3, True)
    zone = default.one(OPTIMIZER, "lake-curated-orders-retention").inputs["configuration"]
    assert zone["retentionConfiguration"]["icebergConfiguration"]["snapshotRetentionPeriodInDays"] == 7
    strategies = [
        default.one(OPTIMIZER, f"lake-{table}-compaction").inputs["configuration"]["compactionConfiguration"][
            "icebergConfiguration"
        ]["strategy"]
        for table in ("curated-orders", "raw-events")
    ]
    assert strategies == ["sort", "binpack"]
    assert default.depends(retention, on=default.one(PERMISSIONS, "lake-optimizer-raw-tables"))
    assert default.depends(retention, on=default.one("aws:iam/rolePolicy:RolePolicy", "lake-optimizer"))


def test_new_databases_and_tables_are_not_left_to_iam(default: Recording) -> None:
    settings = default.one("aws:lakeformation/dataLakeSettings:DataLakeSettings").inputs
    assert settings["admins"] == [DEPLOYER]
    assert "createTableDefaultPermissions" not in settings
    assert "createDatabaseDefaultPermissions" not in settings
    assert settings["allowFullTableExternalDataAccess"] is True
    for location in default.all("aws:lakeformation/resource:Resource"):
        assert location.inputs["hybridAccessEnabled"] is False
        assert location.inputs["arn"].endswith("/tables")
    other = lakehouse(account_settings=False, tables=[])
    assert not other.all("aws:lakeformation/dataLakeSettings:DataLakeSettings")


def test_a_later_column_has_the_highest_classification_of_its_table(default: Recording) -> None:
    def tags(name: str) -> list[dict[str, str]]:
        return list(default.one(TAGGED, name).inputs["lfTags"])

    key = "acme-dev-classification"
    assert tags("lake-curated-orders") == [{"key": key, "value": "pii"}]
    assert tags("lake-raw-events") == [{"key": key, "value": "internal"}]
    lower = default.one(TAGGED, "lake-curated-orders-internal").inputs
    assert lower["tableWithColumns"]["columnNames"] == ["ordered_at", "amount", "labels"]
    assert lower["lfTags"] == [{"key": key, "value": "internal"}]
    assert tags("lake-curated") == [{"key": "acme-dev-zone", "value": "curated"}]


def test_a_grant_by_tags_applies_to_later_tables(default: Recording) -> None:
    grant = default.one(PERMISSIONS, "lake-role-analysts-zones-curated-serving").inputs
    assert (grant["principal"], grant["permissions"]) == (ANALYSTS, ["DESCRIBE", "SELECT"])
    assert grant["lfTagPolicy"] == {
        "resourceType": "TABLE",
        "expressions": [
            {"key": "acme-dev-classification", "values": ["public", "internal"]},
            {"key": "acme-dev-zone", "values": ["curated", "serving"]},
        ],
    }


def test_a_grant_by_table_excludes_pii_unless_it_is_listed(default: Recording) -> None:
    grant = default.one(PERMISSIONS, "lake-role-support-curated.orders").inputs
    assert grant["permissions"] == ["SELECT"]
    assert grant["tableWithColumns"]["columnNames"] == ["id", "ordered_at", "amount", "labels"]
    whole = lakehouse(grants=[{**BY_TABLE, "classifications": ["public", "internal", "pii"]}])
    named = whole.one(PERMISSIONS, "lake-role-support-curated.orders").inputs
    assert named["table"] == {"databaseName": "acme_dev_curated", "name": "orders"}


def test_rows_are_filtered_by_lake_formation() -> None:
    recorded = lakehouse(grants=[{**BY_TABLE, "rows": "amount < 100"}])
    cells = recorded.one("aws:lakeformation/dataCellsFilter:DataCellsFilter").inputs["tableData"]
    assert cells["rowFilter"] == {"filterExpression": "amount < 100"}
    assert cells["columnNames"] == ["id", "ordered_at", "amount", "labels"]
    grant = recorded.one(PERMISSIONS, "lake-grant-support-curated.orders").inputs
    assert grant["principal"] == SUPPORT
    assert grant["dataCellsFilter"]["name"] == cells["name"] == "support"


def test_a_principal_has_one_permission_on_a_database() -> None:
    other = {**BY_TABLE, "name": "events", "tables": ["raw.events"], "actions": ["write"]}
    again = {**BY_TAGS, "name": "more", "principal": SUPPORT, "zones": ["serving"]}
    recorded = lakehouse(grants=[BY_TABLE, other, again])
    seen = [
        resource.name
        for resource in recorded.all(PERMISSIONS)
        if resource.name.startswith("lake-role-support")
    ]
    assert [entry.removeprefix("lake-role-support-") for entry in seen] == [
        "curated",
        "curated.orders",
        "default-tag",
        "raw",
        "raw.events",
        "raw.events-location",
        "serving",
        "zones-serving",
    ]
    written = recorded.one(PERMISSIONS, "lake-role-support-raw.events").inputs
    assert written["permissions"] == ["ALTER", "DELETE", "DESCRIBE", "INSERT"]


def test_teams_have_no_permission_on_a_bucket_and_no_statement_has_a_wildcard_action(
    default: Recording,
) -> None:
    client = _statements(default.one(MANAGED, "lake-client-role-analysts").inputs["policy"])
    actions = [action for statement in client.values() for action in statement["Action"]]
    assert not [action for action in actions if action.startswith("s3:")]
    for policy in (*default.all(ROLE_POLICY), *default.all(MANAGED)):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            assert not [action for action in statement["Action"] if "*" in action], policy.name
            assert statement["Resource"] != "*" or statement["Sid"] == "AskLakeFormation", policy.name


def test_only_pipelines_assume_the_writer_role(default: Recording) -> None:
    writer = default.one("aws:iam/role:Role", "lake-writer").inputs
    assert writer["name"] == "acme-dev-lakehouse-writer"
    (statement,) = json.loads(writer["assumeRolePolicy"])["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [PIPELINE]}}
    rights = _statements(default.one("aws:iam/rolePolicy:RolePolicy", "lake-writer").inputs["policy"])
    assert "glue:UpdateTable" in rights["Tables"]["Action"]
    assert {"glue:CreateTable", "glue:DeleteTable"}.isdisjoint(rights["Tables"]["Action"])


def test_lake_formation_accesses_the_buckets_only_for_this_account(default: Recording) -> None:
    access = default.one("aws:iam/role:Role", "lake-access").inputs
    (lake,) = json.loads(access["assumeRolePolicy"])["Statement"]
    assert lake["Principal"] == {"Service": "lakeformation.amazonaws.com"}, (
        "a Glue job with this role would read every table"
    )
    assert lake["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}, "no confused deputy"
    assert lake["Action"] == ["sts:AssumeRole"]


def test_no_bounds_of_pii_are_stored(default: Recording) -> None:
    declared = default.one(TABLE, "lake-curated-orders").inputs["openTableFormatInput"]["icebergInput"]
    properties = declared["icebergTableInput"]["properties"]
    unmeasured = {
        key.removeprefix("write.metadata.metrics.column.")
        for key, mode in properties.items()
        if key.startswith("write.metadata.metrics") and mode == "none"
    }
    assert unmeasured == {"email", "address.city", "address.zip"}, "Iceberg counts parts by their paths"
    call = json.loads(default.one("aws:lambda/invocation:Invocation", "lake-curated-orders").inputs["input"])
    assert (
        call["properties"].items()
        >= {f"write.metadata.metrics.column.{entry}": "none" for entry in unmeasured}.items()
    ), "a table that is there gets them by the keeper"


def test_data_is_protected_and_retained_as_declared(default: Recording) -> None:
    assert not [
        resource.name for resource in default.resources if resource.protect or resource.retain_on_delete
    ]
    kinds = (BUCKET, TABLE, "aws:glue/catalogDatabase:CatalogDatabase", "aws:kms/key:Key")
    recorded = lakehouse(protect=True, retain_data=True)
    for kind in kinds:
        assert all(resource.protect and resource.retain_on_delete for resource in recorded.all(kind)), kind
    policies = recorded.all(POLICY)
    assert all(resource.retain_on_delete for resource in policies), (
        "a retained bucket keeps its access settings"
    )
    assert not any(bucket.inputs["forceDestroy"] for bucket in default.all(BUCKET))
    assert all(
        bucket.inputs["forceDestroy"] for bucket in lakehouse(force_destroy=True, tables=[]).all(BUCKET)
    )


def test_arguments_of_other_languages_have_their_spelling() -> None:
    def program() -> Any:
        wanted = {
            "prefix": "acme-dev",
            "writers": [PIPELINE],
            "zones": {"raw": {"fileDays": 5}},
            "tables": [
                {
                    "zone": "raw",
                    "name": "events",
                    "columns": [{"name": "at", "type": "date"}],
                    "sortOrder": [{"column": "at"}],
                }
            ],
        }
        return Plugin("0.1.0").construct("lake", "aiplatform:index:Lakehouse", wanted)

    recorded = record(program)
    iceberg = recorded.one(TABLE).inputs["openTableFormatInput"]["icebergInput"]
    assert "sortOrder" in iceberg["icebergTableInput"]
    raw = value(recorded.result.state["zones"])[0]
    assert raw["bucketArn"] == recorded.one(BUCKET, "lake-raw").state["arn"]


def test_every_part_is_a_child_and_the_outputs_are_plain(default: Recording) -> None:
    component = default.one("aiplatform:index:Lakehouse")
    for resource in default.resources:
        assert resource is component or resource.parent == component.urn, resource.name
    reported = component.outputs or {}
    assert json.loads(json.dumps(reported)) == reported, "another stack can have them"
    assert [zone["name"] for zone in reported["zones"]] == ["raw", "curated", "serving"]
    assert reported["tables"][0] == {
        "zone": "curated",
        "database": "acme_dev_curated",
        "name": "orders",
        "location": f"s3://acme-dev-curated-{ACCOUNT}/tables/orders",
    }
    assert (reported["catalog_id"], reported["region"]) == (ACCOUNT, REGION)
    assert reported["workgroups"] == {
        "analysts": "acme-dev-lakehouse-analysts",
        "support": "acme-dev-lakehouse-support",
    }
    assert set(reported["client_policies"]) == {"analysts", "support"}
