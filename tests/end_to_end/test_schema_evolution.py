"""Changes to the declaration of a table that clients write to: schema updates of Iceberg, or an error, and
never a replaced table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation

from tests.end_to_end import clients
from tests.end_to_end.plain import Plain
from twin import environment

pytestmark = pytest.mark.end_to_end

EXAMPLE = Path(__file__).parents[2] / "examples" / "lakehouse" / "training_snapshot.py"
FIRST: list[dict[str, Any]] = [
    {"name": "order_id", "type": "int", "required": True},
    {"name": "placed_at", "type": "timestamptz"},
    {"name": "email", "type": "string", "classification": "pii"},
]
SECOND: list[dict[str, Any]] = [
    {"name": "order_id", "type": "long"},
    {"name": "placed_at", "type": "timestamptz", "doc": "When the customer paid"},
    {"name": "contact", "type": "string", "classification": "pii", "was": "email"},
    {"name": "country", "type": "string", "classification": "public"},
]


class Scenario:
    """The lakehouse, whose table has the declaration `table`, and its pipeline."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.table: dict[str, Any] = {"columns": FIRST, "partitions": []}
        self.snapshots: list[Any] = []
        self.stack = plain.stack("evolution", self._program)
        self.lake: dict[str, Any] = self.stack.up().outputs["lake"].value

    def _program(self) -> None:
        from aiplatform.lakehouse import Lakehouse

        account = aws.get_caller_identity().account_id
        root = {"AWS": f"arn:aws:iam::{account}:root"}
        trust = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
        pipeline = aws.iam.Role(
            "pipeline",
            name="evolution-pipeline",
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        args: Any = {
            "prefix": "acme-evo",
            "force_destroy": True,
            "writers": [f"arn:aws:iam::{account}:role/evolution-pipeline"],
            "tables": [{"zone": "curated", "name": "orders", "owner": "shop", **self.table}],
            "snapshots": self.snapshots,
        }
        lake = Lakehouse("evolution", args, pulumi.ResourceOptions(depends_on=[pipeline]))
        rights = lake.writer_role_arn.apply(
            lambda arn: json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn}],
                }
            )
        )
        aws.iam.RolePolicy("pipeline", role=pipeline.name, policy=rights)
        pulumi.export("lake", lake.outputs)

    def client(self, do: str, **more: Any) -> dict[str, Any]:
        """Run an action of PyIceberg as the pipeline."""
        arn = f"arn:aws:iam::{self.plain.instance.account}:role/evolution-pipeline"
        key = self.plain.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        env_vars = environment.environment(self.plain.instance)
        identity = {
            **{name: env_vars[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")},
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": key["SessionToken"],
        }
        [table] = self.lake["tables"]
        payload = {
            "do": do,
            "lake": self.lake,
            "table": f"{table['database']}.{table['name']}",
            "example": str(EXAMPLE),
            **more,
        }
        return clients.run("pyiceberg", "evolution", payload, identity)

    def tags(self, columns: list[str]) -> dict[str, str]:
        """Return column -> its classification, as Lake Formation has it."""
        table = {"DatabaseName": "acme_evo_curated", "Name": "orders", "ColumnNames": columns}
        answer = self.plain.aws("lakeformation").get_resource_lf_tags(
            Resource={"TableWithColumns": table}, ShowAssignedLFTags=False
        )
        return {
            column["Name"]: tag["TagValues"][0]
            for column in answer["LFTagsOnColumns"]
            for tag in column["LFTags"]
            if tag["TagKey"].endswith("-classification")
        }


@pytest.fixture(scope="module")
def scenario(plain: Plain) -> Iterator[Scenario]:
    before = set(plain.inventory())
    scenario = Scenario(plain)
    yield scenario
    scenario.stack.destroy()
    assert set(plain.inventory()) == before, "destroy deletes the data of clients, too"


def test_a_changed_declaration_updates_the_schema_in_place(scenario: Scenario) -> None:
    first = scenario.client("append", numbers=[1, 2])
    trained = scenario.client("train", run="training-1")
    scenario.client("add_note")
    scenario.stack.preview(expect_no_changes=True, refresh=True)

    partitions = [{"column": "placed_at", "transform": "month"}]
    scenario.table = {"columns": SECOND, "partitions": partitions, "sort_order": [{"column": "order_id"}]}
    scenario.snapshots = [{"table": "curated.orders", "name": "release-1", "keep_days": 365}]
    scenario.stack.up()
    now = scenario.client("append", numbers=[2**40])
    assert now["uuid"] == first["uuid"], "it is the same table"
    assert now["columns"] == {
        "order_id": [1, "long"],
        "placed_at": [2, "timestamptz"],
        "contact": [3, "string"],
        "note": [4, "string"],
        "country": [5, "string"],
    }, "widened and renamed columns keep their ids, the client's column remains, a new one is last"
    assert now["partitions"] == ["placed_at_month"]
    assert now["order"] == ["1 ASC NULLS FIRST"]
    assert now["rows"] == [1, 2, 2**40], "existing files remain readable"
    assert now["refs"] == {"main": "branch", "training-1": "tag", "release-1": "tag"}
    assert scenario.tags(list(now["columns"])) == {
        "order_id": "internal",
        "placed_at": "internal",
        "contact": "pii",
        "country": "public",
        "note": "pii",
    }, "an undeclared column has the table's highest classification"

    again = scenario.client("train", run="training-1")
    assert again["snapshot"] == trained["snapshot"]
    assert again["columns"] == trained["columns"], (
        "the run reads the same rows, in the schema of its snapshot"
    )
    scenario.stack.preview(expect_no_changes=True, refresh=True)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"columns": SECOND[:2]}, "column contact: declared no more, and dropping it would lose its data"),
        (
            {"columns": [{**SECOND[0], "type": "int"}, *SECOND[1:]]},
            "column order_id: long in the table and declared int",
        ),
        (
            {"columns": [*SECOND, {"name": "paid", "type": "boolean", "required": True}]},
            "column paid: new and required",
        ),
        (
            {"columns": [*SECOND[:3], {**SECOND[3], "name": "land"}]},
            "if it is land now, say `was: country` there",
        ),
    ],
)
def test_a_change_that_would_lose_data_fails_and_changes_nothing(
    scenario: Scenario, table: dict[str, Any], why: str
) -> None:
    before, original = scenario.client("seen"), scenario.table
    scenario.table = {**original, **table}
    with pytest.raises(automation.CommandError) as error:
        scenario.stack.preview()
    assert why in str(error.value), "the preview fails before any change"
    assert "LakehouseArgs.tables[0]: curated.orders" in str(error.value)
    scenario.table = original
    scenario.stack.up()
    assert scenario.client("seen") == before
    scenario.stack.preview(expect_no_changes=True, refresh=True)
