"""EC2's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

import jmespath

from twin.aws.context import AwsContext
from twin.aws.resources import entries
from twin.aws.resources.fields import from_api
from twin.aws.resources.function import AwsFunction, filters
from twin.provider_interface import Props


class GetInstanceTypeOfferings(AwsFunction):
    token = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
    title = "EC2 Instance Type Offerings"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        params: Props = {}
        if arguments.get("locationType"):
            params["LocationType"] = arguments["locationType"]
        wanted = filters({"filters": arguments.get("filters")})
        if wanted:
            params["Filters"] = wanted
        offerings = context.pages("ec2", "DescribeInstanceTypeOfferings", params, "InstanceTypeOfferings")
        offerings.sort(key=lambda offering: (offering["InstanceType"], offering["Location"]))
        return {
            "id": context.region,
            "instanceTypes": [offering["InstanceType"] for offering in offerings],
            "locations": [offering["Location"] for offering in offerings],
            "locationTypes": [offering["LocationType"] for offering in offerings],
            "region": context.region,
        }


class GetInstances(AwsFunction):
    token = "aws:ec2/getInstances:getInstances"
    title = "EC2 Instances"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        states = arguments.get("instanceStateNames") or ["running"]
        wanted = [{"Name": "instance-state-name", "Values": states}]
        wanted += [
            {"Name": f"tag:{key}", "Values": [value]}
            for key, value in (arguments.get("instanceTags") or {}).items()
        ]
        groups: list[Props] = []
        for entry in filters({"filters": arguments.get("filters")}):
            (groups if entry["Name"] in _GROUPS else wanted).append(entry)
        answer = context.call("ec2", "DescribeInstances", {"Filters": wanted})
        instances = [
            instance
            for instance in jmespath.search("Reservations[].Instances[]", answer) or []
            if all(_has_group(instance, group) for group in groups)
        ]
        return {
            "id": context.region,
            "ids": [instance["InstanceId"] for instance in instances],
            "privateIps": jmespath.search("[?PrivateIpAddress].PrivateIpAddress", instances),
            "publicIps": jmespath.search("[?PublicIpAddress].PublicIpAddress", instances),
            "ipv6Addresses": [],
            "instanceStateNames": states,
            "region": context.region,
        }


_GROUPS: Final = {
    "instance.group-name": "SecurityGroups[].GroupName",
    "placement-group-name": "[Placement.GroupName]",
}
"""Filters with wildcards that moto does not have, and what they compare."""


def _has_group(instance: Props, wanted: Props) -> bool:
    names = [name for name in jmespath.search(_GROUPS[wanted["Name"]], instance) or [] if name]
    return any(fnmatchcase(name, pattern) for name in names for pattern in wanted["Values"])


_INSTANCE_TYPE: Final = entries.shape(__name__, "instance_type")


class GetInstanceType(AwsFunction):
    token = "aws:ec2/getInstanceType:getInstanceType"
    title = "EC2 Instance Type"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["instanceType"]
        answer = context.call("ec2", "DescribeInstanceTypes", {"InstanceTypes": [name]})
        reported = self.only(answer["InstanceTypes"], "EC2 Instance Type")
        return {"id": name, **from_api(_INSTANCE_TYPE, reported), "region": context.region}
