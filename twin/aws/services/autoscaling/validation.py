"""Auto Scaling: sizes in order, references that exist."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def sizes(params: Params, state: MotoState) -> None:
    """CreateAutoScalingGroup, UpdateAutoScalingGroup."""
    group = state.autoscaling.autoscaling_groups.get(params.get("AutoScalingGroupName"))
    least = _number(params, "MinSize", group.min_size if group else 0)
    most = _number(params, "MaxSize", group.max_size if group else 0)
    if least > most:
        raise Refusal(
            "ValidationError", f"Max bound, {most}, must be greater than or equal to min bound, {least}"
        )
    desired = params.get("DesiredCapacity")
    if desired is not None and not least <= int(desired) <= most:
        raise Refusal(
            "ValidationError",
            f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}",
        )
    for subnet in filter(None, str(params.get("VPCZoneIdentifier") or "").split(",")):
        try:
            state.subnet(subnet)
        except Refusal:
            raise Refusal("ValidationError", f"The subnet ID '{subnet}' does not exist") from None


def desired(params: Params, state: MotoState) -> None:
    """SetDesiredCapacity."""
    group = state.autoscaling.autoscaling_groups.get(params.get("AutoScalingGroupName"))
    if group is None:
        raise Refusal(
            "ValidationError", f"AutoScalingGroup name not found - {params.get('AutoScalingGroupName')}"
        )
    wanted = int(params.get("DesiredCapacity") or 0)
    if wanted > group.max_size:
        raise Refusal(
            "ValidationError",
            f"New SetDesiredCapacity value {wanted} is above max value {group.max_size} "
            f"for the AutoScalingGroup.",
        )
    if wanted < group.min_size:
        raise Refusal(
            "ValidationError",
            f"New SetDesiredCapacity value {wanted} is below min value {group.min_size} "
            f"for the AutoScalingGroup.",
        )


def tags(params: Params, state: MotoState) -> None:
    """CreateOrUpdateTags: the groups must exist."""
    for tag in params.get("Tags") or []:
        name = tag.get("ResourceId")
        if name not in state.autoscaling.autoscaling_groups:
            raise Refusal(
                "ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
            )


def _number(params: Params, name: str, default: Any) -> int:
    value = params.get(name)
    return int(default or 0) if value is None else int(value)


RULES: Final = {
    "CreateAutoScalingGroup": sizes,
    "UpdateAutoScalingGroup": sizes,
    "SetDesiredCapacity": desired,
    "CreateOrUpdateTags": tags,
}
