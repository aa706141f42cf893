"""EC2: security groups and their rules."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.ec2.quotas import RULES_PER_GROUP
from twin.aws.validation import stated
from twin.aws.validation.moto_state import MotoState, network_of

Params = dict[str, Any]


def ingress(params: Params, state: MotoState) -> None:
    """AuthorizeSecurityGroupIngress."""
    _authorize(params, state, "ingress_rules")


def egress(params: Params, state: MotoState) -> None:
    """AuthorizeSecurityGroupEgress."""
    _authorize(params, state, "egress_rules")


def _authorize(params: Params, state: MotoState, direction: str) -> None:
    group = state.group(params["GroupId"]) if params.get("GroupId") else None
    permissions = params.get("IpPermissions") or [params]
    for permission in permissions:
        stated.check(__name__, "permission", permission, state)
        ranges = [*(permission.get("IpRanges") or []), *(permission.get("Ipv6Ranges") or [])]
        for span in ranges:
            network_of(span.get("CidrIp") or span.get("CidrIpv6") or "", "CIDR block")
        for pair in permission.get("UserIdGroupPairs") or []:
            if pair.get("GroupId"):
                _same_network(state.group(pair["GroupId"]), group)
    if group is not None:
        _count(group, permissions, direction)


def _same_network(other: Any, group: Any | None) -> None:
    if group is not None and other.vpc_id != group.vpc_id:
        raise Refusal(
            "InvalidGroup.NotFound",
            f"You have specified two resources that belong to different networks. ({group.id} is of "
            f"{group.vpc_id}, {other.id} of {other.vpc_id})",
        )


def _count(group: Any, permissions: list[Params], direction: str) -> None:
    # Each range, prefix list and group of a permission is a separate rule; IPv6 has a separate quota.
    kinds = ("IpRanges", "UserIdGroupPairs", "PrefixListIds")
    more = sum(len(permission.get(kind) or []) for permission in permissions for kind in kinds)
    count = sum(not rule.ip_range.get("CidrIpv6") for rule in getattr(group, direction))
    if count + more > RULES_PER_GROUP:
        raise Refusal(
            "RulesPerSecurityGroupLimitExceeded",
            f"The maximum number of rules per security group has been reached. ({group.id} has {count}, "
            f"{more} more make more than {RULES_PER_GROUP})",
        )


RULES: Final = stated.rules(
    __name__,
    {
        "AuthorizeSecurityGroupIngress": ingress,
        "AuthorizeSecurityGroupEgress": egress,
    },
)
