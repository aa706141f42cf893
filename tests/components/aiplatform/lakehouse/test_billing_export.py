"""The export of costs: what is created, who reads it, and what its views compute."""

# ruff: noqa: S608 - the statements are of this test

import base64
import json
from datetime import datetime
from typing import Any

import duckdb
import pytest
import sqlglot

from aiplatform.lakehouse.aws.billing import COLUMNS, view_text
from aiplatform.lakehouse.billing import (
    BY_MODEL,
    BY_TEAM,
    LakehouseBillingExportSettings,
    athena_queries,
    bigquery_queries,
)
from tests.components.aiplatform.lakehouse import example, google
from tests.components.recording import ACCOUNT

ACCOUNT_OF_BILLING = "01AB23-45CD67-89EF01"
FINANCE: dict[str, Any] = {"name": "finance", "actions": ["read"], "billing": True}
ON_AWS: dict[str, Any] = {
    "grants": [{**FINANCE, "principal": example.ANALYSTS}, example.BY_TABLE],
    "billing_export": {"team_namespaces": {"team-rec": "rec"}},
}
ON_GOOGLE: dict[str, Any] = {
    "grants": [{**FINANCE, "principal": google.ANALYSTS}],
    "billing_export": {"billing_account": ACCOUNT_OF_BILLING},
}
TEAMS = LakehouseBillingExportSettings(
    team_namespaces={"team-rec": "rec"}, billing_account=ACCOUNT_OF_BILLING
)


def test_costs_are_exported_by_named_columns_to_a_bucket_that_only_the_service_writes_to() -> None:
    recording = example.lakehouse(**ON_AWS)
    export = recording.one("aws:bcmdata/export:Export", "lake-billing").inputs["export"]
    [query] = export["dataQueries"]
    assert query["queryStatement"] == f"SELECT {', '.join(COLUMNS)} FROM COST_AND_USAGE_REPORT"
    settings = query["tableConfigurations"]["COST_AND_USAGE_REPORT"]
    assert settings["TIME_GRANULARITY"] == "DAILY"
    view = f"arn:aws:billing::{ACCOUNT}:billingview/primary"
    assert settings["BILLING_VIEW_ARN"] == view, "the service adds it, which would be a change at each `up`"
    assert settings["INCLUDE_SPLIT_COST_ALLOCATION_DATA"] == "TRUE", "the parts of Pods"
    [destination] = export["destinationConfigurations"][0]["s3Destinations"]
    [output] = destination["s3OutputConfigurations"]
    assert output["overwrite"] == "OVERWRITE_REPORT"
    assert destination["s3Region"] == "eu-central-1", "that of the bucket, and not of exports"
    policy = json.loads(recording.one("aws:s3/bucketPolicy:BucketPolicy", "lake-billing").inputs["policy"])
    statements = {statement["Sid"]: statement for statement in policy["Statement"]}
    writes = statements["ExportsWrite"]
    assert writes["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    assert (
        f"arn:aws:bcm-data-exports:us-east-1:{ACCOUNT}:export/*"
        in (writes["Condition"]["ArnLike"]["aws:SourceArn"])
    )
    assert statements["PastGovernance"]["Effect"] == "Deny", "readers come through Lake Formation"
    key = json.loads(recording.one("aws:kms/key:Key", "lake-key").inputs["policy"])
    assert "ExportsEncrypt" in [statement["Sid"] for statement in key["Statement"]]


def test_the_table_finds_the_months_of_the_export() -> None:
    recording = example.lakehouse(**ON_AWS)
    table = recording.one("aws:glue/catalogTable:CatalogTable", "lake-billing-costs").inputs
    destination = recording.one("aws:bcmdata/export:Export", "lake-billing").inputs["export"]
    [s3] = destination["destinationConfigurations"][0]["s3Destinations"]
    folder = f"s3://{s3['s3Bucket']}/{s3['s3Prefix']}/{destination['name']}/data"
    template = table["parameters"]["storage.location.template"]
    assert template == f"{folder}/BILLING_PERIOD=${{billing_period}}/", "as Data Exports names folders"
    assert table["parameters"]["projection.billing_period.format"] == "yyyy-MM"
    columns = {column["name"]: column["type"] for column in table["storageDescriptor"]["columns"]}
    assert columns == dict(COLUMNS)
    location = recording.one("aws:lakeformation/resource:Resource", "lake-billing").inputs["arn"]
    assert location.endswith(f"/{s3['s3Prefix']}"), "the folder of the export"


def test_only_grants_with_billing_read_costs() -> None:
    recording = example.lakehouse(**ON_AWS)
    granted = {
        resource.inputs["principal"]
        for resource in recording.all("aws:lakeformation/permissions:Permissions")
        if "billing" in resource.name
    }
    assert granted == {example.ANALYSTS}
    policies = {
        resource.name: json.dumps(resource.inputs["policy"])
        for resource in recording.all("aws:iam/policy:Policy")
    }
    readers = [name for name, policy in policies.items() if "acme_dev_billing" in policy]
    assert readers, "it needs the catalog's entries"
    assert all("analysts" in name for name in readers)
    assert not [name for name in example.lakehouse().names() if "billing" in name]


def test_a_view_is_stored_as_athena_stores_it() -> None:
    text = view_text("SELECT 1 AS cost", "acme_dev_billing", {"cost": "double", "team": "string"})
    content = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    assert content["originalSql"] == "SELECT 1 AS cost"
    assert (content["catalog"], content["schema"]) == ("awsdatacatalog", "acme_dev_billing")
    assert {"name": "team", "type": "varchar"} in content["columns"], "Presto's types, not Hive's"


def test_views_of_google_exist_once_the_dataset_is_linked() -> None:
    view = "gcp:bigquery/table:Table lake-cost-by-team"
    assert view not in google.lakehouse(**ON_GOOGLE).names(), "BigQuery refuses views on a missing table"
    linked = {**ON_GOOGLE, "billing_export": {**ON_GOOGLE["billing_export"], "linked": True}}
    recording = google.lakehouse(**linked)
    assert view in recording.names()
    query = recording.one("gcp:bigquery/table:Table", "lake-cost-by-team").inputs["view"]
    assert query["useLegacySql"] is False
    assert "acme_dev_billing_export.gcp_billing_export_resource_v1_01AB23_45CD67_89EF01" in query["query"]
    assert f"project.id = '{google.PROJECT}'" in query["query"], "the export has all projects"


def test_principals_of_google_read_views_and_not_the_export() -> None:
    recording = google.lakehouse(**ON_GOOGLE)
    [member] = [
        resource.inputs
        for resource in recording.all("gcp:bigquery/datasetIamMember:DatasetIamMember")
        if "billing" in resource.name
    ]
    assert (member["datasetId"], member["member"]) == ("acme_dev_billing", google.ANALYSTS)
    export = recording.one("gcp:bigquery/dataset:Dataset", "lake-billing-export").inputs
    [_, views] = export["accesses"]
    assert views["dataset"]["dataset"]["datasetId"] == "acme_dev_billing"
    assert views["dataset"]["targetTypes"] == ["VIEWS"]


@pytest.mark.parametrize(
    ("module", "arguments", "expected"),
    [
        (example, {"grants": ON_AWS["grants"]}, "grants[0].billing: got true; expected `billing_export`"),
        (
            example,
            {**ON_AWS, "grants": [{**ON_AWS["grants"][0], "actions": ["write"]}]},
            "grants[0].billing: got true without `read`",
        ),
        (example, {"billing_export": {"days": 7}}, "billing_export.days: got 7; expected"),
        (example, {"billing_export": {"linked": True}}, "billing_export.linked"),
        (google, {"billing_export": {}}, "billing_export.billing_account: missing"),
        (google, {"billing_export": {"billing_account": "123"}}, "expected a billing account"),
        (
            google,
            {"billing_export": {**ON_GOOGLE["billing_export"], "granularity": "hourly"}},
            "billing_export.granularity",
        ),
        (
            example,
            {"billing_export": {"team_namespaces": {"it's": "a"}}},
            "billing_export.team_namespaces",
        ),
    ],
)
def test_what_does_not_fit_is_refused(module: Any, arguments: dict[str, Any], expected: str) -> None:
    assert any(expected in problem for problem in module.problems(**arguments)), expected


def line(day: int, product: str, cost: float, **more: Any) -> dict[str, Any]:
    """A row of the Cost and Usage Report, of November."""
    return {
        "billing_period": "2026-11",
        "line_item_usage_start_date": datetime(2026, 11, day),
        "line_item_line_item_type": "Usage",
        "line_item_product_code": product,
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": cost,
        **more,
    }


def part(parent: str, namespace: str, workload: str, used: float, unused: float) -> dict[str, Any]:
    """A Pod's part of a node, as split cost allocation data states it."""
    tags = {"aws_eks_namespace": namespace, "aws_eks_workload_name": workload}
    return line(
        1,
        "AmazonEC2",
        0.0,
        split_line_item_parent_resource_id=parent,
        split_line_item_split_cost=used,
        split_line_item_unused_cost=unused,
        resource_tags=tags,
    )


NODE: dict[str, Any] = {
    "line_item_resource_id": "i-1",
    "line_item_operation": "RunInstances",
    "line_item_usage_type": "USW2-BoxUsage:g6.xlarge",
}
ROWS = [
    # A node of 10 dollars: its Pods have 6 + 1, 2 + 0.5 and 0.5.
    line(1, "AmazonEC2", 10.0, **NODE),
    part("i-1", "team-rec", "chat-blue-predictor", 6.0, 1.0),
    part("i-1", "team-rec", "chat-green-predictor", 2.0, 0.5),
    part("i-1", "monitoring", "prometheus", 0.5, 0.0),
    # What it sends is no part of its Pods.
    line(
        1,
        "AmazonEC2",
        0.25,
        line_item_resource_id="i-1",
        line_item_operation="InterZone-Out",
        line_item_usage_type="USW2-DataTransfer-Regional-Bytes",
    ),
    # A node without Pods of the cluster.
    line(1, "AmazonEC2", 3.0, **{**NODE, "line_item_resource_id": "i-2"}),
    line(1, "AmazonS3", 1.5, resource_tags={"user_team": "ads"}),
    # Commitments: 4 dollars cover use that costs 9 on demand, whose negation counts nothing.
    line(
        1,
        "AmazonEC2",
        9.0,
        line_item_line_item_type="SavingsPlanCoveredUsage",
        savings_plan_savings_plan_effective_cost=4.0,
        resource_tags={"user_team": "ads"},
    ),
    line(1, "AmazonEC2", -9.0, line_item_line_item_type="SavingsPlanNegation"),
    line(1, "AmazonEC2", -50.0, line_item_line_item_type="Credit"),
    line(1, "AmazonS3", 0.3, line_item_line_item_type="Tax"),
]


def answered(table: str, query: str, dialect: str, columns: str, rows: list[dict[str, Any]]) -> list[Any]:
    """Return the rows of a query of another dialect, by DuckDB."""
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE {table} ({columns})")
    for row in rows:
        marks = ", ".join("?" for _ in row)
        connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    [translated] = sqlglot.transpile(query, read=dialect, write="duckdb")
    return connection.execute(translated).fetchall()


def on_athena(view: str) -> list[Any]:
    types = {"string": "VARCHAR", "map<string,string>": "MAP(VARCHAR, VARCHAR)"}
    declared = {**COLUMNS, "billing_period": "string"}
    columns = ", ".join(f"{name} {types.get(kind, kind)}" for name, kind in declared.items())
    return answered("costs", athena_queries(TEAMS, "costs")[view], "athena", columns, ROWS)


def test_costs_by_team_are_those_of_the_bill_with_nodes_split_by_pods() -> None:
    rows = {(team, service): cost for _, _, team, service, _, cost in on_athena(BY_TEAM)}
    assert rows == {
        ("rec", "AmazonEC2"): 9.5,
        ("platform", "AmazonEC2"): 0.5,
        ("ads", "AmazonEC2"): 4.0,
        ("ads", "AmazonS3"): 1.5,
        ("shared", "AmazonEC2"): 3.25,
    }
    assert sum(rows.values()) == 10.0 + 0.25 + 3.0 + 1.5 + 4.0, "the node counts once"


def test_costs_by_model_are_those_of_its_pods_whatever_their_color() -> None:
    [(period, _, team, namespace, model, currency, cost)] = on_athena(BY_MODEL)
    assert (period, team, namespace, model, currency, cost) == (
        *("2026-11", "rec", "team-rec", "chat", "USD"),
        9.5,
    )


def google_row(cost: float, labels: dict[str, str], **more: Any) -> dict[str, Any]:
    """A row of the detailed export of Cloud Billing, of November."""
    return {
        "usage_start_time": datetime(2026, 11, 1),
        "project": {"id": google.PROJECT},
        "service": {"description": "Compute Engine"},
        "currency": "USD",
        "cost_type": "regular",
        "cost": cost,
        "labels": [{"key": key, "value": value} for key, value in labels.items()],
        "credits": [],
        **more,
    }


POD = {"k8s-namespace": "team-rec", "k8s-workload-name": "chat-blue-predictor"}
GOOGLE_ROWS = [
    # 7 dollars less a discount of 2; a promotion of 5 pays for it, and changes no cost.
    google_row(
        7.0,
        POD,
        credits=[
            {"amount": -2.0, "type": "COMMITTED_USAGE_DISCOUNT"},
            {"amount": -5.0, "type": "PROMOTION"},
        ],
    ),
    google_row(1.0, {"k8s-namespace": "kube:unallocated"}),
    google_row(4.0, {"team": "ads"}),
    google_row(2.5, {}),
    google_row(100.0, {"team": "ads"}, project={"id": "another-project"}),
    google_row(0.7, {}, cost_type="tax"),
]


def on_bigquery(view: str) -> list[Any]:
    columns = (
        "usage_start_time TIMESTAMP, project STRUCT(id VARCHAR), service STRUCT(description VARCHAR), "
        "currency VARCHAR, cost_type VARCHAR, cost DOUBLE, labels STRUCT(key VARCHAR, value VARCHAR)[], "
        "credits STRUCT(amount DOUBLE, type VARCHAR)[]"
    )
    query = bigquery_queries(TEAMS, "costs", google.PROJECT)[view]
    # DuckDB has the fields of the elements as columns only where it is stated.
    labels = "SELECT label.value FROM UNNEST(labels) AS label WHERE label.key ="
    return answered(
        "costs",
        query.replace("SELECT value FROM UNNEST(labels) WHERE key =", labels),
        "bigquery",
        columns,
        GOOGLE_ROWS,
    )


def test_costs_by_team_of_google_are_those_of_the_project_after_discounts() -> None:
    rows = {team: cost for _, _, team, _, _, cost in on_bigquery(BY_TEAM)}
    assert rows == {"rec": 5.0, "platform": 1.0, "ads": 4.0, "shared": 2.5}


def test_costs_by_model_of_google_are_those_of_its_pods() -> None:
    [row] = on_bigquery(BY_MODEL)
    assert row[0] == "2026-11"
    assert row[2:] == ("rec", "team-rec", "chat", "USD", 5.0)
