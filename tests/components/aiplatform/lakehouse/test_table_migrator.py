"""The table migrator (table keeper): its calls, their order, and its permissions."""

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


def test_the_migrator_is_called_with_a_tables_declaration(default: Recording) -> None:
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


def test_an_unchanged_declaration_is_the_same_call(default: Recording) -> None:
    again = lakehouse(tables=[ORDERS, EVENTS], grants=[BY_TABLE])
    assert again.one(CALL, "lake-curated-orders").inputs == default.one(CALL, "lake-curated-orders").inputs
    assert "triggers" not in again.one(CALL, "lake-curated-orders").inputs


def test_a_table_is_created_with_the_migrators_note(default: Recording) -> None:
    iceberg = default.one(TABLE, "lake-curated-orders").inputs["openTableFormatInput"]["icebergInput"]
    note = json.loads(iceberg["icebergTableInput"]["properties"][NOTE])
    assert note["fields"]["1"] == "long!"
    assert note["partitions"][0] == [2, "day", "ordered_at_day"]


def test_tags_grants_and_filters_depend_on_the_migration(default: Recording) -> None:
    call = default.one(CALL, "lake-curated-orders")
    waiting = [
        default.one("aws:lakeformation/resourceLfTags:ResourceLfTags", "lake-curated-orders-public"),
        default.one("aws:lakeformation/permissions:Permissions", "lake-role-support-curated.orders"),
    ]
    for resource in waiting:
        assert default.depends(resource, on=call), resource.name
        assert resource.delete_before_replace, "deleting the old one later would delete what is new, too"


def test_the_migrator_is_called_after_its_permissions_exist(default: Recording) -> None:
    call = default.one(CALL, "lake-curated-orders")
    for first in (
        default.one("aws:iam/rolePolicy:RolePolicy", "lake-keeper"),
        default.one("aws:lakeformation/permissions:Permissions", "lake-keeper-curated-tables"),
        default.one("aws:lakeformation/permissions:Permissions", "lake-keeper-curated-location"),
        default.one(TABLE, "lake-curated-orders"),
    ):
        assert default.depends(call, on=first), first.name


def test_the_migrator_accesses_schemas_and_no_rows(default: Recording) -> None:
    granted = default.one("aws:lakeformation/permissions:Permissions", "lake-keeper-curated-tables").inputs
    assert granted["permissions"] == ["ALTER", "DESCRIBE"]
    policy = json.loads(default.one("aws:iam/rolePolicy:RolePolicy", "lake-keeper").inputs["policy"])
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert not {action for action in actions if action.startswith(("s3:", "kms:"))}
    assert not {action for action in actions if "*" in action}
    buckets = json.loads(default.one("aws:s3/bucketPolicy:BucketPolicy", "lake-raw").inputs["policy"])
    [past] = [statement for statement in buckets["Statement"] if statement["Sid"] == "PastGovernance"]
    assert not [arn for arn in past["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] if "keep" in arn]


def test_the_function_has_the_packaged_code_and_encrypted_logs(default: Recording) -> None:
    function = default.one("aws:lambda/function:Function", "lake-keeper").inputs
    assert function["name"] == "acme-dev-table-keeper"
    assert function["handler"] == "table_keeper.handler.handle"
    group = default.one("aws:cloudwatch/logGroup:LogGroup", "lake-keeper").inputs
    assert group["name"] == "/aws/lambda/acme-dev-table-keeper"
    key = json.loads(default.one("aws:kms/key:Key").inputs["policy"])
    contexts = [
        statement["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]
        for statement in key["Statement"]
        if statement.get("Sid") == "LogsEncrypt"
    ]
    assert [entry.endswith(f"log-group:{group['name']}") for entry in contexts] == [True]


def test_migrations_that_would_fail_are_reported_before_anything_is_created() -> None:
    requests: list[dict[str, Any]] = []

    def answer(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        requests.append(json.loads(arguments["input"]))
        return {"result": json.dumps({"problems": {"raw.events": ["column at: declared no more"]}})}

    reported = problems(answers={"aws:lambda/getInvocation:getInvocation": answer})
    assert reported == ["LakehouseArgs.tables[1]: raw.events: column at: declared no more"]
    assert requests[0]["warehouse"] == ACCOUNT
    assert [entry["database"] for entry in requests[0]["judge"]] == ["acme_dev_curated", "acme_dev_raw"]


def test_without_the_migrator_no_migration_is_checked() -> None:
    class MissingError(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNKNOWN

        def details(self) -> str:
            return "ResourceNotFoundException: Function not found"

    def missing(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise MissingError

    recording = lakehouse(answers={"aws:lambda/getInvocation:getInvocation": missing})
    assert len(recording.all(CALL)) == 2
