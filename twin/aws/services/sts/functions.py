"""Who and where: caller, partition, region, zones."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from typing import Any

from twin.aws.configuration import regions
from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction, filters
from twin.aws.validation.parameters import loader
from twin.provider_interface import CloudError, Props


class GetCallerIdentity(AwsFunction):
    token = "aws:index/getCallerIdentity:getCallerIdentity"
    service = "sts"
    title = "STS Caller Identity"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        reported = context.call("sts", "GetCallerIdentity", {})
        return {
            "id": reported["Account"],
            "accountId": reported["Account"],
            "arn": reported["Arn"],
            "userId": reported["UserId"],
        }


class GetPartition(AwsFunction):
    token = "aws:index/getPartition:getPartition"
    title = "Partition"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        suffix = context.url_suffix
        reverse = ".".join(reversed(suffix.split(".")))
        return {
            "id": context.partition,
            "partition": context.partition,
            "dnsSuffix": suffix,
            "reverseDnsPrefix": reverse,
        }


class GetRegion(AwsFunction):
    token = "aws:index/getRegion:getRegion"
    title = "Region"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments.get("region") or arguments.get("name")
        endpoint = arguments.get("endpoint")
        if endpoint:
            name = next((r for r in regions() if endpoint == f"ec2.{r}.{context.url_suffix}"), None)
        name = name or context.region
        if name not in regions():
            raise CloudError(f"no region found: {endpoint or name}")
        return {
            "id": name,
            "name": name,
            "region": name,
            "description": _description(name),
            "endpoint": f"ec2.{name}.{context.url_suffix}",
        }


def _description(name: str) -> str:
    for partition in loader().load_data("partitions")["partitions"]:
        if name in partition["regions"]:
            return str(partition["regions"][name].get("description", name))
    return name


class GetAvailabilityZones(AwsFunction):
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    title = "EC2 Availability Zones"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        params: Props = {}
        wanted = filters({"filters": arguments.get("filters")}, state=arguments.get("state"))
        if wanted:
            params["Filters"] = wanted
        if arguments.get("allAvailabilityZones") is not None:
            params["AllAvailabilityZones"] = arguments["allAvailabilityZones"]
        zones = context.call("ec2", "DescribeAvailabilityZones", params)["AvailabilityZones"]
        selected = sorted(
            (zone for zone in zones if self._is_kept(zone, arguments)), key=lambda zone: zone["ZoneName"]
        )
        return {
            "id": context.region,
            "names": [zone["ZoneName"] for zone in selected],
            "zoneIds": [zone["ZoneId"] for zone in selected],
            "groupNames": sorted({zone.get("GroupName") or context.region for zone in selected}),
            "region": context.region,
        }

    @staticmethod
    def _is_kept(zone: dict[str, Any], arguments: Props) -> bool:
        # Each filter again: what answers may not know all of them (opt-in-status).
        reported = {
            "opt-in-status": zone.get("OptInStatus") or "opt-in-not-required",
            "zone-name": zone["ZoneName"],
            "zone-id": zone["ZoneId"],
            "zone-type": zone.get("ZoneType") or "availability-zone",
            "state": zone.get("State") or "available",
            "region-name": zone.get("RegionName"),
            "group-name": zone.get("GroupName"),
        }
        criteria = filters({"filters": arguments.get("filters")}, state=arguments.get("state"))
        return (
            zone["ZoneName"] not in (arguments.get("excludeNames") or [])
            and zone["ZoneId"] not in (arguments.get("excludeZoneIds") or [])
            and all(reported.get(criterion["Name"]) in (None, *criterion["Values"]) for criterion in criteria)
        )
