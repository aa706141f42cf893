"""Firehose's delivery streams through the API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.provider_interface import CloudError, Props
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.lake import BUCKET, DATABASE, role
from twin.tests.aws.resources.life import make, refused

STREAM = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"


@pytest.fixture(scope="module")
def place(clients: Clients, key: str) -> dict[str, str]:
    """A bucket, a table, a key, a role that may, and one that may not."""
    context = clients.context()
    make(context, BUCKET, bucket="events-123")
    make(context, DATABASE, name="raw")
    clients("glue").create_table(DatabaseName="raw", TableInput={"Name": "events"})
    may = {"Effect": "Allow", "Action": "glue:GetTable", "Resource": "*"}
    place = {
        "account": clients.server.instance.account,
        "role": role(clients, "firehose", "firehose.amazonaws.com"),
    }
    place["bare"] = role(clients, "bare", "firehose.amazonaws.com")
    place["glue"] = role(clients, "glue", "glue.amazonaws.com")
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    clients("iam").put_role_policy(RoleName="firehose", PolicyName="may", PolicyDocument=document)
    place["key"] = key
    return place


def inputs(place: dict[str, str], **change: Any) -> Props:
    """A stream as the lakehouse makes it; change: of the Iceberg destination."""
    destination: Props = {
        "catalogArn": f"arn:aws:glue:us-west-2:{place['account']}:catalog",
        "roleArn": place["role"],
        "appendOnly": True,
        "bufferingInterval": 60,
        "bufferingSize": 64,
        "s3BackupMode": "FailedDataOnly",
        "destinationTableConfigurations": [{"databaseName": "raw", "tableName": "events"}],
        "s3Configuration": {
            "bucketArn": "arn:aws:s3:::events-123",
            "roleArn": place["role"],
            "errorOutputPrefix": "failed/",
            "kmsKeyArn": place["key"],
            "compressionFormat": "GZIP",
        },
        "cloudwatchLoggingOptions": {"enabled": True, "logGroupName": "/f", "logStreamName": "s"},
        **change,
    }
    sse = {"enabled": True, "keyType": "CUSTOMER_MANAGED_CMK", "keyArn": place["key"]}
    return {
        "name": "events",
        "destination": "iceberg",
        "icebergConfiguration": destination,
        "serverSideEncryption": sse,
    }


def test_a_stream_into_an_iceberg_table_lives_and_goes(clients: Clients, place: dict[str, str]) -> None:
    stream = make(clients.context(), STREAM, **inputs(place), tags={"team": "ml"})
    outputs = stream.outputs
    assert outputs["arn"].endswith(":deliverystream/events")
    assert outputs["serverSideEncryption"]["keyArn"] == place["key"]
    destination = outputs["icebergConfiguration"]
    assert (destination["bufferingInterval"], destination["retryDuration"]) == (60, 300)
    assert destination["s3Configuration"]["kmsKeyArn"] == place["key"]
    assert destination["destinationTableConfigurations"] == [{"databaseName": "raw", "tableName": "events"}]
    assert outputs["versionId"] == "1"
    changed = stream.update(icebergConfiguration=inputs(place, bufferingInterval=120)["icebergConfiguration"])
    assert changed["icebergConfiguration"]["bufferingInterval"] == 120
    assert changed["versionId"] == "2"
    off = stream.update(serverSideEncryption={"enabled": False}, tags={"team": "x"})
    assert off["serverSideEncryption"]["enabled"] is False
    assert off["tags"] == {"team": "x"}
    assert clients.server._inventory.of(clients.server)["firehose/delivery_streams"] == ["events"]
    stream.delete()
    assert stream.read() is None


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"roleArn": "{glue}"}, "icebergConfiguration.roleArn", "unable to assume role"),
        (
            {"roleArn": "{bare}"},
            "icebergConfiguration.destinationTableConfigurations",
            "not authorized to perform: glue:GetTable",
        ),
        (
            {"destinationTableConfigurations": [{"databaseName": "raw", "tableName": "none"}]},
            "icebergConfiguration.destinationTableConfigurations",
            "the table does not exist: raw.none",
        ),
        (
            {"s3Configuration": {"bucketArn": "arn:aws:s3:::none-123", "roleArn": "{role}"}},
            "icebergConfiguration.s3Configuration.bucketArn",
            "none-123 does not exist",
        ),
    ],
)
def test_what_firehose_refuses(
    clients: Clients, place: dict[str, str], change: Any, path: str, words: str
) -> None:
    document = json.loads(json.dumps(change).replace('"{', '"<').replace('}"', '>"'))
    filled = json.loads(_filled(json.dumps(document), place))
    with pytest.raises(CloudError, match=words) as error:
        make(clients.context(), STREAM, **inputs(place, **filled))
    assert error.value.path == path


def _filled(text: str, place: dict[str, str]) -> str:
    for name in ("role", "bare", "glue"):
        text = text.replace(f'"<{name}>"', f'"{place[name]}"')
    return text


def test_what_the_provider_and_the_model_refuse_is_reported_by_check(
    clients: Clients, place: dict[str, str]
) -> None:
    reasons = refused(clients.context(), STREAM, **inputs(place, bufferingInterval=901))
    assert "icebergConfiguration.bufferingInterval" in reasons
    reasons = refused(clients.context(), STREAM, name="x", destination="iceberg")
    assert "is required" in reasons["icebergConfiguration"]
    assert "alone" in refused(clients.context(), STREAM, name="x", destination="splunk")["destination"]


def test_a_stream_of_logs_is_in_its_group(clients: Clients) -> None:
    context = clients.context()
    clients("logs").create_log_group(logGroupName="/firehose/events")
    token = "aws:cloudwatch/logStream:LogStream"
    log_stream = make(context, token, logGroupName="/firehose/events", name="failed")
    assert log_stream.outputs["arn"].endswith(":log-group:/firehose/events:log-stream:failed")
    with pytest.raises(CloudError, match="ResourceNotFoundException") as error:
        make(context, token, logGroupName="/none", name="failed")
    assert error.value.path == "logGroupName"
    log_stream.delete()
    assert log_stream.read() is None


def test_a_role_puts_records_into_the_stream_that_it_may(clients: Clients, place: dict[str, str]) -> None:
    from twin.tests.aws.iam.test_authorization import allow, refused, session
    from twin.tests.aws.iam.test_authorization import role as caller

    account = clients.server.instance.account
    created = make(clients.context(), STREAM, **inputs(place))
    stream = f"arn:aws:firehose:us-west-2:{account}:deliverystream"
    may = session(
        clients, caller(clients, "puts", allow("firehose:DescribeDeliveryStream", resource=created.id))
    )
    described = may("firehose").describe_delivery_stream(DeliveryStreamName="events")
    assert described["DeliveryStreamDescription"]["DeliveryStreamARN"] == created.id == f"{stream}/events"
    other = allow("firehose:DescribeDeliveryStream", resource=f"{stream}/other")
    may_not = session(clients, caller(clients, "puts-other", other))
    code, words = refused(may_not("firehose").describe_delivery_stream, DeliveryStreamName="events")
    assert code.startswith("AccessDenied")
    assert "firehose:DescribeDeliveryStream" in words
    created.delete()
