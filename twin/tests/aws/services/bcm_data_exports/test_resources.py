"""Exports of costs through the API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.aws.context import AwsContext
from twin.provider_interface import CloudError
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.resources.life import make, refused

EXPORT = "aws:bcmdata/export:Export"
BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
SERVICES = ["bcm-data-exports.amazonaws.com", "billingreports.amazonaws.com"]


def bucket(context: AwsContext, name: str, *services: str) -> str:
    """A bucket to which these services write."""
    bucket = make(context, BUCKET, bucket=name)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": ["s3:PutObject", "s3:GetBucketPolicy"],
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"StringEquals": {"aws:SourceAccount": context.account}},
    }
    if services:
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        make(context, POLICY, bucket=bucket.outputs["bucket"], policy=document)
    return name


def export(bucket_name: str, **more: Any) -> dict[str, Any]:
    output = {"outputType": "CUSTOM", "format": "PARQUET", "compression": "PARQUET"}
    destination = {
        "s3Bucket": bucket_name,
        "s3Prefix": "costs",
        "s3Region": "us-west-2",
        "s3OutputConfigurations": [{**output, "overwrite": "OVERWRITE_REPORT"}],
    }
    return {
        "name": "acme-costs",
        "dataQueries": [
            {
                "queryStatement": "SELECT line_item_unblended_cost, resource_tags FROM COST_AND_USAGE_REPORT",
                "tableConfigurations": {"COST_AND_USAGE_REPORT": {"TIME_GRANULARITY": "DAILY"}},
            }
        ],
        "destinationConfigurations": [{"s3Destinations": [destination]}],
        "refreshCadences": [{"frequency": "SYNCHRONOUS"}],
        **more,
    }


def test_an_export_is_created_changed_and_deleted(clients: Clients) -> None:
    context = clients.context()
    stated = export(bucket(context, "acme-costs-of-all", *SERVICES))
    created = make(context, EXPORT, export=stated, tags={"team": "a"})
    assert created.outputs["arn"] == created.id
    described = context.call("bcm-data-exports", "GetExport", {"ExportArn": created.id})["Export"]
    assert described["DestinationConfigurations"]["S3Destination"]["S3Prefix"] == "costs"
    assert created.read()
    query = "SELECT line_item_unblended_cost FROM COST_AND_USAGE_REPORT"
    changed = {**stated, "dataQueries": [{**stated["dataQueries"][0], "queryStatement": query}]}
    assert created.update(export=changed)["export"]["dataQueries"][0]["queryStatement"] == query
    created.delete()
    assert created.read() is None


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("acme-costs-of-stars", "SELECT * FROM COST_AND_USAGE_REPORT"),
        ("acme-costs-of-others", "SELECT line_item_unblended_cost FROM another"),
    ],
)
def test_a_query_without_names_of_columns_is_refused(clients: Clients, name: str, query: str) -> None:
    context = clients.context()
    stated = export(bucket(context, name, *SERVICES))
    stated["dataQueries"][0]["queryStatement"] = query
    with pytest.raises(CloudError, match="is not valid"):
        make(context, EXPORT, export=stated)


def test_a_bucket_that_the_service_does_not_write_to_is_refused(clients: Clients) -> None:
    context = clients.context()
    with pytest.raises(CloudError, match="permission validation failed"):
        make(context, EXPORT, export=export(bucket(context, "acme-costs-without-policy")))


def test_an_output_that_the_api_lacks_is_refused(clients: Clients) -> None:
    stated = export("acme-costs-of-all")
    stated["refreshCadences"] = [{"frequency": "HOURLY"}]
    assert "export" in str(refused(clients.context(), EXPORT, export=stated))
