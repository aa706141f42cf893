"""EC2: security groups and their rules."""

from __future__ import annotations

import re
from typing import Any, Final

from twin.aws.api_server.request import Refusal
from twin.aws.services.ec2.quotas import RULES_PER_GROUP
from twin.aws.validation.moto_state import MotoState, network_of

Params = dict[str, Any]
_PROTOCOLS: Final = {"tcp", "udp", "6", "17"}
_NAMED: Final = frozenset({"tcp", "udp", "icmp", "icmpv6", "-1"})
"""Protocols with a name; all others are numbers up to 255."""
_LAST_PROTOCOL: Final = 255
_CHARACTERS: Final = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
_DESCRIPTION: Final = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")


def create_group(params: Params, state: MotoState) -> None:
    """CreateSecurityGroup."""
    name = params.get("GroupName") or ""
    if params.get("VpcId"):
        state.vpc(params["VpcId"])
    if name.lower().startswith("sg-"):
        raise Refusal(
            "InvalidParameterValue",
            f"Invalid value '{name}' for groupName. Group names may not be in the format sg-*",
        )
    if name.lower() == "default":
        raise Refusal("InvalidParameterValue", "Cannot use reserved security group name: default")
    if not _DESCRIPTION.fullmatch(name):
        raise Refusal("InvalidParameterValue", f"Invalid security group name: {_valid(name)}")
    description = params.get("Description") or ""
    if not _DESCRIPTION.fullmatch(description):
        raise Refusal("InvalidParameterValue", f"Invalid security group description. {_valid(description)}")


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
        _ports(permission)
        sources = [
            *[(span.get("CidrIp") or "", span) for span in permission.get("IpRanges") or []],
            *[(span.get("CidrIpv6") or "", span) for span in permission.get("Ipv6Ranges") or []],
        ]
        for cidr, _ in sources:
            network_of(cidr, "CIDR block")
        pairs = permission.get("UserIdGroupPairs") or []
        for pair in pairs:
            if pair.get("GroupId"):
                _same_network(state.group(pair["GroupId"]), group)
        for source in [*[span for _, span in sources], *pairs]:
            description = source.get("Description") or ""
            if not _DESCRIPTION.fullmatch(description):
                raise Refusal("InvalidParameterValue", f"Invalid rule description. {_valid(description)}")
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


def _valid(got: str) -> str:
    return (
        f"Valid descriptions are strings less than 256 characters from the following set: {_CHARACTERS} "
        f"(got {got!r})"
    )


def _ports(rule: Params) -> None:
    protocol = str(rule.get("IpProtocol") or "").lower()
    low, high = rule.get("FromPort"), rule.get("ToPort")
    if protocol and protocol not in _NAMED and not (protocol.isdigit() and int(protocol) <= _LAST_PROTOCOL):
        raise Refusal(
            "InvalidParameterValue", f"Invalid value '{protocol}' for IP protocol. Unknown protocol."
        )
    if protocol in _PROTOCOLS:
        if low is None or high is None:
            raise Refusal(
                "InvalidParameterValue",
                f"Invalid value 'Must specify both from and to ports with TCP/UDP.' for "
                f"portRange ({protocol})",
            )
        for port in (int(low), int(high)):
            if not 0 <= port <= 65535:
                raise Refusal(
                    "InvalidParameterValue", f"Invalid value '{port}' for port: 0 to 65535 is valid."
                )
        if int(low) > int(high):
            raise Refusal("InvalidParameterValue", f"Invalid TCP/UDP port range ({low}:{high})")


def delete_group(params: Params, state: MotoState) -> None:
    """DeleteSecurityGroup: not while an interface, a load balancer or another group's rule uses it."""
    group_id = params.get("GroupId") or ""
    if group_id not in state.groups():
        return  # moto refuses
    users = [
        eni.id
        for eni in state.ec2.enis.values()
        if group_id in {security_group.id for security_group in eni.group_set or []}
    ]
    for other in state.groups().values():
        if other.id != group_id:
            rules = [*other.ingress_rules, *other.egress_rules]
            if any(group_id == rule.source_group.get("GroupId") for rule in rules):
                users.append(other.id)
    for endpoint in state.ec2.vpc_end_points.values():
        if endpoint.state != "deleted" and group_id in (endpoint.security_group_ids or []):
            users.append(endpoint.id)
    users += [name for name, _, groups in state.load_balancers() if group_id in groups]
    if users:
        raise Refusal(
            "DependencyViolation", f"resource {group_id} has a dependent object ({', '.join(users[:3])})"
        )


RULES: Final = {
    "CreateSecurityGroup": create_group,
    "AuthorizeSecurityGroupIngress": ingress,
    "AuthorizeSecurityGroupEgress": egress,
    "DeleteSecurityGroup": delete_group,
}
