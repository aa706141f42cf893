"""Dataplex: lakes, zones and assets."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from typing import Final

from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field, local, only_read
from twin.provider_interface import AutoName

_LAKES: Final = "dataplex.projects.locations.lakes"
_TOLD: Final = ("createTime", "state", "uid", "updateTime")
_LAKE: Final = "projects/{project}/locations/{location}/lakes/"


class Lake(GcpResource):
    token = "gcp:dataplex/lake:Lake"
    title = "Lake"
    collection = _LAKES
    schema = "GoogleCloudDataplexV1Lake"
    create_method = "create"
    params = {"name": f"{_LAKE}{{name}}"}
    create_params = {"parent": "projects/{project}/locations/{location}", "lakeId": "{name}"}
    id_form = f"{_LAKE}{{name}}"
    autoname = AutoName("name", max_length=63, lower=True)
    names = frozenset({"name"})
    fields = {
        "name": Field(sent=False),
        **local("location"),
        **only_read(
            *_TOLD, "serviceAccount", assetStatuses="assetStatus", metastoreStatuses="metastoreStatus"
        ),
    }
    labels = "labels"
    immutable = frozenset({"name"})
    changes = (Change(("description", "displayName", "metastore"), mask=True),)
    volatile = frozenset({"updateTime"})


class Zone(GcpResource):
    token = "gcp:dataplex/zone:Zone"
    title = "Zone"
    collection = f"{_LAKES}.zones"
    schema = "GoogleCloudDataplexV1Zone"
    create_method = "create"
    params = {"name": f"{_LAKE}{{lake}}/zones/{{name}}"}
    create_params = {"parent": f"{_LAKE}{{lake}}", "zoneId": "{name}"}
    id_form = f"{_LAKE}{{lake}}/zones/{{name}}"
    autoname = AutoName("name", max_length=63, lower=True)
    names = frozenset({"name"})
    fields = {
        "name": Field(sent=False),
        **local("lake", "location"),
        **only_read(*_TOLD, assetStatuses="assetStatus"),
    }
    labels = "labels"
    nested_computed = frozenset(
        {"discoverySpec.csvOptions", "discoverySpec.jsonOptions", "discoverySpec.schedule"}
    )
    immutable = frozenset({"name"})
    changes = (Change(("discoverySpec", "description", "displayName"), mask=True),)
    volatile = frozenset({"updateTime"})


class Asset(GcpResource):
    token = "gcp:dataplex/asset:Asset"
    title = "Asset"
    collection = f"{_LAKES}.zones.assets"
    schema = "GoogleCloudDataplexV1Asset"
    create_method = "create"
    params = {"name": f"{_LAKE}{{lake}}/zones/{{dataplexZone}}/assets/{{name}}"}
    create_params = {"parent": f"{_LAKE}{{lake}}/zones/{{dataplexZone}}", "assetId": "{name}"}
    id_form = f"{_LAKE}{{lake}}/zones/{{dataplexZone}}/assets/{{name}}"
    autoname = AutoName("name", max_length=63, lower=True)
    names = frozenset({"name"})
    fields = {
        "name": Field(sent=False),
        **local("dataplexZone", "lake", "location"),
        **only_read(
            *_TOLD,
            discoveryStatuses="discoveryStatus",
            resourceStatuses="resourceStatus",
            securityStatuses="securityStatus",
        ),
    }
    labels = "labels"
    nested_computed = frozenset(
        {"discoverySpec.csvOptions", "discoverySpec.jsonOptions", "resourceSpec.readAccessMode"}
    )
    immutable = frozenset({"name"})
    changes = (Change(("discoverySpec", "resourceSpec", "description", "displayName"), mask=True),)
    volatile = frozenset({"updateTime"})
