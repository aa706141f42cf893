"""A lakehouse that the tests of this folder share."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.lakehouse import Lakehouse
from tests.components.recording import ACCOUNT, Answers, Recording, record

PIPELINE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"
ANALYSTS = f"arn:aws:iam::{ACCOUNT}:role/analysts"
SUPPORT = f"arn:aws:iam::{ACCOUNT}:role/support"
ORDERS: dict[str, Any] = {
    "zone": "curated",
    "name": "orders",
    "owner": "shop",
    "description": "One row an order",
    "columns": [
        {"name": "id", "type": "long", "required": True, "classification": "public"},
        {"name": "ordered_at", "type": "timestamptz", "required": True},
        {"name": "amount", "type": "decimal(10, 2)", "doc": "In euros"},
        {"name": "email", "type": "string", "classification": "pii"},
        {"name": "address", "type": "struct<city: required string, zip: string>", "classification": "pii"},
        {"name": "labels", "type": "map<string, list<long>>"},
    ],
    "partitions": [
        {"column": "ordered_at", "transform": "day"},
        {"column": "id", "transform": "bucket[16]"},
        {"column": "id", "transform": "truncate[10]"},
    ],
    "sort_order": [{"column": "id", "direction": "desc"}],
}
EVENTS: dict[str, Any] = {
    "zone": "raw",
    "name": "events",
    "columns": [{"name": "body", "type": "binary"}, {"name": "at", "type": "timestamp"}],
    "snapshot_days": 3,
}
BY_TAGS: dict[str, Any] = {
    "name": "analysts",
    "principal": ANALYSTS,
    "actions": ["read"],
    "zones": ["curated", "serving"],
}
BY_TABLE: dict[str, Any] = {
    "name": "support",
    "principal": SUPPORT,
    "actions": ["read"],
    "tables": ["curated.orders"],
}


def lakehouse(answers: Answers | None = None, **arguments: Any) -> Recording:
    """One with two tables and no grants, where nothing else is said."""
    args: Any = {
        "prefix": "acme-dev",
        "writers": [PIPELINE],
        "tables": [ORDERS, EVENTS],
        **arguments,
    }
    return record(lambda: Lakehouse("lake", args), answers=answers)


def problems(**arguments: Any) -> list[str]:
    """Return the reported problems of wrong arguments."""
    with pytest.raises(ArgumentError) as error:
        lakehouse(**arguments)
    return [str(problem) for problem in error.value.problems]
