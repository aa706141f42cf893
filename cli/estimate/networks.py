"""Endpoints, addresses, NAT of Google Cloud, load balancers: what networks cost by the hour."""

from __future__ import annotations

from typing import Any, Final, cast

from cli.estimate.context import Context
from cli.estimate.lines import HOURS, Amounts, always
from cli.estimate.resources import Resource, at

ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
ADDRESSES: Final = ("gcp:compute/address:Address", "gcp:compute/globalAddress:GlobalAddress")
NAT: Final = "gcp:compute/routerNat:RouterNat"
BALANCED: Final = (
    "kubernetes:core/v1:Service",
    "kubernetes:gateway.networking.k8s.io/v1:Gateway",
    "kubernetes:networking.k8s.io/v1:Ingress",
)
BALANCERS: Final = ("aws:lb/loadBalancer:LoadBalancer", "gcp:compute/forwardingRule:ForwardingRule")
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_NAT_NODES: Final = 32
"""Cloud NAT charges for at most so many machines."""


def add(context: Context, node_hours: Amounts) -> None:
    """Add the lines of networks. node_hours: of all nodes together."""
    for resource in context.resources.of(ENDPOINT):
        _endpoint(context, resource)
    for resource in context.resources.of(*ADDRESSES):
        _address(context, resource)
    for resource in context.resources.of(NAT):
        most = _NAT_NODES * HOURS
        hours = Amounts(*(min(most, n) for n in (node_hours.idle, node_hours.expected, node_hours.maximum)))
        context.add(resource, "NAT, hours of nodes", "nat/vm-hours", hours, "network")
    for resource in context.resources.of(*BALANCED, *BALANCERS):
        if resource.type in BALANCERS or has_load_balancer(resource):
            _balancer(context, resource)


def _endpoint(context: Context, resource: Resource) -> None:
    kind = resource.get("vpcEndpointType", "Gateway")
    if kind == "Gateway":
        return  # Free.
    if kind != "Interface":
        context.refuse(resource, f"no rule for an endpoint of type {kind}")
        return
    subnets: Any = resource.get("subnetIds")
    if isinstance(subnets, list):
        zones = len(cast("list[Any]", subnets))
    else:
        # Known only at `up`: one in each zone of the network.
        zones = len({subnet.get("availabilityZoneId") for subnet in context.resources.of(_SUBNET)} - {None})
    if not zones:
        context.refuse(resource, "its subnets are known only at `up`")
        return
    item = f"endpoint in {zones} zones"
    context.add(resource, item, "endpoint/hours", always(zones * HOURS), "network")


def _address(context: Context, resource: Resource) -> None:
    # An internal address and a range for private services are free. `addressType` is EXTERNAL by default.
    if resource.get("addressType", "EXTERNAL") == "EXTERNAL":
        context.add(resource, "public address", "address/in-use", always(HOURS), "network")


def has_load_balancer(resource: Resource) -> bool:
    """Whether a controller creates a load balancer for an object of Kubernetes."""
    if resource.type == BALANCED[0]:
        return at(resource.inputs, "spec.type") == "LoadBalancer"
    return True


def _balancer(context: Context, resource: Resource) -> None:
    price = "load-balancer/hours" if context.table.cloud == "aws" else "forwarding-rule/hours"
    context.add(resource, "load balancer", price, always(HOURS), "network")
    context.note("load balancers: their data and capacity units are not estimated")
