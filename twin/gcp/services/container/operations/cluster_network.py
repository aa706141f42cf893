"""A cluster's addresses: its subnetwork, the ranges of Pods and Services, the control plane's own block."""

from __future__ import annotations

import hashlib
from ipaddress import IPv4Network
from typing import Final

from twin.gcp.api_server.errors import invalid
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.services.container.operations import references
from twin.gcp.services.container.operations.resource_names import Place

DEFAULT_PODS: Final = 110
_DOCKER: Final = IPv4Network("172.17.0.0/16")
_PRIVATE: Final = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"))
)


def settle(call: Call, place: Place, body: Body) -> None:
    """Check the addresses, and write what GKE makes of them into the body.

    Raises 400 for what does not exist, overlaps or is too small.
    """
    network = references.network(call.state, place.project, body.get("network", ""), "cluster.network")
    if not body.get("subnetwork"):
        raise invalid(
            f"cluster.subnetwork: a subnetwork must be given: network {network.rpartition('/')[2]} is in "
            "custom subnet mode."
        )
    name, subnet = references.subnetwork(
        call.state, place.project, place.region, body["subnetwork"], "cluster.subnetwork"
    )
    if references.relative(subnet["network"]) != network:
        raise invalid(
            f"cluster.subnetwork: Subnetwork {subnet['name']} is of network "
            f"{subnet['network'].rpartition('/')[2]}, not of {network.rpartition('/')[2]}."
        )
    body["network"], body["subnetwork"] = network.rpartition("/")[2], name.rpartition("/")[2]
    settings = body.setdefault("networkConfig", {})
    settings.update(network=network, subnetwork=name)
    pods, services = _ranges(call, place, body, name, subnet)
    if pods.overlaps(services):
        raise invalid(
            f"cluster.ipAllocationPolicy: the Pods range {pods} and the Services range {services} overlap."
        )
    _master(call, body, network, place)


def _ranges(call: Call, place: Place, body: Body, name: str, subnet: Body) -> tuple[IPv4Network, IPv4Network]:
    policy = body.setdefault("ipAllocationPolicy", {})
    if not policy.get("useIpAliases"):
        raise invalid(
            "cluster.ipAllocationPolicy.useIpAliases: must be true: the twin plays VPC-native clusters only, "
            "and private nodes, Dataplane V2 and Workload Identity need one."
        )
    path = "cluster.ipAllocationPolicy"
    first, second = policy.get("clusterSecondaryRangeName"), policy.get("servicesSecondaryRangeName")
    if first and first == second:
        raise invalid(f"{path}: Pods and Services cannot use the same secondary range ({first}).")
    for ranged, block in (
        ("clusterSecondaryRangeName", "clusterIpv4CidrBlock"),
        ("servicesSecondaryRangeName", "servicesIpv4CidrBlock"),
    ):
        if policy.get(ranged) and policy.get(block):
            raise invalid(f"{path}.{block}: cannot be specified together with {ranged}.")
    pods = (
        references.secondary(subnet, first, f"{path}.clusterSecondaryRangeName")
        if first
        else _make(call, place, policy, name, "pods", "/14")
    )
    subnet = call.state.get(f"compute/{name}") or subnet
    services = (
        references.secondary(subnet, second, f"{path}.servicesSecondaryRangeName")
        if second
        else _make(call, place, policy, name, "services", "/20")
    )
    if not 8 <= services.prefixlen <= 27:
        raise invalid(f"{path}: the Services range {services} must be from /8 to /27.")
    if not 8 <= pods.prefixlen <= 26:
        raise invalid(f"{path}: the Pods range {pods} must be from /8 to /26.")
    policy.update(
        clusterIpv4Cidr=str(pods),
        clusterIpv4CidrBlock=str(pods),
        servicesIpv4Cidr=str(services),
        servicesIpv4CidrBlock=str(services),
        stackType=policy.get("stackType", "IPV4"),
        podCidrOverprovisionConfig=policy.get("podCidrOverprovisionConfig") or {},
        defaultPodIpv4RangeUtilization=0.0,
    )
    policy.setdefault("clusterSecondaryRangeName", _generated_name(place, "pods"))
    policy.setdefault("servicesSecondaryRangeName", _generated_name(place, "services"))
    body.update(clusterIpv4Cidr=str(pods), servicesIpv4Cidr=str(services))
    return pods, services


def _generated_name(place: Place, what: str) -> str:
    digest = hashlib.sha256(f"{place.cluster_name}/{what}".encode()).hexdigest()[:8]
    return f"gke-{place.cluster}-{what}-{digest}"


def _make(call: Call, place: Place, policy: Body, name: str, what: str, default: str) -> IPv4Network:
    """A secondary range of GKE's own on the subnetwork: a given block, or a free one of the wanted size."""
    field = "clusterIpv4CidrBlock" if what == "pods" else "servicesIpv4CidrBlock"
    requested = policy.get(field) or default
    subnet = call.state.get(f"compute/{name}") or {}
    taken = references.ranges_of(call.state, references.relative(subnet["network"]))
    if requested.startswith("/"):
        sizes = requested.removeprefix("/")
        if not sizes.isdigit() or not 8 <= int(sizes) <= 28:
            raise invalid(f"cluster.ipAllocationPolicy.{field}: '{requested}' is no size of a block, as /16.")
        candidates = _PRIVATE[0].subnets(new_prefix=max(int(sizes), 9))
        block = next(
            (candidate for candidate in candidates if not references.overlap(candidate, taken)), None
        )
        if block is None:
            raise invalid(
                f"cluster.ipAllocationPolicy.{field}: no free block of size {requested} in 10.0.0.0/8."
            )
    else:
        block = references.cidr(requested, f"cluster.ipAllocationPolicy.{field}")
        other = references.overlap(block, taken)
        if other:
            raise invalid(f"cluster.ipAllocationPolicy.{field}: {block} overlaps with {other}.")
    generated = _generated_name(place, what)
    generated_range = {"rangeName": generated, "ipCidrRange": str(block)}
    secondary = [*(subnet.get("secondaryIpRanges") or ()), generated_range]
    call.state.put(f"compute/{name}", {**subnet, "secondaryIpRanges": secondary})
    return block


def forget_ranges(state: State, place: Place, body: Body) -> None:
    """Take the secondary ranges away that GKE made for the cluster."""
    name = f"compute/{body['networkConfig']['subnetwork']}"
    subnet = state.get(name)
    if subnet is None:
        return
    generated = {_generated_name(place, "pods"), _generated_name(place, "services")}
    ranges: list[Body] = subnet.get("secondaryIpRanges") or []
    left = [part for part in ranges if part["rangeName"] not in generated]
    if left != ranges:
        state.put(name, {**subnet, "secondaryIpRanges": left})


def _master(call: Call, body: Body, network: str, place: Place) -> None:
    private = body.get("privateClusterConfig") or {}
    path = "cluster.privateClusterConfig"
    block = private.get("masterIpv4CidrBlock")
    subnet = private.get("privateEndpointSubnetwork") or (
        (body.get("controlPlaneEndpointsConfig") or {}).get("ipEndpointsConfig") or {}
    ).get("privateEndpointSubnetwork")
    if block and subnet:
        raise invalid(f"{path}: masterIpv4CidrBlock and privateEndpointSubnetwork cannot both be given.")
    if block:
        _master_block(call, references.cidr(block, f"{path}.masterIpv4CidrBlock"), network)
    if subnet:
        references.subnetwork(
            call.state, place.project, place.region, subnet, f"{path}.privateEndpointSubnetwork"
        )
    authorized = (body.get("masterAuthorizedNetworksConfig") or {}).get("enabled")
    if private.get("enablePrivateEndpoint") and not authorized and not _new_style(body):
        raise invalid("Master authorized networks must be enabled with private endpoint.")


def _new_style(body: Body) -> bool:
    return bool((body.get("controlPlaneEndpointsConfig") or {}).get("ipEndpointsConfig"))


def _master_block(call: Call, block: IPv4Network, network: str) -> None:
    path = "cluster.privateClusterConfig.masterIpv4CidrBlock"
    if block.prefixlen != 28:
        raise invalid(f"{path}: Invalid master IPv4 CIDR block size: {block} must be a /28.")
    if not any(block.subnet_of(private_range) for private_range in _PRIVATE):
        raise invalid(f"{path}: {block} must be a private (RFC 1918) block.")
    if block.overlaps(_DOCKER):
        raise invalid(f"{path}: {block} overlaps with {_DOCKER}, which the nodes use themselves.")
    other = references.overlap(block, references.ranges_of(call.state, network))
    if other:
        raise invalid(
            f"{path}: The given master CIDR {block} overlaps with {other} of network "
            f"{network.rpartition('/')[2]}."
        )


def block_of(max_pods: int) -> int:
    """The prefix length of a node's Pods: twice the Pods, to the next power of two.

    Source: "Configure maximum Pods per node".
    """
    return 32 - max(4, (2 * max_pods - 1).bit_length())


def nodes_in(pods: IPv4Network, max_pods: int) -> int:
    """How many nodes a Pods range has room for."""
    return 2 ** max(0, block_of(max_pods) - pods.prefixlen) if block_of(max_pods) >= pods.prefixlen else 0
