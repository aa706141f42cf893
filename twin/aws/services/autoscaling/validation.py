"""Auto Scaling: sizes in order, references that exist."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.validation import stated
from twin.aws.validation.extension_store import with_values
from twin.aws.validation.moto_state import MotoState

Params = dict[str, Any]


def sizes(params: Params, state: MotoState) -> None:
    """CreateAutoScalingGroup, UpdateAutoScalingGroup."""
    group = state.autoscaling.autoscaling_groups.get(params.get("AutoScalingGroupName"))
    before = {"MinSize": group.min_size, "MaxSize": group.max_size} if group else {"MinSize": 0, "MaxSize": 0}
    stated.check(__name__, "sizes", {**before, **with_values(params)}, state)
    for subnet in filter(None, str(params.get("VPCZoneIdentifier") or "").split(",")):
        try:
            state.subnet(subnet)
        except Refusal:
            raise Refusal("ValidationError", f"The subnet ID '{subnet}' does not exist") from None


RULES: Final = stated.rules(__name__, {"CreateAutoScalingGroup": sizes, "UpdateAutoScalingGroup": sizes})
