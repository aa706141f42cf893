"""A lakehouse on Google Cloud that the tests of this folder share."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._args import ArgumentError
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
NETWORK: dict[str, Any] = {
    "cloud": "gcp",
    "project": PROJECT,
    "region": REGION,
    "vpc_id": "projects/p/global/networks/n",
    "cidr": "10.0.0.0/16",
    "private_subnet_ids": ["projects/p/regions/europe-west4/subnetworks/nodes"],
}


def arguments(**given: Any) -> Any:
    """Those of a lakehouse with one table, where nothing else is said."""
    return {
        "cloud": "gcp",
        "project": PROJECT,
        "region": REGION,
        "prefix": "acme-dev",
        "writers": [PIPELINE],
        "tables": [ORDERS],
        **given,
    }


def lakehouse(computed: Computed | None = None, **given: Any) -> Recording:
    """What it makes."""
    return record(lambda: Lakehouse("lake", arguments(**given)), computed=computed)


def faults(**given: Any) -> list[str]:
    """What is told of wrong arguments."""
    with pytest.raises(ArgumentError) as error:
        Lakehouse("lake", arguments(**given))
    return [str(fault) for fault in error.value.faults]
