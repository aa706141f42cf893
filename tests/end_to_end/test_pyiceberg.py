"""PyIceberg on a lakehouse of the twin's AWS, from its outputs alone.

The writer by Glue's catalog, teams by the Iceberg REST endpoint as Lake Formation lets them, and nobody by
the buckets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from tests.end_to_end import clients
from tests.end_to_end.plain import Plain
from tests.end_to_end.tables import ORDERS
from tests.twin.aws.athena.asking import Asking
from twin import environment as variables

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
    everything = ["public", "internal", "pii"]
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
    # What IAM would let any reader ask, for one whom no grant names.
    policy = lake.client_policies.apply(lambda policies: (policies or {})["analysts"])
    aws.iam.RolePolicy("strangers", role=roles["strangers"].name, policy=policy)
    pulumi.export("lake", lake.outputs)


class World:
    """The lakehouse, and whoever works with it."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.stack = plain.stack("iceberg", _program)
        self.lake: dict[str, Any] = self.stack.up().outputs["lake"].value
        [told] = self.lake["tables"]
        self.table = f"{told['database']}.{told['name']}"
        self.first = 0
        self._sessions: dict[str, dict[str, str]] = {}

    def ask(self, *deeds: tuple[str, str]) -> list[dict[str, Any]]:
        """Let roles do something by PyIceberg, one after the other, each in the session that it has had all
        along."""
        asks = [{"identity": self.identity(who), "do": do} for who, do in deeds]
        payload = {"lake": self.lake, "table": self.table, "first": self.first, "asks": asks}
        return clients.run("pyiceberg", "lake", payload, self.place())["answers"]

    def place(self) -> dict[str, str]:
        """Where the cloud is."""
        given = variables.environment(self.plain.world)
        return {name: given[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")}

    def identity(self, who: str) -> dict[str, str]:
        """The variables of a role's session."""
        if who not in self._sessions:
            arn = f"arn:aws:iam::{self.plain.world.account}:role/iceberg-{who}"
            key = self.plain.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
            self._sessions[who] = {
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
                "AWS_SESSION_TOKEN": key["SessionToken"],
            }
        return self._sessions[who]

    def athena(self, who: str) -> Asking:
        """Athena, asked by a role in the lakehouse's workgroup."""
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
        """What Glue tells the deployer of the table."""
        database, name = self.table.split(".")
        return self.plain.aws("glue").get_table(DatabaseName=database, Name=name)["Table"]


@pytest.fixture(scope="module")
def world(plain: Plain) -> Iterator[World]:
    """A lakehouse with a table that the pipeline has written."""
    before = set(plain.inventory())
    made = World(plain)
    [written] = made.ask(("pipeline", "write"))
    made.first = written.pop("first")
    assert written == IN_TABLE, "the writer reads back what it wrote, by filter and by snapshot"
    yield made
    made.stack.destroy()
    assert set(plain.inventory()) == before, "it goes with all that PyIceberg wrote"


def test_what_pyiceberg_wrote_is_no_change_to_pulumi(world: World) -> None:
    assert [each["Name"] for each in world.entry()["StorageDescriptor"]["Columns"]] == IN_TABLE["columns"]
    world.stack.preview(expect_no_changes=True, refresh=True)


@pytest.fixture(scope="module")
def read(world: World) -> dict[str, dict[str, Any]]:
    """What each gets by the REST endpoint."""
    readers = ("analysts", "strangers", "administrators", "masked", "germans")
    return dict(zip(readers, world.ask(*[(who, "read_by_rest") for who in readers]), strict=True))


def test_a_team_reads_by_the_rest_endpoint_with_its_grant(world: World, read: dict[str, Any]) -> None:
    assert read["analysts"] == {"tables": [world.table], **IN_TABLE}


def test_without_a_grant_it_is_refused_whatever_iam_lets_it_do(read: dict[str, Any]) -> None:
    for who in ("strangers", "administrators"):
        assert "Insufficient Lake Formation permission(s)" in read[who]["refused"], who


def test_whoever_has_a_filter_is_refused_there(read: dict[str, Any]) -> None:
    for who in ("masked", "germans"):
        assert "filter" in read[who]["refused"], f"{who}: files are given whole, or not at all"


def test_they_read_through_athena_what_their_filters_show(world: World) -> None:
    orders = "SELECT * FROM orders ORDER BY order_id"
    whole = world.athena("analysts").done(orders)
    assert whole.rows[0] == IN_TABLE["columns"]
    assert [row[0] for row in whole.rows[1:]] == ["1", "2", "3", "4"]
    assert [row[0] for row in world.athena("germans").rows(orders)] == ["4"]
    masked = world.athena("masked").done(orders)
    assert "email" not in masked.rows[0], "what is personal is no column for them"
    assert len(masked.rows) == 5
    assert "Column 'email' cannot be resolved" in world.athena("masked").refused("SELECT email FROM orders")
    with pytest.raises(ClientError, match=r"kms:GenerateDataKey .* explicit deny in a resource-based policy"):
        # With all that IAM lets analysts do, and in their workgroup.
        world.athena("strangers")(orders)
    assert "Insufficient" in world.athena("analysts").refused("INSERT INTO orders (order_id) VALUES (5)")


@pytest.mark.parametrize("who", ["analysts", "pipeline", "administrators"])
def test_nobody_takes_a_file_of_a_table_from_its_bucket(world: World, who: str) -> None:
    payload = {"file": world.entry()["Parameters"]["metadata_location"]}
    told = clients.run("pyiceberg", "bucket", payload, {**world.place(), **world.identity(who)})
    assert told["refused"] == "AccessDenied"
    assert "with an explicit deny in a resource-based policy" in told["why"]


def test_all_of_it_is_so_after_a_stop_and_a_start(world: World) -> None:
    world.plain.cli("twin", "stop", "--name", world.plain.environment)
    world.plain.cli("twin", "start", "--name", world.plain.environment)
    world.stack.preview(expect_no_changes=True, refresh=True)
    by_writer, by_team, refused, appended, after = world.ask(
        ("pipeline", "read_as_writer"),
        ("analysts", "read_by_rest"),
        ("masked", "read_by_rest"),
        ("analysts", "append_by_rest"),
        ("appenders", "append_by_rest"),
    )
    assert by_writer == IN_TABLE
    assert by_team == {"tables": [world.table], **IN_TABLE}
    assert "filter" in refused["refused"]
    assert "ACCESS_DENIED" in appended["refused"], "the credentials of a reader write no file"
    assert after == {"all": [1, 2, 3, 4, 9]}, "those of a team that may write do, and Glue takes its commit"
