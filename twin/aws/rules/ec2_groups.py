"""EC2: security groups and their rules."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.call import Refusal
from twin.aws.rules.look import Look, network_of

Params = dict[str, Any]
_PROTOCOLS: Final = {"tcp", "udp", "6", "17"}


def create_group(params: Params, look: Look) -> None:
    """CreateSecurityGroup."""
    name = params.get("GroupName") or ""
    if params.get("VpcId"):
        look.vpc(params["VpcId"])
    if name.lower().startswith("sg-"):
        raise Refusal(
            "InvalidParameterValue",
            f"Invalid value '{name}' for groupName. Group names may not be in the format sg-*",
        )
    if name.lower() == "default":
        raise Refusal("InvalidParameterValue", "Cannot use reserved security group name: default")
    if len(name) > 255 or len(params.get("Description") or "") > 255:
        raise Refusal(
            "InvalidParameterValue", "Security group names and descriptions have at most 255 characters"
        )


def authorize(params: Params, look: Look) -> None:
    """AuthorizeSecurityGroupIngress and Egress."""
    if params.get("GroupId"):
        look.group(params["GroupId"])
    listed = params.get("IpPermissions") or [params]
    for each in listed:
        _ports(each)
        for span in each.get("IpRanges") or []:
            network_of(span.get("CidrIp") or "", "CIDR block")
        for span in each.get("Ipv6Ranges") or []:
            network_of(span.get("CidrIpv6") or "", "CIDR block")
        for pair in each.get("UserIdGroupPairs") or []:
            if pair.get("GroupId"):
                look.group(pair["GroupId"])


def _ports(rule: Params) -> None:
    protocol = str(rule.get("IpProtocol") or "").lower()
    low, high = rule.get("FromPort"), rule.get("ToPort")
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


def delete_group(params: Params, look: Look) -> None:
    """DeleteSecurityGroup: not while an interface, an instance or another group's rule uses it."""
    group_id = params.get("GroupId") or ""
    if group_id not in look.groups():
        return  # moto refuses
    users = [
        eni.id for eni in look.ec2.enis.values() if group_id in {each.id for each in eni.group_set or []}
    ]
    for other in look.groups().values():
        if other.id != group_id:
            rules = [*other.ingress_rules, *other.egress_rules]
            if any(group_id == rule.source_group.get("GroupId") for rule in rules):
                users.append(other.id)
    for endpoint in look.ec2.vpc_end_points.values():
        if endpoint.state != "deleted" and group_id in (endpoint.security_group_ids or []):
            users.append(endpoint.id)
    if users:
        raise Refusal(
            "DependencyViolation", f"resource {group_id} has a dependent object ({', '.join(users[:3])})"
        )


RULES: Final = {
    "CreateSecurityGroup": create_group,
    "AuthorizeSecurityGroupIngress": authorize,
    "AuthorizeSecurityGroupEgress": authorize,
    "DeleteSecurityGroup": delete_group,
}
