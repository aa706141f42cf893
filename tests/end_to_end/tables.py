"""Tables that several tests declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiplatform.lakehouse.tables import LakehouseTableArgs

ORDERS: LakehouseTableArgs = {
    "zone": "curated",
    "name": "orders",
    "owner": "shop@acme.example",
    "columns": [
        {"name": "order_id", "type": "long", "required": True},
        {"name": "placed_at", "type": "timestamptz"},
        {"name": "email", "type": "string", "classification": "pii"},
    ],
    "partitions": [{"column": "placed_at", "transform": "day"}],
}
"""Orders, partitioned by day, with a column that is pii."""
