"""Clusters: what EKS asks of one, what it makes for one, how it changes and goes."""

from __future__ import annotations

import ipaddress
import time
import uuid
from typing import Any, Final

from twin.aws.eks import access, facts, tags, updates
from twin.aws.eks.errors import in_use, invalid, invalid_request
from twin.aws.eks.store import Thing
from twin.aws.eks.versions import DEFAULT, VERSIONS, minor, platform_version, supported, today

Params = dict[str, Any]
LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
MODES: Final = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_NOT_PUBLIC: Final = (*_PRIVATE, "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")
_FREE_ADDRESSES: Final = 6


def create(eks: Any, params: Params) -> Params:
    """CreateCluster."""
    name = params["name"]
    held = eks.store.every("cluster")
    if any(each.name == name for each in held):
        raise in_use(f"Cluster already exists with name: {name}", clusterName=name)
    if held:
        raise invalid_request(
            f"This twin holds the cluster '{held[0].name}', and one twin has one control plane: "
            f"delete it first, or use another twin for '{name}'",
            clusterName=name,
        )
    version = _version(params.get("version"))
    _role(eks, params["roleArn"])
    network = params["resourcesVpcConfig"]
    vpc_id = _subnets(eks, network)
    shown: Params = {
        "name": name,
        "arn": eks.arn("cluster", name),
        "createdAt": round(time.time(), 3),
        "version": version,
        "roleArn": params["roleArn"],
        "resourcesVpcConfig": {**_access(network), **_network(network), "vpcId": vpc_id},
        "kubernetesNetworkConfig": _services(eks, params.get("kubernetesNetworkConfig") or {}, vpc_id),
        "logging": _logging(params.get("logging")),
        "identity": {"oidc": {"issuer": _issuer(eks)}},
        "status": "CREATING",
        "certificateAuthority": {},
        "platformVersion": platform_version(version),
        "tags": tags.check(params.get("tags")),
        "encryptionConfig": _encryption(eks, params.get("encryptionConfig")),
        "health": {"issues": []},
        "accessConfig": _access_config(params.get("accessConfig") or {}),
        "upgradePolicy": _upgrade_policy(version, params.get("upgradePolicy") or {}),
        "deletionProtection": bool(params.get("deletionProtection", False)),
        "zonalShiftConfig": params.get("zonalShiftConfig") or {"enabled": False},
        "computeConfig": params.get("computeConfig") or {"enabled": False},
        "storageConfig": params.get("storageConfig") or {"blockStorage": {"enabled": False}},
    }
    cluster = Thing(
        "cluster", name, name, shown, {"sg": f"eks-cluster-sg-{name}-{uuid.uuid4().int % 10**10}"}
    )
    eks.store.put(cluster)
    if shown["accessConfig"]["bootstrapClusterCreatorAdminPermissions"]:
        access.bootstrap(eks, cluster, eks.creator())
    return {"cluster": shown}


def describe(eks: Any, params: Params) -> Params:
    """DescribeCluster."""
    return {"cluster": eks.cluster(params["name"]).shown}


def every(eks: Any, _: Params) -> Params:
    """ListClusters."""
    return {"clusters": [each.name for each in eks.store.every("cluster")]}


def delete(eks: Any, params: Params) -> Params:
    """DeleteCluster."""
    cluster = eks.cluster(params["name"])
    if cluster.status == "DELETING":
        raise in_use(f"Cluster {cluster.name} is already being deleted", clusterName=cluster.name)
    groups = [each.name for each in eks.store.every("nodegroup", cluster.name)]
    if groups:
        raise in_use("Cluster has nodegroups attached", clusterName=cluster.name, nodegroupName=groups[0])
    if cluster.shown["deletionProtection"]:
        raise invalid_request(
            f"Cannot delete cluster {cluster.name} because deletion protection is enabled: "
            f"turn it off with UpdateClusterConfig (deletionProtection=false) first",
            clusterName=cluster.name,
        )
    cluster.shown["status"] = "DELETING"
    eks.store.put(cluster)
    return {"cluster": cluster.shown}


def follow_up(eks: Any, cluster: Thing) -> None:
    """Make the cluster's security group and network interfaces, or take them away."""
    if cluster.status == "DELETING":
        _clear(eks, cluster)
        return
    network = cluster.shown["resourcesVpcConfig"]
    if network.get("clusterSecurityGroupId"):
        return
    intent = f"eks:{cluster.shown['arn']}:{cluster.shown['createdAt']}"
    labels = [
        {"Key": "Name", "Value": cluster.kept["sg"]},
        {"Key": "aws:eks:cluster-name", "Value": cluster.name},
        {"Key": f"kubernetes.io/cluster/{cluster.name}", "Value": "owned"},
    ]
    made = eks.aws.call(
        "ec2",
        "create_security_group",
        f"{intent}:sg",
        GroupName=cluster.kept["sg"],
        VpcId=network["vpcId"],
        Description="EKS created security group applied to ENI that is attached to EKS Control Plane master "
        "nodes, as well as any managed workloads.",
        TagSpecifications=[{"ResourceType": "security-group", "Tags": labels}],
    )["GroupId"]
    eks.aws.call(
        "ec2",
        "authorize_security_group_ingress",
        f"{intent}:self",
        GroupId=made,
        IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": made}]}],
    )
    interfaces = [
        eks.aws.call(
            "ec2",
            "create_network_interface",
            f"{intent}:eni:{subnet}",
            SubnetId=subnet,
            Groups=[made, *network["securityGroupIds"]],
            Description=f"Amazon EKS {cluster.name}",
        )["NetworkInterface"]["NetworkInterfaceId"]
        for subnet in network["subnetIds"][:2]
    ]
    network["clusterSecurityGroupId"] = made
    cluster.kept["interfaces"] = interfaces
    eks.store.put(cluster)


def gone(eks: Any, cluster: Thing) -> None:
    """The control plane was wiped: the cluster ends."""
    _clear(eks, cluster)
    eks.store.remove_all(cluster.name)


def update_config(eks: Any, params: Params) -> Params:
    """UpdateClusterConfig: one kind of change at a time, as EKS wants it."""
    cluster = eks.cluster(params["name"], active=True)
    asked = [name for name in _UPDATES if params.get(name) is not None]
    if len(asked) != 1:
        found = f"found {', '.join(asked)}" if asked else "found none"
        raise invalid(
            f"Exactly one type of update can be made at a time: {found}; the types are {', '.join(_UPDATES)}",
            clusterName=cluster.name,
        )
    kind, change = _UPDATES[asked[0]]
    changed = change(eks, cluster, params[asked[0]])
    eks.store.put(cluster)
    return updates.record(eks, cluster, kind, changed)


def update_version(eks: Any, params: Params) -> Params:
    """UpdateClusterVersion: one minor version up at a time."""
    cluster = eks.cluster(params["name"], active=True)
    old, new = cluster.shown["version"], params["version"]
    if not supported(new):
        raise invalid("unsupported Kubernetes version", clusterName=cluster.name)
    if minor(new) != minor(old) + 1:
        raise invalid(
            f"Unsupported Kubernetes minor version update from {old} to {new}", clusterName=cluster.name
        )
    for group in eks.store.every("nodegroup", cluster.name):
        if minor(new) - minor(group.shown["version"]) > 3:
            raise invalid(
                f"Nodegroup {group.name} runs {group.shown['version']}: its kubelet must "
                f"not be more than three "
                f"minor versions older than {new}; update it first",
                clusterName=cluster.name,
            )
    cluster.shown.update(version=new, platformVersion=platform_version(new))
    eks.store.put(cluster)
    changed = {"Version": new, "PlatformVersion": platform_version(new)}
    return updates.record(eks, cluster, "VersionUpdate", changed)


def associate_encryption(eks: Any, params: Params) -> Params:
    """AssociateEncryptionConfig: once, and never back."""
    cluster = eks.cluster(params["clusterName"], active=True)
    if cluster.shown["encryptionConfig"]:
        raise invalid_request(
            f"Encryption is already enabled on cluster {cluster.name}", clusterName=cluster.name
        )
    cluster.shown["encryptionConfig"] = _encryption(eks, params["encryptionConfig"])
    eks.store.put(cluster)
    changed = {"EncryptionConfig": cluster.shown["encryptionConfig"]}
    return updates.record(eks, cluster, "AssociateEncryptionConfig", changed)


def versions(_: Any, params: Params) -> Params:
    """DescribeClusterVersions."""
    day = today()
    found = [
        {
            "clusterVersion": each.name,
            "clusterType": "eks",
            "defaultPlatformVersion": platform_version(each.name),
            "defaultVersion": each.name == DEFAULT,
            "releaseDate": _stamp(each.released),
            "endOfStandardSupportDate": _stamp(each.standard_until),
            "endOfExtendedSupportDate": _stamp(each.extended_until),
            "status": each.status(day).lower().replace("_", "-"),
            "versionStatus": each.status(day),
            "kubernetesPatchVersion": each.patch,
        }
        for each in reversed(VERSIONS.values())
    ]
    wanted = params.get("clusterVersions")
    return {
        "clusterVersions": [
            each
            for each in found
            if (not wanted or each["clusterVersion"] in wanted)
            and (params.get("includeAll") or each["versionStatus"] != "UNSUPPORTED")
            and (not params.get("defaultOnly") or each["defaultVersion"])
            and (not params.get("versionStatus") or each["versionStatus"] == params["versionStatus"])
        ]
    }


def _clear(eks: Any, cluster: Thing) -> None:
    network = cluster.shown["resourcesVpcConfig"]
    intent = f"eks:{cluster.shown['arn']}:{cluster.shown['createdAt']}:delete"
    with eks.moto.lock:
        held = set(eks.moto.backend("ec2").enis)
        groups = {k for each in eks.moto.backend("ec2").groups.values() for k in each}
    for interface in cluster.kept.get("interfaces", []):
        if interface in held:
            eks.aws.call(
                "ec2", "delete_network_interface", f"{intent}:{interface}", NetworkInterfaceId=interface
            )
    if network.get("clusterSecurityGroupId") in groups:
        group = network["clusterSecurityGroupId"]
        eks.aws.call("ec2", "delete_security_group", f"{intent}:{group}", GroupId=group)


def _version(asked: str | None) -> str:
    version = asked or DEFAULT
    if not supported(version):
        raise invalid("unsupported Kubernetes version")
    return version


def _role(eks: Any, arn: str) -> None:
    role = facts.role(eks, arn)
    if role is None or not facts.trusts(role.assume_role_policy_document, "eks.amazonaws.com"):
        raise invalid(
            f"Role with arn: {arn}, could not be assumed because it does not exist or "
            f"the trusted entity is not correct"
        )


def _subnets(eks: Any, network: Params) -> str:
    ids = list(network.get("subnetIds") or [])
    if len(set(ids)) != len(ids):
        raise invalid("Subnets specified contain duplicates")
    found = facts.subnets(eks, ids, eks.world.region)
    if len({each.availability_zone for each in found}) < 2:
        raise invalid("Subnets specified must be in at least two different AZs")
    vpcs = {each.vpc_id for each in found}
    if len(vpcs) > 1:
        raise invalid(f"Subnets specified must belong to the same VPC, got {', '.join(sorted(vpcs))}")
    crowded = [each.id for each in found if int(each.available_ip_address_count) < _FREE_ADDRESSES]
    if crowded:
        raise invalid(
            f"Subnets specified need at least {_FREE_ADDRESSES} free addresses: {', '.join(crowded)}"
        )
    vpc_id = vpcs.pop()
    facts.security_groups(eks, list(network.get("securityGroupIds") or []), vpc_id)
    return vpc_id


def _network(network: Params) -> Params:
    return {
        "subnetIds": list(network.get("subnetIds") or []),
        "securityGroupIds": list(network.get("securityGroupIds") or []),
    }


def _access(network: Params, old: Params | None = None) -> Params:
    before = old or {"endpointPublicAccess": True, "endpointPrivateAccess": False, "publicAccessCidrs": []}
    made = {name: network[name] if network.get(name) is not None else before[name] for name in before}
    if not made["endpointPublicAccess"] and not made["endpointPrivateAccess"]:
        raise invalid("Private and public endpoint access cannot be false")
    if made["endpointPublicAccess"] and not made["publicAccessCidrs"]:
        made["publicAccessCidrs"] = ["0.0.0.0/0"]
    if not made["endpointPublicAccess"]:
        made["publicAccessCidrs"] = []
    for cidr in made["publicAccessCidrs"]:
        _public_cidr(cidr)
    return {
        name: made[name] for name in ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
    }


def _public_cidr(cidr: str) -> None:
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError:
        raise invalid(f"The following CIDRs are invalid in publicAccessCidrs: [{cidr}]") from None
    if network.version == 4 and any(network.subnet_of(ipaddress.IPv4Network(each)) for each in _NOT_PUBLIC):
        raise invalid(f"The following CIDRs are not allowed in publicAccessCidrs: [{cidr}]")


def _services(eks: Any, asked: Params, vpc_id: str) -> Params:
    with eks.moto.lock:
        vpc = ipaddress.IPv4Network(eks.moto.backend("ec2").vpcs[vpc_id].cidr_block)
    family = asked.get("ipFamily") or "ipv4"
    cidr = asked.get("serviceIpv4Cidr")
    if family == "ipv6":
        if cidr:
            raise invalid("serviceIpv4Cidr cannot be specified with the ipv6 ipFamily")
        return {
            "serviceIpv6Cidr": "fd00:ec2:abcd::/108",
            "ipFamily": "ipv6",
            "elasticLoadBalancing": {"enabled": False},
        }
    if cidr is None:
        # EKS takes the one of the two that the VPC does not use.
        cidr = "172.20.0.0/16" if vpc.subnet_of(ipaddress.IPv4Network("10.0.0.0/8")) else "10.100.0.0/16"
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        raise invalid(f"Service IPv4 CIDR {cidr} is not a valid CIDR block") from None
    if not any(network.subnet_of(ipaddress.IPv4Network(each)) for each in _PRIVATE):
        raise invalid(f"Service IPv4 CIDR {cidr} must be within one of {', '.join(_PRIVATE)}")
    if not 12 <= network.prefixlen <= 24:
        raise invalid(f"Service IPv4 CIDR {cidr} must be between /24 and /12")
    if network.overlaps(vpc):
        raise invalid(f"Service IPv4 CIDR {cidr} overlaps the CIDR {vpc} of the VPC {vpc_id}")
    return {"serviceIpv4Cidr": cidr, "ipFamily": "ipv4", "elasticLoadBalancing": {"enabled": False}}


def _logging(asked: Params | None) -> Params:
    enabled: list[str] = []
    for each in (asked or {}).get("clusterLogging") or []:
        if each.get("enabled"):
            enabled += each.get("types") or []
    disabled = [each for each in LOG_TYPES if each not in enabled]
    both = [
        {"types": [t for t in LOG_TYPES if t in enabled], "enabled": True},
        {"types": disabled, "enabled": False},
    ]
    return {"clusterLogging": [each for each in both if each["types"]]}


def _encryption(eks: Any, asked: list[Params] | None) -> list[Params]:
    for each in asked or []:
        if list(each.get("resources") or []) != ["secrets"]:
            raise invalid(f"encryptionConfig.resources must be ['secrets'], got {each.get('resources')}")
        arn = (each.get("provider") or {}).get("keyArn") or ""
        if not facts.key_exists(eks, arn):
            raise invalid(f"The KMS key {arn or '(none)'} does not exist, is disabled or is not symmetric")
    if len(asked or []) > 1:
        raise invalid("encryptionConfig can hold one element")
    return list(asked or [])


def _access_config(asked: Params) -> Params:
    return {
        "bootstrapClusterCreatorAdminPermissions": asked.get("bootstrapClusterCreatorAdminPermissions")
        is not False,
        "authenticationMode": asked.get("authenticationMode") or "CONFIG_MAP",
    }


def _upgrade_policy(version: str, asked: Params) -> Params:
    kind = asked.get("supportType") or "EXTENDED"
    if kind == "STANDARD" and VERSIONS[version].status(today()) != "STANDARD_SUPPORT":
        raise invalid(
            f"upgradePolicy.supportType STANDARD is not possible with Kubernetes {version}: "
            f"its standard support ended on {VERSIONS[version].standard_until}"
        )
    return {"supportType": kind}


def _issuer(eks: Any) -> str:
    return f"https://oidc.eks.{eks.world.region}.amazonaws.com/id/{uuid.uuid4().hex.upper()}"


def _change_network(eks: Any, cluster: Thing, asked: Params) -> Params:
    network = cluster.shown["resourcesVpcConfig"]
    if asked.get("subnetIds") or asked.get("securityGroupIds"):
        wanted = {**network, **{k: v for k, v in asked.items() if v}}
        vpc_id = _subnets(eks, wanted)
        if vpc_id != network["vpcId"]:
            raise invalid(f"Subnets must stay in the VPC {network['vpcId']} of the cluster, got {vpc_id}")
        network.update(_network(wanted))
    else:
        network.update(_access(asked, {name: network[name] for name in _ACCESS}))
    return {name: value for name, value in asked.items() if value is not None}


def _change_access(_: Any, cluster: Thing, asked: Params) -> Params:
    mode, old = asked.get("authenticationMode"), cluster.shown["accessConfig"]["authenticationMode"]
    if mode == old:
        raise invalid(f"Unsupported authentication mode update from {old} to {mode}")
    if not mode or MODES.index(mode) < MODES.index(old):
        raise invalid(f"Unsupported authentication mode update from {old} to {mode}")
    cluster.shown["accessConfig"]["authenticationMode"] = mode
    return {"AuthenticationMode": mode}


def _change_logging(_: Any, cluster: Thing, asked: Params) -> Params:
    on = {t for each in cluster.shown["logging"]["clusterLogging"] if each["enabled"] for t in each["types"]}
    for each in asked.get("clusterLogging") or []:
        changed = set(each.get("types") or [])
        on = on | changed if each.get("enabled") else on - changed
    cluster.shown["logging"] = _logging({"clusterLogging": [{"types": sorted(on), "enabled": True}]})
    return {"ClusterLogging": cluster.shown["logging"]}


def _change_policy(_: Any, cluster: Thing, asked: Params) -> Params:
    cluster.shown["upgradePolicy"] = _upgrade_policy(cluster.shown["version"], asked)
    return {"UpgradePolicy": cluster.shown["upgradePolicy"]}


def _change_protection(_: Any, cluster: Thing, asked: bool) -> Params:
    cluster.shown["deletionProtection"] = asked
    return {"DeletionProtection": asked}


def _change_zonal_shift(_: Any, cluster: Thing, asked: Params) -> Params:
    cluster.shown["zonalShiftConfig"] = asked
    return {"ZonalShiftConfig": asked}


def _stamp(day: Any) -> float:
    from datetime import UTC, datetime

    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


_ACCESS: Final = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
_UPDATES: Final[dict[str, tuple[str, Any]]] = {
    "resourcesVpcConfig": ("EndpointAccessUpdate", _change_network),
    "logging": ("LoggingUpdate", _change_logging),
    "accessConfig": ("AccessConfigUpdate", _change_access),
    "upgradePolicy": ("UpgradePolicyUpdate", _change_policy),
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", _change_zonal_shift),
    "deletionProtection": ("DeletionProtectionUpdate", _change_protection),
}
OPERATIONS: Final = {
    "CreateCluster": create,
    "DescribeCluster": describe,
    "ListClusters": every,
    "DeleteCluster": delete,
    "UpdateClusterConfig": update_config,
    "UpdateClusterVersion": update_version,
    "AssociateEncryptionConfig": associate_encryption,
    "DescribeClusterVersions": versions,
}
