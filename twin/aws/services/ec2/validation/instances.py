"""EC2: launch templates, instances, tags."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.autoscaling.capacity import facts
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]
USER_DATA_BYTES: Final = 16384


def launch_template(params: Params, state: MotoState) -> None:
    """CreateLaunchTemplate, CreateLaunchTemplateVersion."""
    launch(params.get("LaunchTemplateData") or {}, state)


def run_instances(params: Params, state: MotoState) -> None:
    """RunInstances."""
    launch(params, state)
    ami = state.ec2.amis.get(params.get("ImageId"))
    architecture = ami.architecture if ami is not None else None
    known = {**facts(params.get("InstanceType"), state.region), "architecture": architecture}
    stated.check(__name__, "run", {**params, **known}, state)


def launch(data: Params, state: MotoState) -> None:
    """What an instance would be made of: the image, the type, the groups and the cards must exist and fit."""
    stated.check(__name__, "launch", {**data, **facts(data.get("InstanceType"), state.region)}, state)
    _user_data(data.get("UserData"))
    placement = (data.get("Placement") or {}).get("GroupName")
    if placement:
        from twin.aws.services.ec2.operations.placement import placement_groups

        if placement not in placement_groups(state.ec2):
            raise Refusal("InvalidPlacementGroup.Unknown", f"The Placement Group '{placement}' is unknown.")
    profile = (data.get("IamInstanceProfile") or {}).get("Name")
    if profile and profile not in [known.name for known in state.iam.instance_profiles.values()]:
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


RULES: Final = stated.rules(
    __name__,
    {
        "CreateLaunchTemplate": launch_template,
        "CreateLaunchTemplateVersion": launch_template,
        "RunInstances": run_instances,
        "CreateTags": create_tags,
    },
)
