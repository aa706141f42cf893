"""A lakehouse on Google Cloud that the tests of this folder share."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from aiplatform.lakehouse import Lakehouse
from tests.components.recording import Computed, Recording, record

PROJECT = "acme-dev-0123"
REGION = "europe-west4"
PIPELINE = f"serviceAccount:pipeline@{PROJECT}.iam.gserviceaccount.com"
ANALYSTS = "group:analysts@acme.example"
SUPPORT = f"serviceAccount:support@{PROJECT}.iam.gserviceaccount.com"
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
        {"name": "country", "type": "string", "classification": "public"},
    ],
    "partitions": [{"column": "ordered_at", "transform": "day"}],
    "sort_order": [{"column": "id", "direction": "desc"}],
}
EVENTS: dict[str, Any] = {
    "zone": "raw",
    "name": "events",
    "columns": [
        {"name": "body", "type": "string", "classification": "pii"},
        {"name": "at", "type": "timestamp", "classification": "public"},
        {"name": "price", "type": "decimal(12,4)", "classification": "public"},
    ],
    "owner": "shop",
}
BY_ZONES: dict[str, Any] = {
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
    "classifications": ["public", "internal", "pii"],
    "rows": "country = 'DE'",
}
QUALITY: dict[str, Any] = {
    "rules": [
        {"rule": "complete", "column": "id"},
        {"rule": "between", "column": "amount", "low": 0, "at_least": 0.99},
        {"rule": "matches", "column": "email", "pattern": ".+@.+"},
        {"rule": "rows", "low": 1},
        {"rule": "fresh", "column": "ordered_at", "hours": 24},
    ],
    "schedule": "0 6 * * *",
}
NETWORK: dict[str, Any] = {
    "cloud": "gcp",
    "project": PROJECT,
    "region": REGION,
    "vpc_id": "projects/p/global/networks/n",
    "cidr": "10.0.0.0/16",
    "private_subnet_ids": ["projects/p/regions/europe-west4/subnetworks/nodes"],
}


def arguments(**overrides: Any) -> Any:
    """Those of a lakehouse with one table, where nothing else is said."""
    return {
        "cloud": "gcp",
        "project": PROJECT,
        "region": REGION,
        "prefix": "acme-dev",
        "writers": [PIPELINE],
        "tables": [ORDERS],
        **overrides,
    }


def lakehouse(computed: Computed | None = None, **overrides: Any) -> Recording:
    """What it makes."""
    return record(lambda: Lakehouse("lake", arguments(**overrides)), computed=computed)


def everything() -> Recording:
    """A lakehouse with every optional part."""
    return lakehouse(
        tables=[{**ORDERS, "quality": QUALITY}, EVENTS],
        grants=[BY_TABLE, {**BY_TABLE, "name": "raw", "tables": ["raw.events"], "rows": None}],
        streams=[{"name": "clicks", "table": "raw.events"}],
        batches=[
            {"name": "load", "script": "gs://acme-scripts/load.py", "schedule": "15 3 * * *"},
            {"name": "once", "script": "gs://acme-scripts/once.py", "arguments": {"day": "all"}},
        ],
        network=NETWORK,
        legal_hold={"days": 400, "mode": "compliance"},
        zones={"curated": {"file_days": 90}},
        arrival_targets={"loader": PIPELINE},
        quality_targets={"stewards": ANALYSTS},
        query_cutoff_bytes=2 * 1024**4,
        perimeter={
            "access_policy": "123456789",
            "deployers": [f"serviceAccount:deployer@{PROJECT}.iam.gserviceaccount.com"],
        },
        protect=True,
        retain_data=True,
    )


def logical(member: str) -> str:
    """A member in logical names."""
    return member.replace(":", "-")


def problems(**overrides: Any) -> list[str]:
    """Return the reported problems of wrong arguments."""
    with pytest.raises(ArgumentError) as error:
        Lakehouse("lake", arguments(**overrides))
    return [str(problem) for problem in error.value.problems]
