"""What a lakehouse's tests begin with: a bucket, a database, roles, a declared table."""

from __future__ import annotations

import json
from typing import Any

from twin.provider_interface import Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import Made, make

BUCKET = "aws:s3/bucket:Bucket"
DATABASE = "aws:glue/catalogDatabase:CatalogDatabase"
TABLE = "aws:glue/catalogTable:CatalogTable"


def field(id: int, name: str, kind: Any, *, required: bool = False) -> Props:
    """A column of a declared table."""
    return {"id": id, "name": name, "type": json.dumps(kind), "required": required}


def iceberg(location: str, **more: Any) -> Props:
    """The openTableFormatInput of a table of events."""
    declared: Props = {
        "location": location,
        "schema": {
            "type": "struct",
            "schemaId": 0,
            "fields": [
                field(1, "id", "long", required=True),
                field(2, "at", "timestamptz"),
                field(3, "email", "string"),
                field(4, "price", "decimal(10, 2)"),
                field(5, "tags", {"type": "list", "element-id": 6, "element": "string"}),
            ],
        },
        "partitionSpec": {
            "specId": 0,
            "fields": [{"fieldId": 1000, "name": "at_day", "sourceId": 2, "transform": "day"}],
        },
        "sortOrder": {
            "orderId": 1,
            "fields": [
                {"sourceId": 1, "transform": "identity", "direction": "asc", "nullOrder": "nulls-last"}
            ],
        },
        "properties": {"write.format.default": "parquet"},
        **more,
    }
    return {
        "icebergInput": {"metadataOperation": "CREATE", "version": "2", "icebergTableInput": declared},
    }


def role(clients: Clients, name: str, service: str) -> str:
    """The arn of a role that a service may assume."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return clients("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


def bucket(clients: Clients, name: str, **more: Any) -> Made:
    """A bucket."""
    return make(clients.context(), BUCKET, bucket=name, **more)


def database(clients: Clients, name: str, **more: Any) -> Made:
    """A database."""
    return make(clients.context(), DATABASE, name=name, **more)


def table(clients: Clients, of: str, name: str, location: str, **more: Any) -> Made:
    """A declared Iceberg table."""
    declared = iceberg(location, **more)
    return make(clients.context(), TABLE, databaseName=of, name=name, openTableFormatInput=declared)


def administer(clients: Clients) -> None:
    """Make the deployer a data lake administrator, which it is not by itself."""
    client = clients("lakeformation")
    settings = client.get_data_lake_settings()["DataLakeSettings"]
    role = f"arn:aws:iam::{clients.server.instance.account}:role/platform-deployer"
    settings["DataLakeAdmins"] = [{"DataLakePrincipalIdentifier": role}]
    client.put_data_lake_settings(DataLakeSettings=settings)
