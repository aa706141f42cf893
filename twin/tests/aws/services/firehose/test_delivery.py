"""Firehose's streams into Iceberg tables: records become rows, once, as far as the stream's role may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.aws.api_server.internal_client import Inside
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.lake import BUCKET, DATABASE, TABLE, iceberg, role
from twin.tests.aws.resources.life import make

pytestmark = pytest.mark.end_to_end  # PyIceberg and Arrow are loaded

STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
RIGHTS = ["glue:GetTable", "glue:GetDatabase", "glue:UpdateTable", "s3:GetObject", "s3:PutObject"]


def rows(clients: Clients) -> list[dict[str, Any]]:
    """The table's rows, read without a caller."""
    from twin.aws.services.athena.queries import iceberg as tables
    from twin.aws.services.athena.queries.storage import Storage

    inside = Inside(clients.server)
    table = tables.load(inside, Storage(inside), "raw", "events")
    return sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row["id"])


def test_records_become_rows_once_and_what_is_refused_is_set_aside(clients: Clients) -> None:
    from twin.aws.api_server.server import ApiServer

    context = clients.context()
    make(context, BUCKET, bucket="raw-123")
    make(context, DATABASE, name="raw")
    make(
        context, TABLE, databaseName="raw", name="events", openTableFormatInput=iceberg("s3://raw-123/events")
    )
    arn = role(clients, "stream", "firehose.amazonaws.com")
    allowed = {"Effect": "Allow", "Action": RIGHTS, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    clients("iam").put_role_policy(RoleName="stream", PolicyName="may", PolicyDocument=document)
    destination = {
        "catalogArn": f"arn:aws:glue:us-west-2:{clients.server.instance.account}:catalog",
        "roleArn": arn,
        "appendOnly": True,
        "bufferingInterval": 0,
        "destinationTableConfigurations": [{"databaseName": "raw", "tableName": "events"}],
        "s3Configuration": {
            "bucketArn": "arn:aws:s3:::raw-123",
            "roleArn": arn,
            "errorOutputPrefix": "failed/",
        },
    }
    make(context, STREAM, name="events", destination="iceberg", icebergConfiguration=destination)
    event = {"id": 1, "at": "2026-11-25T10:00:00Z", "email": "a@b.c", "price": "1.50", "tags": ["x"]}
    records = [{"Data": json.dumps(record).encode()} for record in (event, {**event, "ID": 2, "id": 2})]
    firehose = clients("firehose")
    answer = firehose.put_record_batch(DeliveryStreamName="events", Records=[*records, {"Data": b"no json"}])
    assert answer["FailedPutCount"] == 0
    assert len(answer["RequestResponses"]) == 3
    clients.server.streams.close()
    table_rows = rows(clients)
    assert [row["id"] for row in table_rows] == [1, 2]
    assert (str(table_rows[0]["price"]), table_rows[0]["tags"]) == ("1.50", ["x"])
    objects = clients("s3").list_objects_v2(Bucket="raw-123", Prefix="failed/iceberg-failed/")["Contents"]
    body = clients("s3").get_object(Bucket="raw-123", Key=objects[0]["Key"])["Body"].read()
    assert json.loads(body)["errorCode"] == "Iceberg.InvalidRecord"
    with pytest.raises(firehose.exceptions.InvalidArgumentException, match="less than or equal to 500"):
        firehose.put_record_batch(DeliveryStreamName="events", Records=[{"Data": b"x"}] * 501)
    instance = clients.server.instance
    clients.server.close()
    clients.server.moto.forget()
    clients.server = ApiServer(instance)
    assert clients.server.replayed.renamed == []
    assert [row["id"] for row in rows(clients)] == [1, 2], "a restart delivers nothing again"
    clients("iam").delete_role_policy(RoleName="stream", PolicyName="may")
    clients("firehose").put_record(DeliveryStreamName="events", Record=records[0])
    clients.server.streams.close()
    assert [row["id"] for row in rows(clients)] == [1, 2], "its role is all that it may"
