"""The bill as a table of the lakehouse on the twin of each cloud, by the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError
from googleapiclient.errors import HttpError
from pulumi import automation

from tests.end_to_end import gcp_lake
from tests.end_to_end.plain import Plain, trust
from tests.end_to_end.test_gcp_provider import PROJECT
from tests.end_to_end.test_lakehouse import _as as client_of

pytestmark = pytest.mark.end_to_end
ACCOUNT: Final = "01AB23-45CD67-89EF01"
TABLE: Final = "gcp_billing_export_resource_v1_01AB23_45CD67_89EF01"


def _on_aws() -> None:
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    root = aws.iam.get_policy_document(
        statements=[
            aws.iam.GetPolicyDocumentStatementArgs(
                actions=["sts:AssumeRole"],
                principals=[
                    aws.iam.GetPolicyDocumentStatementPrincipalArgs(
                        type="AWS", identifiers=[f"arn:aws:iam::{account}:root"]
                    )
                ],
            )
        ]
    ).json
    roles = [
        aws.iam.Role("bill-pipeline", name="bill-pipeline", assume_role_policy=trust("glue.amazonaws.com")),
        aws.iam.Role("finance", name="finance", assume_role_policy=root),
        aws.iam.Role("others", name="others", assume_role_policy=root),
    ]

    def grant(name: str, **more: Any) -> dict[str, Any]:
        principal = f"arn:aws:iam::{account}:role/{name}"
        return {"name": name, "principal": principal, "actions": ["read"], **more}

    args: Any = {
        "prefix": "acme-bill",
        "force_destroy": True,
        "writers": [f"arn:aws:iam::{account}:role/bill-pipeline"],
        "grants": [grant("finance", billing=True), grant("others", zones=["curated"])],
        "billing_export": {"team_namespaces": {"search": "search"}},
    }
    pulumi.export("lake", Lakehouse("lake", args, pulumi.ResourceOptions(depends_on=roles)).outputs)


def test_the_bill_of_aws_is_a_table_that_grants_read(plain: Plain) -> None:
    before = set(plain.inventory())
    stack = plain.stack("billing-export", _on_aws)
    lake = stack.up().outputs["lake"].value
    [export] = plain.aws("bcm-data-exports").list_exports()["Exports"]
    known = plain.aws("bcm-data-exports").get_export(ExportArn=export["ExportArn"])["Export"]
    s3 = known["DestinationConfigurations"]["S3Destination"]
    database = lake["billing_database"]
    tables = plain.aws("glue").get_tables(DatabaseName=database)["TableList"]
    assert sorted(table["Name"] for table in tables) == ["cost_by_model", "cost_by_team", "costs"]
    [costs] = [table for table in tables if table["Name"] == "costs"]
    folder = f"s3://{s3['S3Bucket']}/{s3['S3Prefix']}/{known['Name']}/data"
    assert costs["Parameters"]["storage.location.template"].startswith(folder)
    assert client_of(plain, "finance", "glue").get_table(DatabaseName=database, Name="costs")
    with pytest.raises(ClientError, match=r"AccessDenied|EntityNotFound|not authorized"):
        client_of(plain, "others", "glue").get_table(DatabaseName=database, Name="costs")
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
    assert set(plain.inventory()) == before


@pytest.fixture
def google(home: Path) -> Iterator[Plain]:
    twin = Plain(home, "bill-gcp", "--account", PROJECT, "--region", gcp_lake.REGION, cloud="gcp")
    yield twin
    twin.remove()


def _google(*, linked: bool) -> Any:
    grant = {"name": "finance", "actions": ["read"], "billing": True, "principal": gcp_lake.member("finance")}
    return gcp_lake.program(
        ["finance", "pipeline"],
        {
            "prefix": "acme-bill",
            "writers": [gcp_lake.member("pipeline")],
            "grants": [grant],
            "billing_export": {"billing_account": ACCOUNT, "linked": linked},
        },
    )


def _export_table(twin: Plain, dataset: str) -> None:
    """Create the table as Cloud Billing does once the dataset is linked."""
    text, number = {"type": "STRING"}, {"type": "FLOAT64"}
    pair = [{"name": "key", **text}, {"name": "value", **text}]
    credit = [{"name": "amount", **number}, {"name": "type", **text}]
    fields: list[dict[str, Any]] = [
        {"name": "usage_start_time", "type": "TIMESTAMP"},
        {"name": "project", "type": "RECORD", "fields": [{"name": "id", **text}]},
        {"name": "service", "type": "RECORD", "fields": [{"name": "description", **text}]},
        {"name": "currency", **text},
        {"name": "cost_type", **text},
        {"name": "cost", **number},
        {"name": "labels", "type": "RECORD", "mode": "REPEATED", "fields": pair},
        {"name": "credits", "type": "RECORD", "mode": "REPEATED", "fields": credit},
    ]
    reference = {"projectId": PROJECT, "datasetId": dataset, "tableId": TABLE}
    body = {"tableReference": reference, "schema": {"fields": fields}}
    tables = gcp_lake.client(twin.instance, "bigquery", "v2").tables()
    tables.insert(projectId=PROJECT, datasetId=dataset, body=body).execute()


def test_the_bill_of_google_cloud_has_views_once_it_is_linked(google: Plain) -> None:
    stack = google.stack("bill", _google(linked=False))
    stack.set_config("gcp:project", automation.ConfigValue(PROJECT))
    lake = stack.up().outputs["lake"].value
    views = lake["billing_database"]
    tables = gcp_lake.client(google.instance, "bigquery", "v2").tables()
    assert tables.list(projectId=PROJECT, datasetId=views).execute().get("tables", []) == []
    _export_table(google, f"{views}_export")
    stack.workspace.program = _google(linked=True)
    stack.up()
    listed_views = tables.list(projectId=PROJECT, datasetId=views).execute()["tables"]
    assert {(view["tableReference"]["tableId"], view["type"]) for view in listed_views} == {
        ("cost_by_team", "VIEW"),
        ("cost_by_model", "VIEW"),
    }
    of_finance = gcp_lake.client(google.instance, "bigquery", "v2", "finance").tables()
    assert of_finance.get(projectId=PROJECT, datasetId=views, tableId="cost_by_team").execute()
    with pytest.raises(HttpError, match=r"403|Access Denied"):
        of_finance.get(projectId=PROJECT, datasetId=f"{views}_export", tableId=TABLE).execute()
    stack.preview(expect_no_changes=True, refresh=True)
    stack.destroy()
