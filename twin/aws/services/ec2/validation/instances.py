"""EC2: launch templates, instances, tags."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.autoscaling.capacity import instance_type_info, offered, zones_offering
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
USER_DATA_BYTES: Final = 16384
_TEMPLATE_NAME: Final = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")


def launch_template(params: Params, state: MotoState) -> None:
    """CreateLaunchTemplate, CreateLaunchTemplateVersion."""
    name = params.get("LaunchTemplateName")
    if name and not _TEMPLATE_NAME.fullmatch(name):
        raise Refusal(
            "InvalidParameterValue",
            f"Invalid launch template name '{name}': 3 to 128 letters, digits and ()./_- ",
        )
    launch(params.get("LaunchTemplateData") or {}, state)


def run_instances(params: Params, state: MotoState) -> None:
    """RunInstances."""
    launch(params, state)
    kind = params.get("InstanceType")
    if kind and params.get("ImageId"):
        _architectures(kind, params["ImageId"], state)
    if kind and params.get("SubnetId"):
        zone = state.subnet(params["SubnetId"]).availability_zone
        if not offered(kind, zone):
            raise Refusal(
                "Unsupported",
                f"Your requested instance type ({kind}) is not supported in your requested "
                f"Availability Zone ({zone}). "
                f"Please retry your request by not specifying an Availability Zone or choosing "
                f"{', '.join(zones_offering(kind, state.region))}.",
            )


def launch(data: Params, state: MotoState) -> None:
    """What an instance would be made of: the image, the type, the groups and the cards must exist and fit."""
    image = data.get("ImageId")
    if image and not image.startswith("resolve:ssm:") and image not in state.ec2.amis:
        raise Refusal("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
    kind = data.get("InstanceType")
    if kind and instance_type_info(kind) is None:
        raise Refusal("InvalidParameterValue", f"Invalid value '{kind}' for InstanceType.")
    if kind and not zones_offering(kind, state.region):
        raise Refusal(
            "Unsupported",
            f"The requested configuration is currently not supported: {kind} is not "
            f"offered in {state.region}.",
        )
    for group in data.get("SecurityGroupIds") or []:
        state.group(group)
    _user_data(data.get("UserData"))
    cards = data.get("NetworkInterfaces") or []
    if cards and data.get("SecurityGroupIds"):
        raise Refusal(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level security groups may not be "
            "specified on the same request",
        )
    _cards(cards, kind, state)
    placement = (data.get("Placement") or {}).get("GroupName")
    if placement:
        from twin.aws.services.ec2.operations.placement import placement_groups

        if placement not in placement_groups(state.ec2):
            raise Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{placement}' is unknown.")
    _volumes(data, state)
    profile = (data.get("IamInstanceProfile") or {}).get("Name")
    if profile and profile not in [
        instance_profile.name for instance_profile in state.iam.instance_profiles.values()
    ]:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ({profile}) for parameter iamInstanceProfile.name is invalid. "
            f"Invalid IAM Instance Profile name",
        )


def _user_data(text: str | None) -> None:
    if not text:
        return
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        raise Refusal("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None
    if size > USER_DATA_BYTES:
        raise Refusal("InvalidParameterValue", f"User data is limited to {USER_DATA_BYTES} bytes")


def _architectures(kind: str, image: str, state: MotoState) -> None:
    info, ami = instance_type_info(kind), state.ec2.amis.get(image)
    known = (info or {}).get("ProcessorInfo", {}).get("SupportedArchitectures") or []
    if known and ami is not None and ami.architecture and ami.architecture not in known:
        raise Refusal(
            "InvalidParameterValue",
            f"The architecture '{','.join(known)}' of the specified instance type does not match the "
            f"architecture '{ami.architecture}' of the specified AMI. Specify an instance type and an AMI "
            f"that have matching architectures, and try again.",
        )


def _cards(cards: list[Params], kind: str | None, state: MotoState) -> None:
    info = instance_type_info(kind) if kind else None
    seen: set[tuple[int, int]] = set()
    for card in cards:
        for group in card.get("Groups") or []:
            state.group(group)
        if card.get("SubnetId"):
            state.subnet(card["SubnetId"])
        place = (int(card.get("NetworkCardIndex") or 0), int(card.get("DeviceIndex") or 0))
        if place in seen:
            raise Refusal(
                "InvalidParameterValue",
                f"Each network interface requires a unique device index on its network "
                f"card, got {place[1]} twice on card {place[0]}.",
            )
        seen.add(place)
        if (
            card.get("InterfaceType") in ("efa", "efa-only")
            and info
            and not info["NetworkInfo"].get("EfaSupported")
        ):
            raise Refusal("InvalidParameterCombination", f"EFA interfaces are not supported on {kind}.")
        if place == (0, 0) and card.get("InterfaceType") == "efa-only":
            raise Refusal(
                "InvalidParameterCombination", "The primary network interface must not be of type efa-only."
            )


def _volumes(data: Params, state: MotoState) -> None:
    for block_device_mapping in data.get("BlockDeviceMappings") or []:
        volume = block_device_mapping.get("Ebs") or {}
        key = volume.get("KmsKeyId")
        if key and state.key(key) is None:
            raise Refusal(
                "InvalidParameterValue",
                f"The KMS key {key} of {block_device_mapping.get('DeviceName')} does not exist",
            )
        if key and str(volume.get("Encrypted")).lower() == "false":
            raise Refusal(
                "InvalidParameterDependency",
                "The parameter KmsKeyId requires the parameter Encrypted to be set.",
            )
        size = int(volume.get("VolumeSize") or 1)
        if not 1 <= size <= 65536:
            raise Refusal("InvalidParameterValue", f"Volume of {size}GiB is not valid: 1 to 65536 is")
        if (
            volume.get("Iops")
            and volume.get("VolumeType") == "gp3"
            and not 3000 <= int(volume["Iops"]) <= 80000
        ):
            raise Refusal(
                "InvalidParameterValue",
                f"Volume iops of {volume['Iops']} is not valid for gp3: 3000 to 80000 is",
            )


def create_tags(params: Params, state: MotoState) -> None:
    """CreateTags: the resources must exist, where their kind is known here."""
    ec2 = state.ec2
    known: dict[str, Any] = {
        "vpc": ec2.vpcs,
        "subnet": {key for zone in ec2.subnets.values() for key in zone},
        "sg": state.groups(),
        "igw": ec2.internet_gateways,
        "nat": ec2.nat_gateways,
        "rtb": ec2.route_tables,
        "lt": ec2.launch_templates,
        "vpce": ec2.vpc_end_points,
        "ami": ec2.amis,
        "vol": ec2.volumes,
        "eni": ec2.enis,
    }
    for resource in params.get("Resources") or []:
        prefix = resource.split("-", 1)[0]
        if prefix in known and resource not in known[prefix]:
            raise Refusal("InvalidID", f"The ID '{resource}' is not valid")


RULES: Final = {
    "CreateLaunchTemplate": launch_template,
    "CreateLaunchTemplateVersion": launch_template,
    "RunInstances": run_instances,
    "CreateTags": create_tags,
}
