"""Load balancers, target groups, network interfaces, security groups, and the networks they are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cli.estimate.lines import HOURS
from cli.sweep.claims import tags_of
from cli.sweep.item import NETWORK, Item, Kind, Scope

_BATCH: Final = 20
"""Names or ARNs of one DescribeTags at most. Source: reference of Elastic Load Balancing."""
_HOURLY: Final = {
    "network": "load-balancer/hours",
    "application": "load-balancer/hours",
    "gateway": "load-balancer/gateway-hours",
}


def _networks(scope: Scope) -> Iterator[Item]:
    networks: list[Any] = scope.client.pages("ec2", "describe_vpcs", "Vpcs")
    for network in networks:
        yield Item(NETWORK, str(network["VpcId"]), tags=tags_of(network.get("Tags")), evidence=True)


def _balancers(scope: Scope) -> Iterator[Item]:
    balancers: list[Any] = scope.client.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    tags = _tags(scope, [str(balancer["LoadBalancerArn"]) for balancer in balancers])
    for balancer in balancers:
        arn = str(balancer["LoadBalancerArn"])
        yield Item(
            "load balancer",
            arn,
            name=str(balancer["LoadBalancerName"]),
            tags=tags.get(arn, {}),
            since=str(balancer.get("CreatedTime", "")),
            network=str(balancer.get("VpcId", "")),
            costs=((_HOURLY[str(balancer["Type"])], HOURS),),
            command=f"aws --region {scope.region} elbv2 delete-load-balancer --load-balancer-arn {arn}",
            delete=lambda client, arn=arn: client.call("elbv2", "delete_load_balancer", LoadBalancerArn=arn),
        )


def _classic_balancers(scope: Scope) -> Iterator[Item]:
    balancers: list[Any] = scope.client.pages("elb", "describe_load_balancers", "LoadBalancerDescriptions")
    names = [str(balancer["LoadBalancerName"]) for balancer in balancers]
    tags: dict[str, Mapping[str, str]] = {}
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        answer = scope.client.call("elb", "describe_tags", LoadBalancerNames=batch)
        for entry in answer["TagDescriptions"]:
            tags[str(entry["LoadBalancerName"])] = tags_of(entry.get("Tags"))
    for balancer in balancers:
        name = str(balancer["LoadBalancerName"])
        yield Item(
            "classic load balancer",
            name,
            name=name,
            tags=tags.get(name, {}),
            since=str(balancer.get("CreatedTime", "")),
            network=str(balancer.get("VPCId") or ""),
            costs=(("load-balancer/classic-hours", HOURS),),
            command=f"aws --region {scope.region} elb delete-load-balancer --load-balancer-name {name}",
            delete=lambda client, name=name: client.call(
                "elb", "delete_load_balancer", LoadBalancerName=name
            ),
        )


def _target_groups(scope: Scope) -> Iterator[Item]:
    groups: list[Any] = scope.client.pages("elbv2", "describe_target_groups", "TargetGroups")
    tags = _tags(scope, [str(group["TargetGroupArn"]) for group in groups])
    for group in groups:
        arn = str(group["TargetGroupArn"])
        yield Item(
            "target group",
            arn,
            name=str(group["TargetGroupName"]),
            tags=tags.get(arn, {}),
            network=str(group.get("VpcId", "")),
            command=f"aws --region {scope.region} elbv2 delete-target-group --target-group-arn {arn}",
            delete=lambda client, arn=arn: client.call("elbv2", "delete_target_group", TargetGroupArn=arn),
        )


def _tags(scope: Scope, arns: Sequence[str]) -> dict[str, Mapping[str, str]]:
    """Return ARN -> tags of load balancers or target groups."""
    tags: dict[str, Mapping[str, str]] = {}
    for start in range(0, len(arns), _BATCH):
        batch = list(arns[start : start + _BATCH])
        answer = scope.client.call("elbv2", "describe_tags", ResourceArns=batch)
        for entry in answer["TagDescriptions"]:
            tags[str(entry["ResourceArn"])] = tags_of(entry.get("Tags"))
    return tags


def _interfaces(scope: Scope) -> Iterator[Item]:
    """Yield the network interfaces that nothing uses: others are deleted with what uses them."""
    free = {"Name": "status", "Values": ["available"]}
    interfaces: list[Any] = scope.client.pages(
        "ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=[free]
    )
    for interface in interfaces:
        id = str(interface["NetworkInterfaceId"])
        yield Item(
            "network interface",
            id,
            tags=tags_of(interface.get("TagSet")),
            network=str(interface.get("VpcId", "")),
            command=f"aws --region {scope.region} ec2 delete-network-interface --network-interface-id {id}",
            delete=lambda client, id=id: client.call(
                "ec2", "delete_network_interface", NetworkInterfaceId=id
            ),
        )


def _security_groups(scope: Scope) -> Iterator[Item]:
    groups: list[Any] = scope.client.pages("ec2", "describe_security_groups", "SecurityGroups")
    for group in groups:
        # The default group of a VPC is deleted with it.
        if group["GroupName"] == "default":
            continue
        id = str(group["GroupId"])
        yield Item(
            "security group",
            id,
            name=str(group["GroupName"]),
            tags=tags_of(group.get("Tags")),
            network=str(group.get("VpcId", "")),
            command=f"aws --region {scope.region} ec2 delete-security-group --group-id {id}",
            delete=lambda client, id=id: client.call("ec2", "delete_security_group", GroupId=id),
        )


NETWORKS: Final = Kind(NETWORK, _networks)
BALANCERS: Final = Kind("load balancer", _balancers)
CLASSIC_BALANCERS: Final = Kind("classic load balancer", _classic_balancers)
TARGET_GROUPS: Final = Kind("target group", _target_groups)
INTERFACES: Final = Kind("network interface", _interfaces)
SECURITY_GROUPS: Final = Kind("security group", _security_groups)
