"""Whether the quotas of an account suffice for what the preview would add.

Source of the codes of networks: Service Quotas, "Amazon VPC" and "Amazon EC2". Those of load balancers and
clusters are from lists of third parties; a region that does not list one is reported as not checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from cli.clients.aws import ApiError
from cli.clients.errors import UncheckedError
from cli.estimate.networks import BALANCED, BALANCERS, has_load_balancer
from cli.estimate.nodes import Group
from cli.estimate.resources import Resource
from cli.preflight import demand
from cli.preflight.aws import machines, usage
from cli.preflight.demand import CHECK, Demand, Quota
from cli.preflight.results import Result, not_checked
from cli.preflight.scope import Scope

NAT: Final = "L-FE5A380F"
NETWORK_BALANCERS: Final = "L-69A177A2"
APPLICATION_BALANCERS: Final = "L-53DA6B97"
_COUNTED: Final = {
    "aws:ec2/vpc:Vpc": "L-F678F1CE",
    "aws:ec2/internetGateway:InternetGateway": "L-A4707A72",
    "aws:ec2/eip:Eip": "L-0263D0A3",
    "aws:eks/cluster:Cluster": "L-1194D53C",
}
_SERVICES: Final = {
    "L-F678F1CE": "vpc",
    "L-A4707A72": "vpc",
    NAT: "vpc",
    "L-1194D53C": "eks",
    NETWORK_BALANCERS: "elasticloadbalancing",
    APPLICATION_BALANCERS: "elasticloadbalancing",
}
"""Quota code -> its service, where it is not ec2."""
_ABSENT: Final = "NoSuchResourceException"
_CAPACITY: Final = "ai-platform/capacity"
_GATEWAY: Final = "aws:ec2/natGateway:NatGateway"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_KARPENTER: Final = "kubernetes:karpenter.sh/v1:NodePool"


def check(scope: Scope) -> Iterator[Result]:
    """Compare each quota that the environment counts against."""
    yield from demand.unknown_types(scope.unread)
    for pool in scope.resources.of(_KARPENTER):
        yield not_checked(CHECK, pool.name, "Karpenter chooses its instance types while it runs")
    demands = [*_of_nodes(scope), *_of_networks(scope)]
    in_use = cache(lambda: usage.of_vcpus(scope))
    for code in demand.keys(demands):
        try:
            count = usage.COUNTS.get(code)
            used = count(scope) if count else in_use().get(code, 0.0)
            yield demand.compare(_quota(scope, code, used), demands)
        except UncheckedError as error:
            yield not_checked(CHECK, code, str(error))
    try:
        yield from _nat(scope)
    except UncheckedError as error:
        yield not_checked(CHECK, NAT, str(error))


def _quota(scope: Scope, code: str, used: float) -> Quota:
    service = _SERVICES.get(code, "ec2")
    place = {"ServiceCode": service, "QuotaCode": code}
    try:
        answer = scope.client.call("service-quotas", "get_service_quota", **place)
    except ApiError as error:
        if error.code != _ABSENT:
            raise UncheckedError(str(error)) from error
        # What was never changed has no applied value in some regions.
        try:
            answer = scope.client.call("service-quotas", "get_aws_default_service_quota", **place)
        except ApiError as missing:
            raise UncheckedError(
                f"Service Quotas has no such quota of {service} in {scope.region}"
            ) from missing
    quota: Mapping[str, Any] = answer["Quota"]
    command = (
        f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} "
        f"--region {scope.region} --desired-value "
    )
    name = str(quota["QuotaName"])
    unit = "vCPUs" if code in _VCPU_CODES else ""
    return Quota(code, name, float(quota["Value"]), used, unit, lambda value: f"{command}{value:g}")


_VCPU_CODES: Final = frozenset(code for code, _ in (*machines.ON_DEMAND, *machines.SPOT))


def _of_nodes(scope: Scope) -> Iterator[Demand]:
    types = {group.resource.urn: _types(group) for group in scope.groups}
    sizes = machines.vcpus(scope, (name for names in types.values() for name in names))
    for group in scope.groups:
        names = [name for name in types[group.resource.urn] if name in sizes]
        # A reservation counted when it was created.
        if not names or group.resource.get("labels", {}).get(_CAPACITY) == "reserved":
            continue
        code = machines.code_of(names[0], spot=group.spot)
        if code is not None:
            # The smallest type makes a problem certain; the group prefers the first.
            minimum, maximum = (
                group.minimum * min(sizes[name] for name in names),
                group.maximum * sizes[names[0]],
            )
            if not scope.is_new(group.resource):
                # What runs is in use already.
                minimum, maximum = 0, maximum - minimum
            yield Demand(code, group.resource.name, minimum, maximum)


def _types(group: Group) -> list[str]:
    return [str(name) for name in cast("Sequence[Any]", group.resource.get("instanceTypes", ()))]


def _of_networks(scope: Scope) -> Iterator[Demand]:
    for type_, code in _COUNTED.items():
        for resource in scope.new(type_):
            yield Demand(code, resource.name, 1, 1)
    for resource in scope.new(*BALANCED, *BALANCERS):
        if resource.type in BALANCERS:
            kind = resource.get("loadBalancerType", "application")
            code = NETWORK_BALANCERS if kind == "network" else APPLICATION_BALANCERS
        elif has_load_balancer(resource):
            code = APPLICATION_BALANCERS if resource.type.endswith(":Ingress") else NETWORK_BALANCERS
        else:
            continue
        yield Demand(code, resource.name, 1, 1)


def _nat(scope: Scope) -> Iterator[Result]:
    """Yield the result for NAT gateways, whose quota is of each zone: that of the fullest zone."""
    added = scope.new(_GATEWAY)
    if not added:
        return
    zones = [str(subnet.get("availabilityZoneId", "")) for subnet in scope.resources.of(_SUBNET)]
    new = Counter(_zone(gateway, zones) for gateway in added)
    present = usage.nat_gateways(scope)
    zone = max(sorted(new), key=lambda name: new[name] + present[name])
    source = f"NAT gateways in {zone}" if zone else "NAT gateways"
    quota = _quota(scope, NAT, float(present[zone]))
    yield demand.compare(quota, [Demand(NAT, source, new[zone], new[zone])])


def _zone(gateway: Resource, zones: Sequence[str]) -> str:
    # The id of its subnet is known only at `up`; its name ends with its zone.
    return next((zone for zone in zones if zone and gateway.name.endswith(zone)), "")
