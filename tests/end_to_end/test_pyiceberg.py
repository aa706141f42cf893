"""PyIceberg on a lakehouse of the twin's AWS, only with its outputs.

The writer uses Glue's catalog, teams use the Iceberg REST endpoint with the permissions of Lake Formation,
and no principal reads the buckets directly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import boto3
import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from tests.end_to_end import clients
from tests.end_to_end.plain import Plain
from tests.end_to_end.tables import ORDERS
from twin import environment
from twin.tests.aws.services.athena.asking import Asking

pytestmark = pytest.mark.end_to_end

TEAMS = ("analysts", "masked", "germans", "strangers", "appenders")
IN_TABLE = {
    "columns": ["order_id", "placed_at", "email", "country"],
    "all": [1, 2, 3, 4],
    "second_day": [3],
    "of_country": [4],
    "at_first": [1, 2, 3],
    "days": ["2026-11-01", "2026-11-02", "2026-11-03"],
    "files_of_second_day": 1,
}


def _program() -> None:
    from aiplatform.lakehouse import Lakehouse

    account = aws.get_caller_identity().account_id
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    roles = {
        name: aws.iam.Role(name, name=f"iceberg-{name}", assume_role_policy=trust)
        for name in ("pipeline", "administrators", *TEAMS)
    }
    arns = {name: f"arn:aws:iam::{account}:role/iceberg-{name}" for name in roles}
    everything: list[Literal["public", "internal", "pii"]] = ["public", "internal", "pii"]
    lake = Lakehouse(
        "iceberg",
        {
            "prefix": "acme-ice",
            "force_destroy": True,
            "writers": [arns["pipeline"]],
            "tables": [ORDERS],
            "grants": [
                {
                    "name": "analysts",
                    "principal": arns["analysts"],
                    "actions": ["read"],
                    "zones": ["curated"],
                    "classifications": everything,
                },
                {"name": "masked", "principal": arns["masked"], "actions": ["read"], "zones": ["curated"]},
                {
                    "name": "germans",
                    "principal": arns["germans"],
                    "actions": ["read"],
                    "tables": ["curated.orders"],
                    "classifications": everything,
                    "rows": "order_id > 3",
                },
                {
                    "name": "appenders",
                    "principal": arns["appenders"],
                    "actions": ["read", "write"],
                    "tables": ["curated.orders"],
                    "classifications": everything,
                },
            ],
        },
        pulumi.ResourceOptions(depends_on=list(roles.values())),
    )
    aws.iam.RolePolicyAttachment(
        "administrators",
        role=roles["administrators"].name,
        policy_arn="arn:aws:iam::aws:policy/AdministratorAccess",
    )
    # A principal with the IAM policy of a reader, and without a grant.
    policy = lake.client_policies.apply(lambda policies: (policies or {})["analysts"])
    aws.iam.RolePolicy("strangers", role=roles["strangers"].name, policy=policy)
    pulumi.export("lake", lake.outputs)


class Scenario:
    """The lakehouse, and clients of its principals."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.stack = plain.stack("iceberg", _program)
        self.lake: dict[str, Any] = self.stack.up().outputs["lake"].value
        [table] = self.lake["tables"]
        self.table = f"{table['database']}.{table['name']}"
        self.first = 0
        self._sessions: dict[str, dict[str, str]] = {}

    def ask(self, *deeds: tuple[str, str]) -> list[dict[str, Any]]:
        """Run actions of PyIceberg, (role, action) each, one after the other; return the answers.

        A role keeps its session over all calls.
        """
        asks = [{"identity": self.identity(who), "do": do} for who, do in deeds]
        payload = {"lake": self.lake, "table": self.table, "first": self.first, "asks": asks}
        return clients.run("pyiceberg", "lake", payload, self.place())["answers"]

    def place(self) -> dict[str, str]:
        """Return the variables with the twin's endpoint and region."""
        env_vars = environment.environment(self.plain.instance)
        return {name: env_vars[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")}

    def identity(self, who: str) -> dict[str, str]:
        """Return the variables of a role's session."""
        if who not in self._sessions:
            arn = f"arn:aws:iam::{self.plain.instance.account}:role/iceberg-{who}"
            key = self.plain.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
            self._sessions[who] = {
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
                "AWS_SESSION_TOKEN": key["SessionToken"],
            }
        return self._sessions[who]

    def athena(self, who: str) -> Asking:
        """Return Athena as a role, in the workgroup of its grant."""
        key = self.identity(who)
        client: Any = boto3.client(
            "athena",
            endpoint_url=self.place()["AWS_ENDPOINT_URL"],
            region_name=self.place()["AWS_REGION"],
            aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=key["AWS_SESSION_TOKEN"],
        )
        workgroups = self.lake["workgroups"]
        return Asking(client, workgroups.get(who, workgroups["analysts"]), self.table.split(".")[0])

    def entry(self) -> dict[str, Any]:
        """Return the table's entry in Glue, as the deployer reads it."""
        database, name = self.table.split(".")
        return self.plain.aws("glue").get_table(DatabaseName=database, Name=name)["Table"]


@pytest.fixture(scope="module")
def scenario(plain: Plain) -> Iterator[Scenario]:
    """A lakehouse with a table that the pipeline has written."""
    before = set(plain.inventory())
    scenario = Scenario(plain)
    [written] = scenario.ask(("pipeline", "write"))
    scenario.first = written.pop("first")
    assert written == IN_TABLE, "the writer reads back what it wrote, by filter and by snapshot"
    yield scenario
    scenario.stack.destroy()
    assert set(plain.inventory()) == before, "destroy deletes what PyIceberg wrote, too"


def test_data_and_schema_changes_of_clients_are_no_drift(scenario: Scenario) -> None:
    assert [column["Name"] for column in scenario.entry()["StorageDescriptor"]["Columns"]] == IN_TABLE[
        "columns"
    ]
    scenario.stack.preview(expect_no_changes=True, refresh=True)


@pytest.fixture(scope="module")
def read(scenario: Scenario) -> dict[str, dict[str, Any]]:
    """The answers of the REST endpoint by principal."""
    readers = ("analysts", "strangers", "administrators", "masked", "germans")
    return dict(zip(readers, scenario.ask(*[(who, "read_by_rest") for who in readers]), strict=True))


def test_a_team_with_a_grant_reads_by_the_rest_endpoint(scenario: Scenario, read: dict[str, Any]) -> None:
    assert read["analysts"] == {"tables": [scenario.table], **IN_TABLE}


def test_a_principal_without_a_grant_is_refused_despite_its_iam_permissions(read: dict[str, Any]) -> None:
    for who in ("strangers", "administrators"):
        assert "Insufficient Lake Formation permission(s)" in read[who]["refused"], who


def test_a_principal_with_a_filter_is_refused_by_the_rest_endpoint(read: dict[str, Any]) -> None:
    for who in ("masked", "germans"):
        assert "filter" in read[who]["refused"], f"{who}: a file cannot be filtered"


def test_athena_returns_what_the_filters_allow(scenario: Scenario) -> None:
    orders = "SELECT * FROM orders ORDER BY order_id"
    whole = scenario.athena("analysts").done(orders)
    assert whole.rows[0] == IN_TABLE["columns"]
    assert [row[0] for row in whole.rows[1:]] == ["1", "2", "3", "4"]
    assert [row[0] for row in scenario.athena("germans").rows(orders)] == ["4"]
    masked = scenario.athena("masked").done(orders)
    assert "email" not in masked.rows[0], "pii columns are hidden from them"
    assert len(masked.rows) == 5
    assert "Column 'email' cannot be resolved" in scenario.athena("masked").refused(
        "SELECT email FROM orders"
    )
    with pytest.raises(ClientError, match=r"kms:GenerateDataKey .* explicit deny in a resource-based policy"):
        # With the IAM policy of analysts, in their workgroup.
        scenario.athena("strangers")(orders)
    assert "Insufficient" in scenario.athena("analysts").refused("INSERT INTO orders (order_id) VALUES (5)")


@pytest.mark.parametrize("who", ["analysts", "pipeline", "administrators"])
def test_no_principal_reads_a_file_of_a_table_from_its_bucket(scenario: Scenario, who: str) -> None:
    payload = {"file": scenario.entry()["Parameters"]["metadata_location"]}
    answer = clients.run("pyiceberg", "bucket", payload, {**scenario.place(), **scenario.identity(who)})
    assert answer["refused"] == "AccessDenied"
    assert "with an explicit deny in a resource-based policy" in answer["why"]


def test_access_is_unchanged_after_a_restart_of_the_twin(scenario: Scenario) -> None:
    scenario.plain.cli("twin", "stop", "--name", scenario.plain.environment)
    scenario.plain.cli("twin", "start", "--name", scenario.plain.environment)
    scenario.stack.preview(expect_no_changes=True, refresh=True)
    by_writer, by_team, refused, appended, after = scenario.ask(
        ("pipeline", "read_as_writer"),
        ("analysts", "read_by_rest"),
        ("masked", "read_by_rest"),
        ("analysts", "append_by_rest"),
        ("appenders", "append_by_rest"),
    )
    assert by_writer == IN_TABLE
    assert by_team == {"tables": [scenario.table], **IN_TABLE}
    assert "filter" in refused["refused"]
    assert "ACCESS_DENIED" in appended["refused"], "the credentials of a reader cannot write files"
    assert after == {"all": [1, 2, 3, 4, 9]}, "those of a writer can, and Glue accepts its commit"
