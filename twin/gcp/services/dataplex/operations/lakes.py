"""Dataplex: lakes, their zones, and the buckets and datasets that are assets of a zone."""

from __future__ import annotations

import re
from typing import Final

from twin.gcp.api_server.errors import exists, invalid, not_found, precondition
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import cron
from twin.gcp.methods.standard_methods import Standard, serve

_LAKES: Final = "dataplex.projects.locations.lakes"
_ID: Final = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_RIGHT: Final = "lower-case letters, digits and hyphens, a letter first, at most 63"
_RESOURCE: Final = re.compile(r"projects/([^/]+)/(buckets|datasets)/([^/]+)")
_KINDS: Final = {"STORAGE_BUCKET": "buckets", "BIGQUERY_DATASET": "datasets"}


def _active(_: Call, body: Body) -> None:
    body["state"] = "ACTIVE"


def _prepare_lake(call: Call, lake: Body) -> None:
    _active(call, lake)
    lake["serviceAccount"] = f"service-{call.project_number}@gcp-sa-dataplex.iam.gserviceaccount.com"
    lake["assetStatus"] = {"updateTime": call.timestamp}
    lake["metastoreStatus"] = {"state": "NONE", "updateTime": call.timestamp}


def _check_discovery(spec: Body) -> None:
    if spec.get("enabled") and spec.get("schedule"):
        cron.check(spec["schedule"], "discovery_spec.schedule", zone=True)


def _check_zone(_: Call, zone: Body) -> None:
    if zone.get("type") not in ("RAW", "CURATED"):
        raise invalid("zone.type must be RAW or CURATED.")
    if (zone.get("resourceSpec") or {}).get("locationType") not in ("SINGLE_REGION", "MULTI_REGION"):
        raise invalid("zone.resource_spec.location_type must be SINGLE_REGION or MULTI_REGION.")
    _check_discovery(zone.get("discoverySpec") or {})


def _check_asset(call: Call, asset: Body) -> None:
    spec = asset.get("resourceSpec") or {}
    kind, name = spec.get("type"), str(spec.get("name") or "")
    if kind not in _KINDS:
        raise invalid(f"asset.resource_spec.type must be one of {', '.join(_KINDS)}.")
    found = _RESOURCE.fullmatch(name)
    if not found or found[2] != _KINDS[kind]:
        raise invalid(f"Invalid resource '{name}': projects/PROJECT/{_KINDS[kind]}/NAME is right.")
    row = f"storage/b/{found[3]}" if kind == "STORAGE_BUCKET" else f"bigquery/{name}"
    body = call.state.get(row)
    if body is None:
        raise not_found(f"Resource {name} not found.")
    zone = call.need(f"dataplex/{asset['name'].rpartition('/assets/')[0]}")
    place = asset["name"].split("/")[3]
    single = zone["resourceSpec"]["locationType"] == "SINGLE_REGION"
    if single and str(body["location"]).lower() != place:
        raise invalid(
            f"The resource {name} is in {str(body['location']).lower()}, the zone of a single region "
            f"in {place}."
        )
    _check_discovery(asset.get("discoverySpec") or {})
    for _, other in call.state.of("dataplex.assets", "dataplex/"):
        if other["name"] != asset["name"] and other["resourceSpec"].get("name") == name:
            raise exists(f"Resource {name} is the asset {other['name']} already.")
    asset["resourceStatus"] = {"state": "READY", "updateTime": call.timestamp}
    asset["securityStatus"] = {"state": "READY", "updateTime": call.timestamp}
    on = (asset.get("discoverySpec") or {}).get("enabled")
    asset["discoveryStatus"] = {"state": "SCHEDULED" if on else "DISABLED", "updateTime": call.timestamp}


def _vacate(call: Call, body: Body) -> None:
    if call.state.below(f"dataplex/{body['name']}"):
        raise precondition(f"{body['name']} has resources in it: delete them first.")


serve(
    Standard(
        methods=_LAKES,
        title="Lake",
        id="lakeId",
        pattern=_ID,
        right=_RIGHT,
        mutable=frozenset({"description", "displayName", "labels", "metastore"}),
        response="google.cloud.dataplex.v1.Lake",
        prepare=_prepare_lake,
        vacate=_vacate,
        uid=True,
    )
)
serve(
    Standard(
        methods=f"{_LAKES}.zones",
        title="Zone",
        id="zoneId",
        pattern=_ID,
        right=_RIGHT,
        mutable=frozenset({"description", "displayName", "labels", "discoverySpec"}),
        response="google.cloud.dataplex.v1.Zone",
        prepare=_active,
        check=_check_zone,
        vacate=_vacate,
        uid=True,
    )
)
serve(
    Standard(
        methods=f"{_LAKES}.zones.assets",
        title="Asset",
        id="assetId",
        pattern=_ID,
        right=_RIGHT,
        mutable=frozenset({"description", "displayName", "labels", "discoverySpec", "resourceSpec"}),
        response="google.cloud.dataplex.v1.Asset",
        prepare=_active,
        check=_check_asset,
        uid=True,
    )
)
