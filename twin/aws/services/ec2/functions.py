"""EC2's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Final

import jmespath

from twin.aws.context import AwsContext
from twin.aws.resources.fields import Field, from_api, reads
from twin.aws.resources.function import AwsFunction, filters
from twin.aws.services.ec2.resources.vpc import Vpc
from twin.provider_interface import Props


class GetInstanceTypeOfferings(AwsFunction):
    token = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
    title = "EC2 Instance Type Offerings"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        params: Props = {"MaxResults": 1000}
        if arguments.get("locationType"):
            params["LocationType"] = arguments["locationType"]
        wanted = filters({"filters": arguments.get("filters")})
        if wanted:
            params["Filters"] = wanted
        found: list[dict[str, Any]] = []
        while True:
            answer = context.call("ec2", "DescribeInstanceTypeOfferings", params)
            found += answer["InstanceTypeOfferings"]
            if not answer.get("NextToken"):
                break
            params["NextToken"] = answer["NextToken"]
        found.sort(key=lambda each: (each["InstanceType"], each["Location"]))
        return {
            "id": context.region,
            "instanceTypes": [each["InstanceType"] for each in found],
            "locations": [each["Location"] for each in found],
            "locationTypes": [each["LocationType"] for each in found],
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


_GPUS: Final = {
    **reads(name="Name", count="Count", manufacturer="Manufacturer", memorySize="MemoryInfo.SizeInMiB")
}
_INSTANCE_TYPE: Final = {
    **reads(
        autoRecoverySupported="AutoRecoverySupported",
        bareMetal="BareMetal",
        bootModes="SupportedBootModes",
        burstablePerformanceSupported="BurstablePerformanceSupported",
        currentGeneration="CurrentGeneration",
        dedicatedHostsSupported="DedicatedHostsSupported",
        defaultCores="VCpuInfo.DefaultCores",
        defaultNetworkCardIndex="NetworkInfo.DefaultNetworkCardIndex",
        defaultThreadsPerCore="VCpuInfo.DefaultThreadsPerCore",
        defaultVcpus="VCpuInfo.DefaultVCpus",
        ebsEncryptionSupport="EbsInfo.EncryptionSupport",
        ebsNvmeSupport="EbsInfo.NvmeSupport",
        ebsOptimizedSupport="EbsInfo.EbsOptimizedSupport",
        ebsPerformanceBaselineBandwidth="EbsInfo.EbsOptimizedInfo.BaselineBandwidthInMbps",
        ebsPerformanceBaselineIops="EbsInfo.EbsOptimizedInfo.BaselineIops",
        ebsPerformanceBaselineThroughput="EbsInfo.EbsOptimizedInfo.BaselineThroughputInMBps",
        ebsPerformanceMaximumBandwidth="EbsInfo.EbsOptimizedInfo.MaximumBandwidthInMbps",
        ebsPerformanceMaximumIops="EbsInfo.EbsOptimizedInfo.MaximumIops",
        ebsPerformanceMaximumThroughput="EbsInfo.EbsOptimizedInfo.MaximumThroughputInMBps",
        efaMaximumInterfaces="NetworkInfo.EfaInfo.MaximumEfaInterfaces",
        efaSupported="NetworkInfo.EfaSupported",
        enaSrdSupported="NetworkInfo.EnaSrdSupported",
        enaSupport="NetworkInfo.EnaSupport",
        encryptionInTransitSupported="NetworkInfo.EncryptionInTransitSupported",
        freeTierEligible="FreeTierEligible",
        hibernationSupported="HibernationSupported",
        hypervisor="Hypervisor",
        instanceStorageSupported="InstanceStorageSupported",
        instanceType="InstanceType",
        ipv6Supported="NetworkInfo.Ipv6Supported",
        maximumIpv4AddressesPerInterface="NetworkInfo.Ipv4AddressesPerInterface",
        maximumIpv6AddressesPerInterface="NetworkInfo.Ipv6AddressesPerInterface",
        maximumNetworkCards="NetworkInfo.MaximumNetworkCards",
        maximumNetworkInterfaces="NetworkInfo.MaximumNetworkInterfaces",
        memorySize="MemoryInfo.SizeInMiB",
        networkPerformance="NetworkInfo.NetworkPerformance",
        nitroEnclavesSupport="NitroEnclavesSupport",
        nitroTpmSupport="NitroTpmSupport",
        nitroTpmSupportedVersions="NitroTpmInfo.SupportedVersions",
        phcSupport="PhcSupport",
        supportedArchitectures="ProcessorInfo.SupportedArchitectures",
        supportedCpuFeatures="ProcessorInfo.SupportedFeatures",
        supportedPlacementStrategies="PlacementGroupInfo.SupportedStrategies",
        supportedRootDeviceTypes="SupportedRootDeviceTypes",
        supportedUsagesClasses="SupportedUsageClasses",
        supportedVirtualizationTypes="SupportedVirtualizationTypes",
        sustainedClockSpeed="ProcessorInfo.SustainedClockSpeedInGhz",
        totalGpuMemory="GpuInfo.TotalGpuMemoryInMiB",
        totalInferenceMemory="InferenceAcceleratorInfo.TotalInferenceMemoryInMiB",
        totalInstanceStorage="InstanceStorageInfo.TotalSizeInGB",
        totalNeuronDeviceMemory="NeuronInfo.TotalNeuronDeviceMemoryInMiB",
        validCores="VCpuInfo.ValidCores",
        validThreadsPerCores="VCpuInfo.ValidThreadsPerCore",
    ),
    "gpuses": Field(read="GpuInfo.Gpus", of=_GPUS),
    "instanceDisks": Field(
        read="InstanceStorageInfo.Disks", of=reads(count="Count", size="SizeInGB", type="Type")
    ),
    "networkCards": Field(
        read="NetworkInfo.NetworkCards",
        of=reads(
            index="NetworkCardIndex",
            maximumInterfaces="MaximumNetworkInterfaces",
            performance="NetworkPerformance",
            baselineBandwidth="BaselineBandwidthInGbps",
            peakBandwidth="PeakBandwidthInGbps",
        ),
    ),
    "neuronDevices": Field(
        read="NeuronInfo.NeuronDevices",
        of=reads(name="Name", count="Count", coreCount="CoreInfo.Count", memorySize="MemoryInfo.SizeInMiB"),
    ),
}


class GetInstanceType(AwsFunction):
    token = "aws:ec2/getInstanceType:getInstanceType"
    title = "EC2 Instance Type"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["instanceType"]
        found = context.call("ec2", "DescribeInstanceTypes", {"InstanceTypes": [name]})["InstanceTypes"]
        told = self.only(found, "EC2 Instance Type")
        return {"id": name, **from_api(_INSTANCE_TYPE, told), "region": context.region}


class GetVpc(AwsFunction):
    token = "aws:ec2/getVpc:getVpc"
    title = "EC2 VPC"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        default = arguments.get("default")
        wanted = filters(
            arguments,
            cidr=arguments.get("cidrBlock"),
            dhcp_options_id=arguments.get("dhcpOptionsId"),
            isDefault="true" if default else None,
            state=arguments.get("state"),
        )
        params: Props = {"Filters": wanted} if wanted else {}
        if arguments.get("id"):
            params["VpcIds"] = [arguments["id"]]
        vpc = self.only(context.call("ec2", "DescribeVpcs", params)["Vpcs"], "EC2 VPC")
        state = Vpc().read(context, vpc["VpcId"], {}) or {}
        blocks = vpc.get("CidrBlockAssociationSet") or []
        return {
            **{name: value for name, value in state.items() if name in _VPC_OUTPUTS},
            "id": vpc["VpcId"],
            "arn": state["arn"],
            "default": vpc.get("IsDefault", False),
            "state": vpc.get("State"),
            "tags": context.tags.seen({tag["Key"]: tag["Value"] for tag in vpc.get("Tags", [])}),
            "cidrBlockAssociations": [
                {
                    "associationId": block["AssociationId"],
                    "cidrBlock": block["CidrBlock"],
                    "state": block.get("CidrBlockState", {}).get("State"),
                }
                for block in blocks
            ],
        }


_VPC_OUTPUTS: Final = frozenset(
    {
        "cidrBlock",
        "dhcpOptionsId",
        "enableDnsHostnames",
        "enableDnsSupport",
        "enableNetworkAddressUsageMetrics",
    }
    | {"instanceTenancy", "ipv6AssociationId", "ipv6CidrBlock", "mainRouteTableId", "ownerId", "region"}
)


class GetSubnets(AwsFunction):
    token = "aws:ec2/getSubnets:getSubnets"
    title = "EC2 Subnets"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        wanted = filters(arguments)
        found: list[dict[str, Any]] = []
        params: Props = {"Filters": wanted} if wanted else {}
        while True:
            answer = context.call("ec2", "DescribeSubnets", params)
            found += answer["Subnets"]
            if not answer.get("NextToken"):
                break
            params["NextToken"] = answer["NextToken"]
        return {
            "id": context.region,
            "ids": sorted(each["SubnetId"] for each in found),
            "region": context.region,
        }
