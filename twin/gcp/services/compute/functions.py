"""Compute: zones, regions, machine types, and what exists."""

from __future__ import annotations

import re

from twin.gcp.context import GcpContext
from twin.gcp.resources.fields import Field
from twin.gcp.resources.function import GcpFunction, pages, project, region
from twin.gcp.resources.links import last_of, relative
from twin.provider_interface import CloudError, Props


class GetZones(GcpFunction):
    token = "gcp:compute/getZones:getZones"
    title = "zones"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        _status(arguments)
        where, place = project(context, arguments), region(context, arguments)
        context.call("compute.regions.get", {"project": where, "region": place})
        names = sorted(
            item["name"]
            for item in pages(context, "compute.zones.list", {"project": where})
            if last_of(item.get("region")) == place
            and (not arguments.get("status") or item.get("status") == arguments["status"])
        )
        return {"id": f"projects/{where}/regions/{place}", "names": names, "project": where, "region": place}


class GetRegions(GcpFunction):
    token = "gcp:compute/getRegions:getRegions"
    title = "regions"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        _status(arguments)
        where = project(context, arguments)
        names = sorted(
            item["name"]
            for item in pages(context, "compute.regions.list", {"project": where})
            if not arguments.get("status") or item.get("status") == arguments["status"]
        )
        return {"id": f"projects/{where}", "names": names, "project": where}


class GetMachineTypes(GcpFunction):
    token = "gcp:compute/getMachineTypes:getMachineTypes"
    title = "machine types"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        zone = arguments.get("zone") or context.zone
        if not zone:
            raise CloudError(
                "Cannot determine zone: set in this resource, or set provider-level zone.", path="zone"
            )
        params = {"project": where, "zone": zone, "filter": arguments.get("filter")}
        machine_types = [
            {
                "name": item.get("name"),
                "description": item.get("description", ""),
                "guestCpus": item.get("guestCpus"),
                "memoryMb": item.get("memoryMb"),
                "maximumPersistentDisks": item.get("maximumPersistentDisks"),
                "maximumPersistentDisksSizeGb": int(item.get("maximumPersistentDisksSizeGb") or 0),
                "isSharedCpus": bool(item.get("isSharedCpu")),
                "selfLink": item.get("selfLink", ""),
                "bundledLocalSsds": [item["bundledLocalSsds"]] if item.get("bundledLocalSsds") else [],
                "accelerators": [
                    {
                        "guestAcceleratorType": accelerator.get("guestAcceleratorType"),
                        "guestAcceleratorCount": accelerator.get("guestAcceleratorCount"),
                    }
                    for accelerator in item.get("accelerators", [])
                ],
                "deprecateds": [item["deprecated"]] if item.get("deprecated") else [],
            }
            for item in pages(context, "compute.machineTypes.list", params)
        ]
        return {
            "id": f"projects/{where}/zones/{zone}/machineTypes/filters/{arguments.get('filter') or ''}",
            "machineTypes": machine_types,
            "project": where,
            "zone": zone,
        }


class GetSubnetwork(GcpFunction):
    token = "gcp:compute/getSubnetwork:getSubnetwork"
    title = "Subnetwork"
    fields = {"subnetworkId": Field("id"), "id": Field(read=False)}

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        link = re.search(
            r"projects/([^/]+)/regions/([^/]+)/subnetworks/([^/]+)",
            relative(str(arguments.get("selfLink") or "")),
        )
        if link:
            where, place, name = link.groups()
        else:
            where, place, name = (
                project(context, arguments),
                region(context, arguments),
                arguments.get("name"),
            )
        if not name:
            raise CloudError("one of name and selfLink must be set", path="name")
        params = {"project": where, "region": place, "subnetwork": name}
        answer = self.answered("compute", "Subnetwork", context.call("compute.subnetworks.get", params))
        id = f"projects/{where}/regions/{place}/subnetworks/{name}"
        return {**answer, "id": id, "project": where, "region": place}


class GetReservation(GcpFunction):
    token = "gcp:compute/getReservation:getReservation"
    title = "Reservation"
    fields = {
        "id": Field(read=False),
        "specificReservations": Field("specificReservation"),
        "deleteAfterDurations": Field("deleteAfterDuration"),
        "reservationSharingPolicies": Field("reservationSharingPolicy"),
        "resourceStatuses": Field("resourceStatus"),
        "specificReservations.instanceProperties": Field("instanceProperties"),
    }

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where, zone = project(context, arguments), last_of(arguments["zone"])
        params = {"project": where, "zone": zone, "reservation": arguments["name"]}
        answer = self.answered("compute", "Reservation", context.call("compute.reservations.get", params))
        id = f"projects/{where}/zones/{zone}/reservations/{arguments['name']}"
        return {**answer, "id": id, "project": where, "zone": zone}


def _status(arguments: Props) -> None:
    status = arguments.get("status")
    if status not in (None, "UP", "DOWN"):
        raise CloudError(f'expected status to be one of ["UP" "DOWN"], got {status}', path="status")
