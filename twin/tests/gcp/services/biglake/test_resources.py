"""Iceberg REST catalogs of BigLake metastore, against an API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twin.gcp.api_server.server import ApiServer
from twin.gcp.context import GcpContext
from twin.provider_interface import CloudError
from twin.tests.gcp.api_servers import client
from twin.tests.gcp.resources.life import Made, make

CATALOG = "gcp:biglake/icebergCatalog:IcebergCatalog"
NAMESPACE = "gcp:biglake/icebergNamespace:IcebergNamespace"
TABLE = "gcp:biglake/icebergTable:IcebergTable"
FIELDS = [
    {"id": 1, "name": "event_id", "required": True, "type": "long"},
    {"id": 2, "name": "at", "required": True, "type": "timestamptz", "doc": "When it was"},
]


def catalog(gcp: GcpContext, *, vended: bool = True) -> Made:
    """A catalog on a new bucket on which its account may write."""
    make(
        gcp,
        "gcp:storage/bucket:Bucket",
        name="acme-curated",
        location="us-central1",
        uniformBucketLevelAccess=True,
    )
    mode = "CREDENTIAL_MODE_VENDED_CREDENTIALS" if vended else "CREDENTIAL_MODE_END_USER"
    return make(
        gcp,
        CATALOG,
        name="acme-dev",
        catalogType="CATALOG_TYPE_BIGLAKE",
        credentialMode=mode,
        defaultLocation="gs://acme-curated/tables",
        primaryLocation="us-central1",
    )


def table(gcp: GcpContext, **more: Any) -> Made:
    """A table in the namespace `curated`."""
    arguments = {
        "catalog": "acme-dev",
        "namespace": "curated",
        "name": "events",
        "schema": {"fields": FIELDS},
    }
    return make(gcp, TABLE, **{**arguments, **more})


@pytest.fixture(scope="module")
def with_namespace(shared_data: GcpContext) -> GcpContext:
    """A Google with a catalog and the namespace `curated`, for what is refused in it."""
    catalog(shared_data, vended=False)
    make(shared_data, NAMESPACE, catalog="acme-dev", namespaceId="curated")
    return shared_data


def test_a_catalog_a_namespace_and_a_table_live(data: GcpContext, google: ApiServer) -> None:
    created = catalog(data)
    assert created.id == "iceberg/v1/restcatalog/extensions/projects/acme-ml-dev/catalogs/acme-dev"
    account = created.outputs["biglakeServiceAccount"]
    assert account.startswith("blirc-")
    assert created.outputs["storageRegions"] == ["us-central1"]
    assert created.update(description="Tables of dev")["description"] == "Tables of dev"
    assert created.replaced_by(primaryLocation="us") == ["primaryLocation"]
    namespace = make(data, NAMESPACE, catalog="acme-dev", namespaceId="curated", properties={"owner": "ml"})
    assert namespace.outputs["properties"]["location"] == "gs://acme-curated/tables/curated"
    with pytest.raises(CloudError, match=r"storage\.objects\.create"):
        table(data)
    make(
        data,
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        bucket="acme-curated",
        role="roles/storage.objectUser",
        member=f"serviceAccount:{account}",
    )
    events = table(
        data,
        partitionSpec={"fields": [{"name": "at_day", "sourceId": 2, "transform": "day"}]},
        sortOrder={
            "fields": [
                {"sourceId": 1, "transform": "identity", "direction": "asc", "nullOrder": "nulls-last"}
            ]
        },
        properties={"write.format.default": "parquet"},
    )
    location = events.outputs["location"]
    assert location.startswith("gs://acme-curated/tables/curated/events/")
    files = client(google, "storage").objects().list(bucket="acme-curated").execute()["items"]
    raw = (
        client(google, "storage")
        .objects()
        .get_media(bucket="acme-curated", object=files[0]["name"])
        .execute()
    )
    assert json.loads(raw)["location"] == location, "the metadata lies where Iceberg's readers look"
    assert events.outputs["partitionSpec"]["fields"][0]["fieldId"] == 1000
    after = events.update(properties={"write.format.default": "orc"})
    assert after["properties"]["write.format.default"] == "orc"
    assert after["properties"]["write.parquet.compression-codec"] == "zstd"
    member = make(
        data,
        "gcp:biglake/icebergTableIamMember:IcebergTableIamMember",
        catalog="acme-dev",
        namespace="curated",
        name="events",
        role="roles/biglake.viewer",
        member=f"serviceAccount:{account}",
    )
    member.delete()
    with pytest.raises(CloudError, match="is not empty"):
        namespace.kind.delete(data, namespace.id, namespace.outputs)
    for resource in (events, namespace, created):
        resource.delete()
        assert resource.read() is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"schema": {"fields": [{**FIELDS[0], "type": "varchar"}]}}, "Cannot parse type string"),
        ({"location": "gs://acme-curated/elsewhere"}, "must be below that of its namespace"),
        (
            {"partitionSpec": {"fields": [{"name": "x", "sourceId": 9, "transform": "day"}]}},
            "Cannot find source column: 9",
        ),
    ],
)
def test_a_table_that_iceberg_cannot_make_is_refused(
    with_namespace: GcpContext, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(CloudError, match=words):
        table(with_namespace, **more)


def test_a_catalog_needs_its_bucket_and_a_location_of_its_own(data: GcpContext) -> None:
    arguments = {"name": "acme-dev", "catalogType": "CATALOG_TYPE_BIGLAKE"}
    with pytest.raises(CloudError, match="default-location is required"):
        make(data, CATALOG, **arguments)
    with pytest.raises(CloudError, match="bucket does not exist"):
        make(data, CATALOG, **arguments, defaultLocation="gs://nowhere/tables")
    catalog(data)
    with pytest.raises(CloudError, match="not in the catalog's default location"):
        make(
            data,
            NAMESPACE,
            catalog="acme-dev",
            namespaceId="curated",
            properties={"location": "gs://acme-curated/other"},
        )
