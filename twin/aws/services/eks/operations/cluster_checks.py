"""What EKS asks of a cluster's arguments, one argument a function, which returns what EKS then reports."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from twin.aws.iam import trust
from twin.aws.services.eks.operations import references
from twin.aws.services.eks.operations.errors import invalid
from twin.aws.services.eks.operations.versions import DEFAULT, VERSIONS, supported, today
from twin.aws.validation import stated

Params = dict[str, Any]
LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
MODES: Final = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_OF_DOCUMENTS: Final = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
_NOT_PUBLIC: Final = (
    *_PRIVATE,
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    *_OF_DOCUMENTS,
)
_FREE_ADDRESSES: Final = 6
_NO_CONTROL_PLANE: Final = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Zones in which EKS puts no control plane ("VPC and subnet requirements" in its user guide)."""


def version(requested: str | None) -> str:
    """The version, or the default one; refused where EKS has it no more."""
    version = requested or DEFAULT
    if not supported(version):
        raise invalid("unsupported Kubernetes version")
    return version


def role(eks: Any, arn: str, cluster: str) -> None:
    """Refuse a role that EKS cannot take for the cluster (EKS user guide, "Cross-service confused deputy
    prevention in Amazon EKS")."""
    role = references.role(eks, arn)
    context = {"aws:SourceAccount": eks.instance.account, "aws:SourceArn": eks.arn("cluster", cluster)}
    if role is None or not trust.lets(role, "eks.amazonaws.com", context):
        raise invalid(
            f"Role with arn: {arn}, could not be assumed because it does not exist or "
            f"the trusted entity is not correct"
        )


def subnets(eks: Any, network: Params) -> str:
    """The VPC of the subnets; refused where they are too few, apart or full."""
    ids = list(network.get("subnetIds") or [])
    subnets = references.subnets(eks, ids)
    zones = sorted({subnet.availability_zone for subnet in subnets})
    scope = {
        "ids": ids,
        "zones": zones,
        "without": [zone for zone in zones if references.zone_id(eks, zone) in _NO_CONTROL_PLANE],
        "vpcs": sorted({subnet.vpc_id for subnet in subnets}),
        "crowded": [s.id for s in subnets if int(s.available_ip_address_count) < _FREE_ADDRESSES],
    }
    stated.check(__name__, "subnets", scope)
    [vpc_id] = scope["vpcs"]
    references.security_groups(eks, list(network.get("securityGroupIds") or []), vpc_id)
    return vpc_id


def network(network: Params) -> Params:
    """What is reported of the subnets and groups."""
    return {
        "subnetIds": list(network.get("subnetIds") or []),
        "securityGroupIds": list(network.get("securityGroupIds") or []),
    }


def endpoint(network: Params, old: Params | None = None) -> Params:
    """Who reaches the API server: the asked-for over the old."""
    before = old or {"endpointPublicAccess": True, "endpointPrivateAccess": False, "publicAccessCidrs": []}
    endpoint_access = {
        name: network[name] if network.get(name) is not None else before[name] for name in before
    }
    stated.check(__name__, "endpoint", endpoint_access)
    if endpoint_access["endpointPublicAccess"] and not endpoint_access["publicAccessCidrs"]:
        endpoint_access["publicAccessCidrs"] = ["0.0.0.0/0"]
    if not endpoint_access["endpointPublicAccess"]:
        endpoint_access["publicAccessCidrs"] = []
    for cidr in endpoint_access["publicAccessCidrs"]:
        _public_cidr(cidr)
    return endpoint_access


def _public_cidr(cidr: str) -> None:
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError:
        raise invalid(f"The following CIDRs are invalid in publicAccessCidrs: [{cidr}]") from None
    if network.version == 4 and any(network.subnet_of(ipaddress.IPv4Network(block)) for block in _NOT_PUBLIC):
        raise invalid(f"The following CIDRs are not allowed in publicAccessCidrs: [{cidr}]")


def services(eks: Any, requested: Params, vpc_id: str) -> Params:
    """The services' addresses: private, and not the VPC's."""
    with eks.moto.lock:
        vpc = ipaddress.IPv4Network(eks.moto.backend("ec2").vpcs[vpc_id].cidr_block)
    family = requested.get("ipFamily") or "ipv4"
    cidr = requested.get("serviceIpv4Cidr")
    load_balancing = {"elasticLoadBalancing": {"enabled": False}}
    if family == "ipv6" and not cidr:
        return {"serviceIpv6Cidr": "fd00:ec2:abcd::/108", "ipFamily": "ipv6", **load_balancing}
    if cidr is None:
        # EKS takes the one of the two that the VPC does not use.
        cidr = "172.20.0.0/16" if vpc.subnet_of(ipaddress.IPv4Network("10.0.0.0/8")) else "10.100.0.0/16"
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        raise invalid(f"Service IPv4 CIDR {cidr} is not a valid CIDR block") from None
    scope = {
        "cidr": cidr,
        "family": family,
        "vpc": f"{vpc} of the VPC {vpc_id}",
        "private": any(network.subnet_of(ipaddress.IPv4Network(block)) for block in _PRIVATE),
        "length": network.prefixlen,
        "overlaps": network.overlaps(vpc),
    }
    stated.check(__name__, "services", scope)
    return {"serviceIpv4Cidr": cidr, "ipFamily": "ipv4", **load_balancing}


def logging(requested: Params | None) -> Params:
    """The log types that are on, and those that are off."""
    enabled: list[str] = []
    for log_setup in (requested or {}).get("clusterLogging") or []:
        if log_setup.get("enabled"):
            enabled += log_setup.get("types") or []
    disabled = [log_type for log_type in LOG_TYPES if log_type not in enabled]
    both = [
        {"types": [t for t in LOG_TYPES if t in enabled], "enabled": True},
        {"types": disabled, "enabled": False},
    ]
    return {"clusterLogging": [item for item in both if item["types"]]}


def encryption(eks: Any, requested: list[Params] | None) -> list[Params]:
    """The key of the secrets."""
    stated.check(__name__, "encryption", {"requested": requested or []})
    for configuration in requested or []:
        arn = (configuration.get("provider") or {}).get("keyArn") or ""
        if not references.key_exists(eks, arn):
            raise invalid(f"The KMS key {arn or '(none)'} does not exist, is disabled or is not symmetric")
    return list(requested or [])


def access_config(requested: Params) -> Params:
    """How principals get in."""
    return {
        "bootstrapClusterCreatorAdminPermissions": requested.get("bootstrapClusterCreatorAdminPermissions")
        is not False,
        "authenticationMode": requested.get("authenticationMode") or "CONFIG_MAP",
    }


def upgrade_policy(version: str, requested: Params) -> Params:
    """What comes after standard support."""
    kind = requested.get("supportType") or "EXTENDED"
    if kind == "STANDARD" and VERSIONS[version].status(today()) != "STANDARD_SUPPORT":
        raise invalid(
            f"upgradePolicy.supportType STANDARD is not possible with Kubernetes {version}: "
            f"its standard support ended on {VERSIONS[version].standard_until}"
        )
    return {"supportType": kind}
