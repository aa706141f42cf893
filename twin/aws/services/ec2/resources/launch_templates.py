"""EC2's launch templates: every change of the data is a new version."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, Final

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.calls import Call
from twin.aws.resources.fields import (
    Field,
    Fields,
    boolean_text,
    from_api,
    kept,
    pascal,
    property_path,
    reads,
    text_of_boolean,
    to_api,
)
from twin.aws.resources.tags import Ec2Tagging
from twin.core.normalization import canonical
from twin.provider_interface import UNKNOWN, AutoName, Failure, Props


def _flag(api: str) -> Field:
    # Booleans that Terraform lets be absent are text in Pulumi's types.
    return Field(api, encode=boolean_text, decode=text_of_boolean)


def _members(api: str, key: str) -> Field:
    # A list of objects with one member, which Pulumi's types flatten.
    def encode(values: Any) -> Any:
        return [{key: value} for value in values]

    def decode(values: Any) -> Any:
        return [value[key] for value in values if key in value]

    return Field(api, encode=encode, decode=decode)


def _tag_list(value: Any) -> Any:
    return value if value is UNKNOWN else [{"Key": key, "Value": value[key]} for key in sorted(value)]


def _tag_map(value: Any) -> Any:
    return {tag["Key"]: tag.get("Value", "") for tag in value}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


_INTERFACE_TYPES: Final = ("interface", "efa", "efa-only")
"""RequestLaunchTemplateData's words; botocore's model has them as plain text."""
_RANGE: Final = pascal("min", "max")

_REQUIREMENTS: Final[Fields] = {
    **pascal(
        "acceleratorManufacturers",
        "acceleratorNames",
        "acceleratorTypes",
        "allowedInstanceTypes",
        "bareMetal",
    ),
    **pascal("burstablePerformance", "cpuManufacturers", "excludedInstanceTypes", "instanceGenerations"),
    **pascal("localStorage", "localStorageTypes", "maxSpotPriceAsPercentageOfOptimalOnDemandPrice"),
    **pascal("onDemandMaxPricePercentageOverLowestPrice", "requireHibernateSupport"),
    **pascal("spotMaxPricePercentageOverLowestPrice"),
    "memoryMib": Field("MemoryMiB", of=_RANGE),
    "vcpuCount": Field("VCpuCount", of=_RANGE),
    "acceleratorCount": Field("AcceleratorCount", of=_RANGE),
    "acceleratorTotalMemoryMib": Field("AcceleratorTotalMemoryMiB", of=_RANGE),
    "baselineEbsBandwidthMbps": Field("BaselineEbsBandwidthMbps", of=_RANGE),
    "memoryGibPerVcpu": Field("MemoryGiBPerVCpu", of=_RANGE),
    "networkBandwidthGbps": Field("NetworkBandwidthGbps", of=_RANGE),
    "networkInterfaceCount": Field("NetworkInterfaceCount", of=_RANGE),
    "totalLocalStorageGb": Field("TotalLocalStorageGB", of=_RANGE),
}

_INTERFACE: Final[Fields] = {
    **pascal(
        "description", "deviceIndex", "interfaceType", "networkCardIndex", "networkInterfaceId", "subnetId"
    ),
    **pascal("privateIpAddress", "ipv4PrefixCount", "ipv6PrefixCount", "ipv6AddressCount", "enaQueueCount"),
    "associateCarrierIpAddress": _flag("AssociateCarrierIpAddress"),
    "associatePublicIpAddress": _flag("AssociatePublicIpAddress"),
    "deleteOnTermination": _flag("DeleteOnTermination"),
    "primaryIpv6": _flag("PrimaryIpv6"),
    "securityGroups": Field("Groups"),
    "ipv4AddressCount": Field("SecondaryPrivateIpAddressCount"),
    "ipv4Addresses": _members("PrivateIpAddresses", "PrivateIpAddress"),
    "ipv4Prefixes": _members("Ipv4Prefixes", "Ipv4Prefix"),
    "ipv6Addresses": _members("Ipv6Addresses", "Ipv6Address"),
    "ipv6Prefixes": _members("Ipv6Prefixes", "Ipv6Prefix"),
    "connectionTrackingSpecification": Field(
        "ConnectionTrackingSpecification",
        of=pascal("tcpEstablishedTimeout", "udpStreamTimeout", "udpTimeout"),
    ),
    "enaSrdSpecification": Field(
        "EnaSrdSpecification",
        of={
            **pascal("enaSrdEnabled"),
            "enaSrdUdpSpecification": Field("EnaSrdUdpSpecification", of=pascal("enaSrdUdpEnabled")),
        },
    ),
}

_DISK: Final[Fields] = {
    **pascal(
        "iops", "kmsKeyId", "snapshotId", "throughput", "volumeInitializationRate", "volumeSize", "volumeType"
    ),
    "deleteOnTermination": _flag("DeleteOnTermination"),
    "encrypted": _flag("Encrypted"),
}

DATA: Final[Fields] = {
    **pascal("disableApiStop", "disableApiTermination", "imageId", "instanceInitiatedShutdownBehavior"),
    **pascal("instanceType", "kernelId", "keyName", "ramDiskId", "userData"),
    "ebsOptimized": _flag("EbsOptimized"),
    "securityGroupNames": Field("SecurityGroups"),
    "vpcSecurityGroupIds": Field("SecurityGroupIds"),
    "blockDeviceMappings": Field(
        "BlockDeviceMappings",
        of={**pascal("deviceName", "noDevice", "virtualName"), "ebs": Field("Ebs", of=_DISK)},
    ),
    "capacityReservationSpecification": Field(
        "CapacityReservationSpecification",
        of={
            **pascal("capacityReservationPreference"),
            "capacityReservationTarget": Field(
                "CapacityReservationTarget",
                of=pascal("capacityReservationId", "capacityReservationResourceGroupArn"),
            ),
        },
    ),
    "cpuOptions": Field(
        "CpuOptions", of=pascal("amdSevSnp", "coreCount", "nestedVirtualization", "threadsPerCore")
    ),
    "creditSpecification": Field("CreditSpecification", of=pascal("cpuCredits")),
    "enclaveOptions": Field("EnclaveOptions", of=pascal("enabled")),
    "hibernationOptions": Field("HibernationOptions", of=pascal("configured")),
    "iamInstanceProfile": Field("IamInstanceProfile", of=pascal("arn", "name")),
    "instanceMarketOptions": Field(
        "InstanceMarketOptions",
        of={
            **pascal("marketType"),
            "spotOptions": Field(
                "SpotOptions",
                of=pascal(
                    "blockDurationMinutes",
                    "instanceInterruptionBehavior",
                    "maxPrice",
                    "spotInstanceType",
                    "validUntil",
                ),
            ),
        },
    ),
    "instanceRequirements": Field("InstanceRequirements", of=_REQUIREMENTS),
    "licenseSpecifications": Field("LicenseSpecifications", of=pascal("licenseConfigurationArn")),
    "maintenanceOptions": Field("MaintenanceOptions", of=pascal("autoRecovery")),
    "metadataOptions": Field(
        "MetadataOptions",
        of=pascal(
            "httpEndpoint",
            "httpProtocolIpv6",
            "httpPutResponseHopLimit",
            "httpTokens",
            "instanceMetadataTags",
        ),
    ),
    "monitoring": Field("Monitoring", of=pascal("enabled")),
    "networkInterfaces": Field("NetworkInterfaces", of=_INTERFACE),
    "networkPerformanceOptions": Field("NetworkPerformanceOptions", of=pascal("bandwidthWeighting")),
    "placement": Field(
        "Placement",
        of=pascal(
            "affinity",
            "availabilityZone",
            "groupId",
            "groupName",
            "hostId",
            "hostResourceGroupArn",
            "partitionNumber",
            "spreadDomain",
            "tenancy",
        ),
    ),
    "privateDnsNameOptions": Field(
        "PrivateDnsNameOptions",
        of={
            **pascal("enableResourceNameDnsARecord", "hostnameType"),
            "enableResourceNameDnsAaaaRecord": Field("EnableResourceNameDnsAAAARecord"),
        },
    ),
    "secondaryInterfaces": Field(
        "SecondaryInterfaces",
        of=pascal(
            "deleteOnTermination", "deviceIndex", "interfaceType", "networkCardIndex", "secondarySubnetId"
        ),
    ),
    "tagSpecifications": Field(
        "TagSpecifications",
        of={**pascal("resourceType"), "tags": Field("Tags", encode=_tag_list, decode=_tag_map)},
    ),
}
"""LaunchTemplateData, the same for the request and the answer."""


class LaunchTemplate(AwsResource):
    token = "aws:ec2/launchTemplate:LaunchTemplate"
    service = "ec2"
    title = "EC2 Launch Template"
    fields = {
        "name": Field("LaunchTemplateName"),
        "namePrefix": Field(read=""),
        "description": Field("VersionDescription"),
        **{name: Field(of=field.of) for name, field in DATA.items()},
        "defaultVersion": Field(read="DefaultVersionNumber"),
        **kept("updateDefaultVersion"),
        **reads(latestVersion="LatestVersionNumber"),
    }
    create_call = Call("CreateLaunchTemplate")
    id_path = "LaunchTemplate.LaunchTemplateId"
    arn_form = "arn:{partition}:ec2:{region}:{account}:launch-template/{id}"
    read_call = Call("DescribeLaunchTemplates", {"LaunchTemplateIds": ["{id}"]})
    item = "LaunchTemplates[0]"
    not_found = frozenset(
        {
            "InvalidLaunchTemplateId.NotFound",
            "InvalidLaunchTemplateId.NotFoundException",
            "InvalidLaunchTemplateName.NotFoundException",
        }
    )
    delete_call = Call("DeleteLaunchTemplate", {"LaunchTemplateId": "{id}"})
    tagging = Ec2Tagging("launch-template", asked_apart=True)
    autoname = AutoName(max_length=128)
    name_prefix = ("namePrefix", "name", 128)
    volatile = frozenset({"latestVersion", "defaultVersion"})
    paths = {
        "InvalidLaunchTemplateName.AlreadyExistsException": "name",
        "InvalidAMIID.NotFound": "imageId",
        "InvalidAMIID.Malformed": "imageId",
        "InvalidUserData.Malformed": "userData",
    }

    def rules(self, inputs: Props) -> Iterator[Failure]:
        data = inputs.get("userData")
        if isinstance(data, str):
            try:
                base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                yield Failure("userData", "InvalidUserData.Malformed: Invalid BASE64 encoding of user data.")
        for index, interface in enumerate(_objects(inputs.get("networkInterfaces"))):
            kind = interface.get("interfaceType")
            if isinstance(kind, str) and kind not in _INTERFACE_TYPES:
                yield Failure(
                    f"networkInterfaces[{index}].interfaceType",
                    f"InvalidParameterValue: {kind!r} is none of {', '.join(_INTERFACE_TYPES)}",
                )
        if inputs.get("defaultVersion") is not None and inputs.get("updateDefaultVersion") is not None:
            yield Failure("updateDefaultVersion", '"updateDefaultVersion": conflicts with defaultVersion')
        if inputs.get("instanceType") is not None and inputs.get("instanceRequirements") is not None:
            yield Failure("instanceRequirements", '"instanceRequirements": conflicts with instanceType')

    def create_params(self, context: AwsContext, inputs: Props) -> Props:
        params = super().create_params(context, inputs)
        return {**params, "LaunchTemplateData": to_api(DATA, inputs)}

    def property_of(self, path: str) -> str:
        if path.startswith("LaunchTemplateData."):
            return property_path(DATA, path.removeprefix("LaunchTemplateData."))
        return super().property_of(path)

    def find(self, context: AwsContext, id: str, state: Props) -> Any:
        template = super().find(context, id, state)
        if template is None:
            return None
        given = {"LaunchTemplateId": id, "Versions": [str(template["LatestVersionNumber"])]}
        versions = context.call("ec2", "DescribeLaunchTemplateVersions", given)["LaunchTemplateVersions"]
        latest = versions[0] if versions else {}
        described = latest.get("VersionDescription")
        return {
            **template,
            **({"VersionDescription": described} if described else {}),
            "LaunchTemplateData": latest.get("LaunchTemplateData", {}),
        }

    def more(self, context: AwsContext, id: str, item: Any, known: Props) -> Props:
        data = dict(item["LaunchTemplateData"])
        # The template's own tags are no part of what it launches.
        tags = [
            each for each in data.get("TagSpecifications", []) if each["ResourceType"] != "launch-template"
        ]
        data.pop("TagSpecifications", None)
        return _as_asked(from_api(DATA, {**data, **({"TagSpecifications": tags} if tags else {})}), known)

    def change(self, context: AwsContext, id: str, old: Props, new: Props) -> None:
        changed = self.changed(old, new)
        version: int | None = None
        if changed & {*DATA, "description"}:
            params = {"LaunchTemplateId": id, "LaunchTemplateData": to_api(DATA, new)}
            if new.get("description"):
                params["VersionDescription"] = new["description"]
            answer = context.call("ec2", "CreateLaunchTemplateVersion", params)
            version = answer["LaunchTemplateVersion"]["VersionNumber"]
        default = self._default(new, version, "updateDefaultVersion" in changed, context, id)
        if default is not None and default != old.get("defaultVersion"):
            given = {"LaunchTemplateId": id, "DefaultVersion": str(default)}
            context.call("ec2", "ModifyLaunchTemplate", given)

    def _default(
        self, new: Props, version: int | None, now_latest: bool, context: AwsContext, id: str
    ) -> int | None:
        if new.get("defaultVersion"):
            return int(new["defaultVersion"])
        if not new.get("updateDefaultVersion"):
            return None
        if version is None and now_latest:
            item = super().find(context, id, new) or {}
            return item.get("LatestVersionNumber")
        return version


def _as_asked(found: Props, known: Mapping[str, Any]) -> Props:
    """EC2 drops empty objects and fills in defaults of its own (metadataOptions): of an object that the
    program gave, what it did not give is left out while it says nothing new."""
    result: Props = {}
    for name, value in found.items():
        asked = known.get(name)
        if isinstance(asked, Mapping) and isinstance(value, Mapping):
            result[name] = {k: v for k, v in value.items() if k in asked or v not in ("", None, [])}
        else:
            result[name] = value
    for name in DATA:
        # An empty object, which the API does not tell, is as good as none.
        if name not in result and known.get(name) is not None and canonical(known[name]) in ("{}", "[]"):
            result[name] = known[name]
    return result
