"""Arguments of a lakehouse that are refused before anything is registered."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.aiplatform.lakehouse.example import (
    BY_TABLE,
    BY_TAGS,
    EVENTS,
    ORDERS,
    PIPELINE,
    problems,
)
from tests.components.recording import ACCOUNT

ID: dict[str, Any] = {"name": "id", "type": "long"}
ALL = ["public", "internal", "pii"]


def _table(**arguments: Any) -> dict[str, Any]:
    return {"tables": [{"zone": "raw", "name": "events", "columns": [ID], **arguments}]}


def _grant(**arguments: Any) -> dict[str, Any]:
    return {"grants": [{**BY_TABLE, **arguments}]}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (_table(columns=[{**ID, "type": "bigint"}]), "tables[0].columns[0].type: got 'bigint'; expected"),
        (_table(columns=[{**ID, "name": "Id"}]), "columns[0].name: got 'Id'; expected lower-case"),
        (
            _table(
                owner="shop",
                columns=[ID, {"name": "email", "type": "string", "classification": "pii"}],
                partitions=[{"column": "email", "transform": "truncate[1]"}],
            ),
            "partitions[0].column: got 'email', which is pii",
        ),
        (
            _table(
                owner="shop",
                columns=[ID, {"name": "at", "type": "struct<city: string>", "classification": "pii"}],
                partitions=[{"column": "at.city"}],
            ),
            "partitions[0].column: got 'at.city', which is pii",
        ),
        (
            {"tables": [{**EVENTS, "name": "ord", "zone": "curated"}, ORDERS]},
            "tables[1].name: got 'orders', which begins with the name of curated.ord",
        ),
        (_table(columns=[ID, ID]), "columns[1].name: got 'id' twice"),
        (_table(columns=[]), "columns: got [], of length 0; expected 1 to 1000 columns"),
        (_table(name="a.b"), "tables[0].name: got 'a.b'; expected lower-case letters, digits and _"),
        (_table(zone="bronze"), "tables[0].zone: got 'bronze'; expected"),
        (
            _table(columns=[{**ID, "classification": "pii"}]),
            "tables[0].owner: missing; expected the team that is responsible for its pii: id",
        ),
        (_table(columns=[{**ID, "classification": "secret"}]), "expected one of public, internal, pii"),
        (
            _table(partitions=[{"column": "ids"}]),
            "partitions[0].column: got 'ids'; expected a column of the table: id; did you mean 'id'?",
        ),
        (
            _table(partitions=[{"column": "id", "transform": "day"}]),
            "partitions[0].transform: got 'day', day takes date, timestamp, timestamptz, and the column",
        ),
        (_table(partitions=[{"column": "id", "transform": "hash"}]), "expected one of identity, year"),
        (
            _table(partitions=[{"column": "id"}, {"column": "id"}]),
            "partitions[1].transform: got identity of 'id' in addition to identity",
        ),
        (
            _table(partitions=[{"column": "id", "transform": "bucket[4]", "name": "id"}]),
            "partitions[0].name: got 'id', which is a column",
        ),
        (_table(sort_order=[{"column": "at"}]), "sort_order[0].column: got 'at'; expected a column"),
        (_table(sort_order=[{"column": "id", "direction": "down"}]), "expected one of asc, desc"),
        ({"tables": [EVENTS, EVENTS]}, "tables[1].name: got 'raw.events' twice"),
        (
            {
                "grants": [
                    {**BY_TABLE, "name": f"g{index}", "principal": f"{BY_TABLE['principal']}-{index}"}
                    for index in range(51)
                ]
            },
            "LakehouseArgs.grants: got 51 principals; expected at most 50",
        ),
        (_grant(tables=["curated.order"]), "grants[0].tables[0]: got 'curated.order'; expected one of"),
        (_grant(tables=[]), "grants[0].tables: missing; expected `tables` or `zones`"),
        (_grant(zones=["raw"]), "grants[0].zones: got zones together with tables"),
        (
            {"writers": [f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/Dev"]},
            "role/aws-reserved/sso.amazonaws.com/Dev', to which only AWS can attach policies",
        ),
        (_grant(principal="*"), "grants[0].principal: got '*', which is everybody"),
        (_grant(principal="IAM_ALLOWED_PRINCIPALS"), "which is everybody"),
        (_grant(principal=f"arn:aws:iam::{ACCOUNT}:root"), "which is everybody"),
        (_grant(principal=f"arn:aws:iam::{ACCOUNT}:user/me"), "expected an IAM role's arn"),
        (_grant(actions=["*"]), "expected one of read, write"),
        (_grant(actions=[]), "expected 1 to 2 actions"),
        (_grant(actions=["write"]), "with write on curated.orders; expected also pii"),
        (
            _grant(tables=["raw.events"], classifications=["public"]),
            "got 'raw.events', which has no column that is public",
        ),
        (_grant(rows="a = 1", actions=["read", "write"], classifications=ALL), "expected only read"),
        ({"grants": [{**BY_TAGS, "rows": "a = 1"}]}, "grants[0].rows: got 'a = 1' together with zones"),
        (
            _grant(rows="contry = 'order_id'"),
            "grants[0].rows: got \"contry = 'order_id'\"; expected a condition on",
        ),
        (_grant(rows="order_id = 1; DROP"), "expected one condition, without `;`, comments or an open quote"),
        (
            {
                "grants": [
                    {**BY_TAGS, "zones": ["raw", "curated", "serving"], "classifications": ALL},
                ]
            },
            "no principal gets everything",
        ),
        (
            {
                "grants": [
                    {**BY_TAGS, "zones": ["raw", "curated"], "classifications": ALL},
                    {**BY_TAGS, "name": "rest", "zones": ["serving"], "classifications": ALL},
                ]
            },
            "grants[1].zones: got every zone and classification",
        ),
        (
            {"grants": [{**BY_TABLE, "rows": "id = 1"}, {**BY_TABLE, "name": "all"}]},
            "grants[1].tables: got curated.orders for",
        ),
        ({"grants": [BY_TABLE, BY_TABLE]}, "grants[1].name: got 'support' twice"),
        ({"writers": []}, "LakehouseArgs.writers: got [], of length 0; expected 1 to 20 roles"),
        ({"writers": ["*"]}, "writers[0]: got '*', which is everybody"),
        (
            {"writers": [PIPELINE, "arn:aws:iam::999988887777:role/pipeline"]},
            f"expected a role of this account, {ACCOUNT}",
        ),
        ({"query_cutoff_bytes": 10_000_000}, "query_cutoff_bytes: got 10000000; expected 10485760 to"),
        (
            {"legal_hold": {"days": 365}, "zones": {"raw": {"file_days": 30}}},
            "zones.raw.file_days: got 30, shorter than the legal hold; expected at least 365 days",
        ),
        (
            {"legal_hold": {"days": 365}, "zones": {"raw": {"deleted_days": 30}}},
            "zones.raw.deleted_days: got 30, shorter than the legal hold",
        ),
        (
            {"legal_hold": {"days": 1, "mode": "compliance"}, "force_destroy": True},
            "under a legal hold with compliance no object can be deleted",
        ),
        (
            {"arrival_targets": {"a": "arrivals"}},
            "LakehouseArgs.arrival_targets.a: got 'arrivals'; expected the arn of an SQS queue",
        ),
        (
            {
                "arrival_targets": {"a": f"arn:aws:sqs:eu-central-1:{ACCOUNT}:a"},
                "arrival_events": False,
            },
            "arrival_targets: got some without arrival_events",
        ),
        ({"file_readers": ["ingest"]}, "file_readers[0]: got 'ingest'; expected an IAM role's arn"),
        ({"force_destroy": True, "protect": True}, "force_destroy: got true together with protect"),
        ({"force_destroy": True, "retain_data": True}, "force_destroy: got true together with retain_data"),
        ({"prefix": "Acme_dev"}, "LakehouseArgs.prefix: got 'Acme_dev'"),
        (
            {"prefix": "a" * 40},
            "LakehouseArgs.prefix: got 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; expected at most 27",
        ),
        ({"zones": {"bronze": {}}}, "LakehouseArgs.zones.bronze: unknown key"),
        (
            {"perimeter": {"access_policy": "123456789", "deployers": ["user:a@acme.example"]}},
            "AWS has no perimeter of a project; leave it out",
        ),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_registered(
    arguments: dict[str, Any], problem: str
) -> None:
    reported = problems(**arguments)
    assert any(problem in line for line in reported), reported


def test_all_problems_are_reported_together() -> None:
    broken = {**ORDERS, "owner": None, "partitions": [{"column": "at"}]}
    assert len(problems(tables=[broken], writers=[PIPELINE, PIPELINE], query_cutoff_bytes=1)) == 4
