"""The table keeper as the component makes it: what it is called with, when, and what it may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import grpc
import pytest

from aiplatform.lakehouse.table_keeper.planning import NOTE
from tests.components.aiplatform.lakehouse.example import BY_TABLE, EVENTS, ORDERS, lakehouse, problems
from tests.components.recording import ACCOUNT, Recording

CALL = "aws:lambda/invocation:Invocation"
TABLE = "aws:glue/catalogTable:CatalogTable"


@pytest.fixture(scope="module")
def default() -> Recording:
    return lakehouse(
        grants=[BY_TABLE], snapshots=[{"table": "raw.events", "name": "training-1", "keep_days": 30}]
    )


def _input(recording: Recording, name: str) -> dict[str, Any]:
    return json.loads(recording.one(CALL, name).inputs["input"])


def test_a_table_is_called_for_with_its_declaration(default: Recording) -> None:
    orders = _input(default, "lake-curated-orders")
    assert (orders["warehouse"], orders["database"], orders["table"]) == (
        ACCOUNT,
        "acme_dev_curated",
        "orders",
    )
    assert orders["columns"][0] == {"name": "id", "type": "long", "required": True}, "ids are the table's own"
    assert orders["columns"][4]["type"]["fields"][0] == {"name": "city", "type": "string", "required": True}
    assert orders["partitions"][0] == {"column": "ordered_at", "transform": "day", "name": "ordered_at_day"}
    assert orders["sort_order"][0]["null_order"] == "nulls-last"
    assert orders["properties"]["comment"] == "One row an order"
    assert orders["snapshots"] == []
    assert _input(default, "lake-raw-events")["snapshots"] == [
        {"name": "training-1", "kind": "tag", "keep_days": 30}
    ]


def test_a_declaration_that_stays_gives_the_same_call(default: Recording) -> None:
    again = lakehouse(tables=[ORDERS, EVENTS], grants=[BY_TABLE])
    assert again.one(CALL, "lake-curated-orders").inputs == default.one(CALL, "lake-curated-orders").inputs
    assert "triggers" not in again.one(CALL, "lake-curated-orders").inputs


def test_a_table_is_made_with_the_note_that_the_keeper_goes_by(default: Recording) -> None:
    iceberg = default.one(TABLE, "lake-curated-orders").inputs["openTableFormatInput"]["icebergInput"]
    note = json.loads(iceberg["icebergTableInput"]["properties"][NOTE])
    assert note["fields"]["1"] == "long!"
    assert note["partitions"][0] == [2, "day", "ordered_at_day"]


def test_tags_grants_and_filters_wait_until_the_columns_are_there(default: Recording) -> None:
    call = default.one(CALL, "lake-curated-orders")
    waiting = [
        default.one("aws:lakeformation/resourceLfTags:ResourceLfTags", "lake-curated-orders-public"),
        default.one("aws:lakeformation/permissions:Permissions", "lake-role-support-curated.orders"),
    ]
    for each in waiting:
        assert default.depends(each, on=call), each.name
        assert each.delete_before_replace, "taking the old one away later would take what is new, too"


def test_the_keeper_is_called_when_it_may_do_its_work(default: Recording) -> None:
    call = default.one(CALL, "lake-curated-orders")
    for first in (
        default.one("aws:iam/rolePolicy:RolePolicy", "lake-keeper"),
        default.one("aws:lakeformation/permissions:Permissions", "lake-keeper-curated-tables"),
        default.one("aws:lakeformation/permissions:Permissions", "lake-keeper-curated-location"),
        default.one(TABLE, "lake-curated-orders"),
    ):
        assert default.depends(call, on=first), first.name


def test_the_keeper_sees_what_tables_are_and_not_what_is_in_them(default: Recording) -> None:
    granted = default.one("aws:lakeformation/permissions:Permissions", "lake-keeper-curated-tables").inputs
    assert granted["permissions"] == ["ALTER", "DESCRIBE"]
    policy = json.loads(default.one("aws:iam/rolePolicy:RolePolicy", "lake-keeper").inputs["policy"])
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert not {each for each in actions if each.startswith(("s3:", "kms:"))}
    assert not {each for each in actions if "*" in each}
    buckets = json.loads(default.one("aws:s3/bucketPolicy:BucketPolicy", "lake-raw").inputs["policy"])
    [past] = [each for each in buckets["Statement"] if each["Sid"] == "PastGovernance"]
    assert not [arn for arn in past["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] if "keep" in arn]


def test_the_function_is_our_code_and_the_logs_are_encrypted(default: Recording) -> None:
    function = default.one("aws:lambda/function:Function", "lake-keeper").inputs
    assert function["name"] == "acme-dev-table-keeper"
    assert function["handler"] == "table_keeper.handler.handle"
    group = default.one("aws:cloudwatch/logGroup:LogGroup", "lake-keeper").inputs
    assert group["name"] == "/aws/lambda/acme-dev-table-keeper"
    key = json.loads(default.one("aws:kms/key:Key").inputs["policy"])
    contexts = [
        each["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
        for each in key["Statement"]
        if each.get("Sid") == "LogsEncrypt"
    ]
    assert [each.endswith(f"log-group:{group['name']}") for each in contexts] == [True]


def test_what_the_keeper_would_refuse_is_told_before_anything_is_made() -> None:
    asked: list[dict[str, Any]] = []

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(json.loads(arguments["input"]))
        return {"result": json.dumps({"problems": {"raw.events": ["column at: declared no more"]}})}

    told = problems(answers={"aws:lambda/getInvocation:getInvocation": answer})
    assert told == ["LakehouseArgs.tables[1]: raw.events: column at: declared no more"]
    assert asked[0]["warehouse"] == ACCOUNT
    assert [each["database"] for each in asked[0]["judge"]] == ["acme_dev_curated", "acme_dev_raw"]


def test_where_the_keeper_is_not_there_yet_nothing_is_judged() -> None:
    class MissingError(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNKNOWN

        def details(self) -> str:
            return "ResourceNotFoundException: Function not found"

    def missing(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise MissingError

    made = lakehouse(answers={"aws:lambda/getInvocation:getInvocation": missing})
    assert len(made.all(CALL)) == 2
