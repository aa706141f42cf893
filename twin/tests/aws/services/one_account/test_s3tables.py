"""S3 Tables and their place in Glue's catalog, through the API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make

BUCKET = "aws:s3tables/tableBucket:TableBucket"
NAMESPACE = "aws:s3tables/namespace:Namespace"
TABLE = "aws:s3tables/table:Table"
POLICY = "aws:s3tables/tableBucketPolicy:TableBucketPolicy"
CATALOG = "aws:glue/catalog:Catalog"


def columns(*types: str) -> Props:
    """A table's metadata."""
    fields = [{"name": f"c{i}", "type": type_, "required": False} for i, type_ in enumerate(types)]
    return {"iceberg": {"schema": {"fields": fields}}}


def test_a_table_bucket_with_its_tables_lives_and_goes(clients: Clients, key: str) -> None:
    context = clients.context()
    sse = {"sseAlgorithm": "aws:kms", "kmsKeyArn": key}
    days = {"unreferencedDays": 7, "nonCurrentDays": 30}
    bucket = make(
        context,
        BUCKET,
        name="acme-tables",
        encryptionConfiguration=sse,
        maintenanceConfiguration={"icebergUnreferencedFileRemoval": {"status": "enabled", "settings": days}},
        tags={"team": "ml"},
    )
    assert bucket.id == f"arn:aws:s3tables:us-west-2:{clients.server.instance.account}:bucket/acme-tables"
    assert bucket.outputs["encryptionConfiguration"] == sse
    removal = bucket.outputs["maintenanceConfiguration"]["icebergUnreferencedFileRemoval"]
    assert removal == {"status": "enabled", "settings": days}
    namespace = make(context, NAMESPACE, tableBucketArn=bucket.id, namespace="raw")
    arguments: Props = {
        "tableBucketArn": bucket.id,
        "namespace": "raw",
        "name": "events",
        "format": "ICEBERG",
        "encryptionConfiguration": sse,
        "metadata": columns("long", "timestamptz", "decimal(10, 2)"),
        "maintenanceConfiguration": {
            "icebergCompaction": {"status": "enabled", "settings": {"targetFileSizeMb": 256}}
        },
    }
    for change, path, words in (
        ({"metadata": columns("long", "text")}, "metadata.iceberg.schema", "column c1 has the type text"),
        ({"metadata": columns("decimal(39, 2)")}, "metadata.iceberg.schema", "has the type decimal"),
        ({"name": "_events"}, "name", "table name is not valid"),
        ({"namespace": "none"}, "namespace", "namespace does not exist"),
    ):
        with pytest.raises(CloudError, match=words) as error:
            make(context, TABLE, **{**arguments, **change})
        assert error.value.path == path
    table = make(context, TABLE, **arguments, tags={"a": "b"})
    assert table.outputs["warehouseLocation"].endswith("--table-s3")
    assert table.outputs["metadataLocation"].startswith(table.outputs["warehouseLocation"])
    smaller = {"icebergCompaction": {"status": "enabled", "settings": {"targetFileSizeMb": 128}}}
    assert table.update(maintenanceConfiguration=smaller)["maintenanceConfiguration"][
        "icebergCompaction"
    ] == {
        "status": "enabled",
        "settings": {"targetFileSizeMb": 128},
    }
    with pytest.raises(CloudError, match="is not empty") as error:
        bucket.delete()
    assert error.value.path == "forceDestroy"
    inventory = clients.server._inventory.of(clients.server)
    assert len(inventory["s3tables/twin_tables"]) == 1
    table.delete()
    assert table.read() is None
    make(context, TABLE, **arguments)
    bucket.update(forceDestroy=True)
    bucket.delete()
    assert bucket.read() is None
    assert namespace.read() is None
    assert not [name for name in clients.server._inventory.of(clients.server) if name.startswith("s3tables/")]


def test_a_table_bucket_is_closed_by_its_policy(clients: Clients) -> None:
    context = clients.context()
    bucket = make(context, BUCKET, name="closed-tables")
    statement: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3tables:*", "Resource": "*"}

    def document(**more: Any) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **more}]})

    policy = make(context, POLICY, tableBucketArn=bucket.id, resourcePolicy=document())
    with pytest.raises(CloudError, match="an action of another service: s3:GetObject") as error:
        policy.update(resourcePolicy=document(Action="s3:GetObject"))
    assert error.value.path == "resourcePolicy"
    policy.delete()
    assert policy.read() is None
    for name, words in (("aws-tables", "is not valid"), ("closed-tables", "already exists")):
        with pytest.raises(CloudError, match=words) as error:
            make(context, BUCKET, name=name)
        assert error.value.path == "name"
    bucket.delete()


def test_table_buckets_are_one_catalog_of_glue(clients: Clients) -> None:
    context, account = clients.context(), clients.server.instance.account
    place = f"arn:aws:s3tables:us-west-2:{account}:bucket/*"
    arguments: Props = {
        "name": "s3tablescatalog",
        "federatedCatalog": {"connectionName": "aws:s3tables", "identifier": place},
        "allowFullTableExternalDataAccess": "True",
        "createDatabaseDefaultPermissions": [],
        "createTableDefaultPermissions": [],
    }
    catalog = make(context, CATALOG, **arguments, description="all", tags={"a": "b"})
    assert catalog.outputs["catalogId"] == f"{account}:s3tablescatalog"
    assert catalog.outputs["arn"] == f"arn:aws:glue:us-west-2:{account}:catalog/s3tablescatalog"
    assert catalog.update(description="changed")["description"] == "changed"
    with pytest.raises(CloudError, match="Catalog already exists") as error:
        make(context, CATALOG, **arguments)
    assert error.value.path == "name"
    catalog.delete()
    assert catalog.read() is None
    wrong = {"connectionName": "aws:s3tables", "identifier": place[:-1] + "one"}
    with pytest.raises(CloudError, match="The identifier of s3tablescatalog") as error:
        make(context, CATALOG, **{**arguments, "federatedCatalog": wrong})
    assert error.value.path == "federatedCatalog.identifier"


def test_table_buckets_are_registered_whole_as_a_federated_location(clients: Clients) -> None:
    account, lake = clients.server.instance.account, clients("lakeformation")
    service = {"Service": "lakeformation.amazonaws.com"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service}
    role = clients("iam").create_role(
        RoleName="table-access",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    place = f"arn:aws:s3tables:us-west-2:{account}:bucket/*"
    params: dict[str, Any] = {"ResourceArn": place, "RoleArn": role, "WithFederation": True}
    for change, words in (
        ({"ResourceArn": place.replace("us-west-2", "eu-west-1")}, f"in this account and region is {place}"),
        ({"WithFederation": False}, "WithFederation must be true"),
        ({"HybridAccessEnabled": True}, "Hybrid access mode"),
        ({"RoleArn": f"{role}-none"}, "does not exist"),
    ):
        with pytest.raises(Exception, match=words):
            lake.register_resource(**{**params, **change})
    lake.register_resource(**params, WithPrivilegedAccess=True)
    resource = lake.describe_resource(ResourceArn=place)["ResourceInfo"]
    assert (resource["WithFederation"], resource["WithPrivilegedAccess"]) == (True, True)
    lake.deregister_resource(ResourceArn=place)
    clients("iam").delete_role(RoleName="table-access")


def test_a_table_has_its_files_in_a_bucket_that_no_principal_sees(clients: Clients) -> None:
    tables, s3 = clients("s3tables"), clients("s3")
    arn = tables.create_table_bucket(name="filed-tables")["arn"]
    tables.create_namespace(tableBucketARN=arn, namespace=["raw"])
    here = {"tableBucketARN": arn, "namespace": "raw", "name": "events"}
    tables.create_table(**here, format="ICEBERG", metadata=columns("long"))
    metadata = tables.get_table_metadata_location(**here)
    bucket, _, key = metadata["metadataLocation"].removeprefix("s3://").partition("/")
    first = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert json.loads(first)["schemas"][0]["fields"][0]["id"] == 1
    assert bucket not in [listed_bucket["Name"] for listed_bucket in s3.list_buckets()["Buckets"]]
    for call in (lambda: s3.list_objects_v2(Bucket=bucket), lambda: s3.delete_object(Bucket=bucket, Key=key)):
        with pytest.raises(Exception, match="MethodNotAllowed"):
            call()
    where, token = f"s3://{bucket}/metadata/00001.metadata.json", metadata["versionToken"]
    with pytest.raises(Exception, match="does not exist or is none of the table's"):
        tables.update_table_metadata_location(**here, versionToken=token, metadataLocation=where)
    s3.put_object(Bucket=bucket, Key="metadata/00001.metadata.json", Body=first)
    tables.update_table_metadata_location(**here, versionToken=token, metadataLocation=where)
    with pytest.raises(Exception, match="version token does not match"):
        tables.update_table_metadata_location(**here, versionToken=token, metadataLocation=where)
    assert tables.get_table(**here)["metadataLocation"] == where
    tables.delete_table(**here)
    tables.delete_namespace(tableBucketARN=arn, namespace="raw")
    tables.delete_table_bucket(tableBucketARN=arn)


def test_a_name_that_another_accounts_bucket_has_is_taken(clients: Clients) -> None:
    place: Any = {"LocationConstraint": "us-west-2"}
    with pytest.raises(Exception, match="BucketAlreadyExists"):
        clients("s3").create_bucket(Bucket="my-bucket", CreateBucketConfiguration=place)
