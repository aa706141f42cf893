"""Glue: databases, Iceberg tables and their optimizers through the API server, as strict as AWS."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from twin.aws.api_server.deterministic_moto import forget
from twin.aws.api_server.server import ApiServer
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources import lake
from twin.tests.aws.resources.life import Made, make, refused

OPTIMIZER = "aws:glue/catalogTableOptimizer:CatalogTableOptimizer"
ICEBERG = "openTableFormatInput.icebergInput.icebergTableInput"


@pytest.fixture(scope="module")
def place(clients: Clients) -> str:
    lake.bucket(clients, "glue-curated")
    lake.database(clients, "curated", locationUri="s3://glue-curated/", description="What is checked")
    return "s3://glue-curated/events/"


@pytest.fixture(scope="module")
def events(clients: Clients, place: str) -> Made:
    return lake.table(clients, "curated", "events", place)


def described(clients: Clients, name: str) -> dict[str, Any]:
    return clients("glue").get_table(DatabaseName="curated", Name=name)["Table"]


def first_metadata(clients: Clients, name: str) -> dict[str, Any]:
    where = urlsplit(described(clients, name)["Parameters"]["metadata_location"])
    body = clients("s3").get_object(Bucket=where.netloc, Key=where.path.lstrip("/"))["Body"].read()
    return json.loads(body)


def test_a_database_keeps_what_it_is_given_and_changes_in_place(clients: Clients) -> None:
    database = lake.database(clients, "raw", description="as it came", tags={"zone": "raw"})
    assert database.id == f"{clients.server.instance.account}:raw"
    assert database.outputs["arn"].endswith(":database/raw")
    changed = database.update(description="as it comes", tags={"zone": "first"})
    assert (changed["description"], changed["tags"]) == ("as it comes", {"zone": "first"})
    assert "raw" in clients.server._inventory.of(clients.server)["glue/databases"]
    database.delete()
    assert database.read() is None


def test_an_iceberg_table_gets_its_first_metadata_as_declared(clients: Clients, events: Made) -> None:
    table = described(clients, "events")
    assert clients.server._inventory.of(clients.server)["glue/tables"] == ["curated.events"]
    assert table["Parameters"]["table_type"] == "ICEBERG"
    assert table["TableType"] == "EXTERNAL_TABLE"
    kinds = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    assert kinds == {
        "id": "bigint",
        "at": "timestamp",
        "email": "string",
        "price": "decimal(10,2)",
        "tags": "array<string>",
    }
    metadata = first_metadata(clients, "events")
    assert metadata["format-version"] == 2
    assert metadata["location"] == "s3://glue-curated/events"
    assert metadata["last-column-id"] == 6, "an element of a list has an id too"
    assert metadata["schemas"][0]["fields"][0] == {"id": 1, "name": "id", "required": True, "type": "long"}
    assert metadata["partition-specs"][0]["fields"][0]["transform"] == "day"
    assert metadata["sort-orders"][0]["fields"][0]["null-order"] == "nulls-last"
    assert "metadata_location" not in (events.outputs.get("parameters") or {}), "Iceberg owns it"


def test_a_table_that_iceberg_has_changed_shows_no_other_inputs(clients: Clients, events: Made) -> None:
    table = described(clients, "events")
    names = ("Name", "Parameters", "StorageDescriptor", "TableType")
    table_input = {name: table[name] for name in names}
    table_input["Parameters"] = {**table["Parameters"], "previous_metadata_location": "s3://glue-curated/x"}
    version = table["VersionId"]
    update = clients("glue").update_table
    update(DatabaseName="curated", TableInput=table_input, VersionId=version)
    read = events.read()
    assert read is not None
    assert read["openTableFormatInput"] == events.outputs["openTableFormatInput"]
    with pytest.raises(ClientError, match="ConcurrentModificationException"):
        update(DatabaseName="curated", TableInput=table_input, VersionId=version)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": {"fields": [lake.field(1, "x", "varchar")]}}, "Cannot parse type string to primitive"),
        ({"schema": {"fields": [lake.field(1, "x", "decimal(39, 2)")]}}, "Decimals with precision"),
        (
            {"schema": {"fields": [lake.field(1, "x", "int"), lake.field(1, "y", "int")]}},
            "multiple fields for id 1",
        ),
        (
            {"schema": {"fields": [lake.field(1, "x", "int"), lake.field(2, "x", "int")]}},
            "multiple fields for name x",
        ),
        (
            {"partitionSpec": {"fields": [{"name": "p", "sourceId": 9, "transform": "day"}]}},
            "Cannot find source column: 9",
        ),
        (
            {"partitionSpec": {"fields": [{"name": "p", "sourceId": 2, "transform": "weekly"}]}},
            "Unknown transform: weekly",
        ),
        (
            {"partitionSpec": {"fields": [{"name": "p", "sourceId": 3, "transform": "day"}]}},
            "Invalid source type string for transform: day",
        ),
        (
            {"partitionSpec": {"fields": [{"name": "email", "sourceId": 2, "transform": "day"}]}},
            "Cannot create partition from name that exists in schema",
        ),
    ],
)
def test_what_iceberg_does_not_take_is_refused_before_anything_is_made(
    clients: Clients, place: str, change: dict[str, Any], words: str
) -> None:
    iceberg_inputs = lake.iceberg(place, **{"partitionSpec": None, "sortOrder": None, **change})
    failures = refused(
        clients.context(), lake.TABLE, databaseName="curated", name="x", openTableFormatInput=iceberg_inputs
    )
    assert words in failures[ICEBERG]


def test_a_type_is_json_as_the_provider_takes_it(clients: Clients, place: str) -> None:
    plain = {"id": 1, "name": "x", "type": "string", "required": False}
    iceberg_inputs = lake.iceberg(place, schema={"fields": [plain]}, partitionSpec=None, sortOrder=None)
    failures = refused(
        clients.context(), lake.TABLE, databaseName="curated", name="x", openTableFormatInput=iceberg_inputs
    )
    assert '"string" would be right' in failures[f"{ICEBERG}.schema.fields[0].type"].replace("\\", "")


def test_a_table_needs_its_database_its_bucket_and_a_free_name(
    clients: Clients, place: str, events: Made
) -> None:
    cases = [("nowhere", "x", place, "databaseName"), ("curated", "events", place, "name")]
    cases.append(("curated", "x", "s3://not-there/x", f"{ICEBERG}.location"))
    for of, name, where, path in cases:
        with pytest.raises(CloudError) as caught:
            lake.table(clients, of, name, where)
        assert caught.value.path == path
    assert "uppercase" in refused(clients.context(), lake.DATABASE, name="Raw")["name"]


def test_an_optimizer_is_of_an_iceberg_table_and_a_role_that_glue_assumes(
    clients: Clients, events: Made
) -> None:
    context, account = clients.context(), clients.server.instance.account
    keeper, other = (
        lake.role(clients, name, service)
        for name, service in (("keeper", "glue.amazonaws.com"), ("other", "ec2.amazonaws.com"))
    )
    arguments = {"catalogId": account, "databaseName": "curated", "tableName": "events"}
    days = {"icebergConfiguration": {"snapshotRetentionPeriodInDays": 5, "numberOfSnapshotsToRetain": 1}}
    wanted = {"roleArn": keeper, "enabled": True, "retentionConfiguration": days}
    optimizer = make(context, OPTIMIZER, **arguments, type="retention", configuration=wanted)
    assert optimizer.id == f"{account},curated,events,retention"
    changed = optimizer.update(configuration={**wanted, "enabled": False})
    assert changed["configuration"]["enabled"] is False
    assert clients.server._inventory.of(clients.server)["glue/table_optimizers"]
    for configuration, path in (
        ({"roleArn": other, "enabled": True}, "configuration.roleArn"),
        (wanted, "configuration"),
    ):
        with pytest.raises(CloudError) as caught:
            make(context, OPTIMIZER, **arguments, type="compaction", configuration=configuration)
        assert caught.value.path == path
    optimizer.delete()
    assert optimizer.read() is None


def test_a_killed_front_remembers_a_table_and_its_metadata(clients: Clients, events: Made) -> None:
    before = first_metadata(clients, "events")
    forget()
    clients.server.close()
    clients.server = ApiServer(clients.server.instance)
    assert not clients.server.replayed.renamed
    assert first_metadata(clients, "events") == before


def test_a_database_takes_its_tables_along(clients: Clients) -> None:
    lake.bucket(clients, "glue-going")
    database = lake.database(clients, "going")
    lake.table(clients, "going", "events", "s3://glue-going/events")
    database.delete()
    assert database.read() is None


def test_the_first_metadata_needs_somebody_who_may_write_it(clients: Clients) -> None:
    lake.bucket(clients, "glue-closed")
    lake.database(clients, "closed")
    keeper = lake.role(clients, "glue-keeper", "lakeformation.amazonaws.com")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::glue-closed/*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [keeper]}},
    }
    allow = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::glue-closed/*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    clients("s3").put_bucket_policy(Bucket="glue-closed", Policy=text)
    with pytest.raises(CloudError, match="explicit deny") as caught:
        lake.table(clients, "closed", "events", "s3://glue-closed/events")
    assert caught.value.path == f"{ICEBERG}.location"
    clients("lakeformation").register_resource(ResourceArn="arn:aws:s3:::glue-closed", RoleArn=keeper)
    with pytest.raises(CloudError, match=r"Insufficient Lake Formation permission\(s\) on s3://glue-closed"):
        lake.table(clients, "closed", "events", "s3://glue-closed/events")
    lake.administer(clients)
    with pytest.raises(CloudError, match="no identity-based policy"):
        lake.table(clients, "closed", "events", "s3://glue-closed/events")
    text = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    clients("iam").put_role_policy(RoleName="glue-keeper", PolicyName="files", PolicyDocument=text)
    assert lake.table(clients, "closed", "events", "s3://glue-closed/events").read()
