"""Lakes of Dataplex and Hive's catalogs of BigLake, against a front."""

from __future__ import annotations

from typing import Any

import pytest

from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError
from twin.tests.gcp.fronts import PROJECT
from twin.tests.gcp.resources.life import make


def test_a_lake_with_a_zone_and_an_asset_lives(data: GcpContext) -> None:
    lake = make(data, "gcp:dataplex/lake:Lake", name="lake", location="us-central1", labels={"team": "ml"})
    assert lake.update(description="Dev")["description"] == "Dev"
    place = {"location": "us-central1", "lake": "lake"}
    zone = make(
        data,
        "gcp:dataplex/zone:Zone",
        name="raw",
        type="RAW",
        resourceSpec={"locationType": "SINGLE_REGION"},
        discoverySpec={"enabled": False},
        **place,
    )
    asked: dict[str, Any] = {**place, "dataplexZone": "raw", "discoverySpec": {"enabled": False}}
    spec = {"type": "STORAGE_BUCKET", "name": f"projects/{PROJECT}/buckets/acme-raw"}
    with pytest.raises(CloudError, match="not found"):
        make(data, "gcp:dataplex/asset:Asset", name="files", resourceSpec=spec, **asked)
    make(data, "gcp:storage/bucket:Bucket", name="acme-raw", location="us-central1")
    asset = make(data, "gcp:dataplex/asset:Asset", name="files", resourceSpec=spec, **asked)
    with pytest.raises(CloudError, match="delete them first"):
        lake.kind.delete(data, lake.id, lake.outputs)
    for each in (asset, zone, lake):
        each.delete()
        assert each.read() is None


def test_a_catalog_for_hive_lives(data: GcpContext) -> None:
    catalog = make(data, "gcp:biglake/catalog:Catalog", name="hive", location="us")
    options = {"locationUri": "gs://acme-raw/hive", "parameters": {"owner": "ml"}}
    database = make(
        data,
        "gcp:biglake/database:Database",
        catalog=catalog.id,
        name="raw",
        type="HIVE",
        hiveOptions=options,
    )
    table = make(data, "gcp:biglake/table:Table", database=database.id, name="events", type="HIVE")
    after = database.update(hiveOptions={**options, "parameters": {"owner": "data"}})
    assert after["hiveOptions"]["parameters"] == {"owner": "data"}
    with pytest.raises(CloudError, match="is not empty"):
        catalog.kind.delete(data, catalog.id, catalog.outputs)
    for each in (table, database, catalog):
        each.delete()
        assert each.read() is None
