"""The reference to a lakehouse: what it takes and what it misses."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError, keys, read
from aiplatform._shared.references import lakehouse as references
from aiplatform._shared.references.lakehouse import LakehouseReference
from tests.components.aiplatform.lakehouse.example import lakehouse
from tests.components.recording import value

ZONES = [{"name": zone, "bucket": f"b-{zone}", "database": zone} for zone in ("raw", "curated", "serving")]
AWS: dict[str, Any] = {"catalog_id": "111122223333", "zones": ZONES}
GOOGLE: dict[str, Any] = {
    "cloud": "gcp",
    "project": "acme-dev-0123",
    "region": "europe-west4",
    "catalog_id": "acme-dev-lakehouse",
    "zones": [{**zone, "dataset": zone["name"]} for zone in ZONES],
}


def _problems(arguments: dict[str, Any]) -> list[str]:
    with pytest.raises(ArgumentError) as error:
        read(LakehouseReference, arguments, "lakehouse")
    return [str(problem) for problem in error.value.problems]


def test_public_and_checked_keys_are_the_same() -> None:
    for public, checked in (
        (references.LakehouseReferenceArgs, LakehouseReference),
        (references.LakehouseZoneReferenceArgs, references.LakehouseZoneReference),
        (references.LakehouseTableReferenceArgs, references.LakehouseTableReference),
    ):
        assert keys(checked) == frozenset(public.__annotations__), public.__name__


def test_outputs_of_a_lakehouse_are_a_reference() -> None:
    outputs = lakehouse().result.outputs
    reference = read(LakehouseReference, outputs, "lakehouse")
    assert value(reference.zone("raw").bucket).startswith("acme-dev-raw-")


def test_keys_of_one_cloud_are_required_there() -> None:
    assert read(LakehouseReference, AWS, "lakehouse").cloud == "aws"
    assert read(LakehouseReference, GOOGLE, "lakehouse").zone("serving").dataset == "serving"
    assert _problems({**GOOGLE, "project": None, "zones": ZONES})[0].startswith("lakehouse.project: missing")


def test_missing_and_duplicate_zones_are_refused() -> None:
    assert _problems({**AWS, "zones": ZONES[:2]}) == [
        "lakehouse.zones: got raw, curated; expected serving once, as in Lakehouse.outputs"
    ]
    table = {"zone": "bronze", "database": "bronze", "name": "orders"}
    assert _problems({**AWS, "tables": [table]}) == [
        "lakehouse.tables[0].zone: got 'bronze'; expected one of raw, curated, serving"
    ]
