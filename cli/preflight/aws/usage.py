"""What is in use of an account's quotas in a region, counted by what there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from cli.preflight.aws import machines
from cli.preflight.scope import Scope

_RUNNING: Final = ("pending", "running", "stopping")
_NAT_STATES: Final = ("pending", "available", "deleting")


def of_vcpus(scope: Scope) -> dict[str, float]:
    """Return quota code -> vCPUs of the instances that run, and of what active reservations hold back."""
    states = {"Name": "instance-state-name", "Values": list(_RUNNING)}
    reservations: list[Any] = scope.client.pages(
        "ec2", "describe_instances", "Reservations", Filters=[states]
    )
    running = Counter(
        (str(instance["InstanceType"]), instance.get("InstanceLifecycle") == "spot")
        for reservation in reservations
        for instance in reservation["Instances"]
    )
    for entry in of_reservations(scope):
        if entry["State"] == "active":
            running[str(entry["InstanceType"]), False] += int(entry["AvailableInstanceCount"])
    sizes = machines.vcpus(scope, (instance_type for instance_type, _ in running))
    used: dict[str, float] = {}
    for (instance_type, spot), count in running.items():
        code = machines.code_of(instance_type, spot=spot)
        if code is not None:
            used[code] = used.get(code, 0) + count * sizes.get(instance_type, 0)
    return used


def of_reservations(scope: Scope) -> list[Mapping[str, Any]]:
    """Return the capacity reservations of the account."""
    return scope.client.pages("ec2", "describe_capacity_reservations", "CapacityReservations")


def nat_gateways(scope: Scope) -> Counter[str]:
    """Return id of a zone -> NAT gateways in it."""
    states = {"Name": "state", "Values": list(_NAT_STATES)}
    gateways: list[Any] = scope.client.pages("ec2", "describe_nat_gateways", "NatGateways", Filter=[states])
    zones = zones_of_subnets(scope, [str(gateway["SubnetId"]) for gateway in gateways])
    return Counter(zones[str(gateway["SubnetId"])] for gateway in gateways)


def zones_of_subnets(scope: Scope, subnets: list[str]) -> dict[str, str]:
    """Return id of a subnet -> id of its zone."""
    if not subnets:
        return {}
    ids = sorted(set(subnets))
    entries: list[Any] = scope.client.pages("ec2", "describe_subnets", "Subnets", SubnetIds=ids)
    return {str(entry["SubnetId"]): str(entry["AvailabilityZoneId"]) for entry in entries}


def _count(service: str, operation: str, key: str) -> Callable[[Scope], float]:
    return lambda scope: len(scope.client.pages(service, operation, key))


def _load_balancers(kind: str) -> Callable[[Scope], float]:
    def count(scope: Scope) -> float:
        balancers: list[Any] = scope.client.pages("elbv2", "describe_load_balancers", "LoadBalancers")
        return sum(balancer["Type"] == kind for balancer in balancers)

    return count


COUNTS: Final[Mapping[str, Callable[[Scope], float]]] = {
    "L-F678F1CE": _count("ec2", "describe_vpcs", "Vpcs"),
    "L-A4707A72": _count("ec2", "describe_internet_gateways", "InternetGateways"),
    "L-0263D0A3": _count("ec2", "describe_addresses", "Addresses"),
    "L-1194D53C": _count("eks", "list_clusters", "clusters"),
    "L-69A177A2": _load_balancers("network"),
    "L-53DA6B97": _load_balancers("application"),
}
"""Quota code -> the count of what exists."""
