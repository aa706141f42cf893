"""Clusters: what EKS asks of one, what it makes for one, how it changes and goes."""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

from twin.aws.services.eks.operations import access, cluster_checks, tags, updates
from twin.aws.services.eks.operations.cluster_changes import CHANGES
from twin.aws.services.eks.operations.errors import in_use, invalid, invalid_request
from twin.aws.services.eks.operations.store import Thing
from twin.aws.services.eks.operations.versions import (
    DEFAULT,
    VERSIONS,
    minor,
    supported,
    today,
)

Params = dict[str, Any]


_LATE: Final = "late_logs"


def create(eks: Any, params: Params) -> Params:
    """CreateCluster."""
    name = params["name"]
    clusters = eks.store.every("cluster")
    if any(existing.name == name for existing in clusters):
        raise in_use(f"Cluster already exists with name: {name}", clusterName=name)
    if clusters:
        raise invalid_request(
            f"This twin holds the cluster '{clusters[0].name}', and one twin has one control plane: "
            f"delete it first, or use another twin for '{name}'",
            clusterName=name,
        )
    version = cluster_checks.version(params.get("version"))
    cluster_checks.role(eks, params["roleArn"], name)
    network = params["resourcesVpcConfig"]
    vpc_id = cluster_checks.subnets(eks, network)
    description: Params = {
        "name": name,
        "arn": eks.arn("cluster", name),
        "createdAt": round(time.time(), 3),
        "version": version,
        "roleArn": params["roleArn"],
        "resourcesVpcConfig": {
            **cluster_checks.endpoint(network),
            **cluster_checks.network(network),
            "vpcId": vpc_id,
        },
        "kubernetesNetworkConfig": cluster_checks.services(
            eks, params.get("kubernetesNetworkConfig") or {}, vpc_id
        ),
        "logging": cluster_checks.logging(params.get("logging")),
        "identity": {"oidc": {"issuer": _issuer(eks)}},
        "status": "CREATING",
        "certificateAuthority": {},
        "platformVersion": VERSIONS[version].platform,
        "tags": tags.check(params.get("tags")),
        "encryptionConfig": cluster_checks.encryption(eks, params.get("encryptionConfig")),
        "health": {"issues": []},
        "accessConfig": cluster_checks.access_config(params.get("accessConfig") or {}),
        "upgradePolicy": cluster_checks.upgrade_policy(version, params.get("upgradePolicy") or {}),
        "deletionProtection": bool(params.get("deletionProtection", False)),
        "zonalShiftConfig": params.get("zonalShiftConfig") or {"enabled": False},
        "computeConfig": params.get("computeConfig") or {"enabled": False},
        "storageConfig": params.get("storageConfig") or {"blockStorage": {"enabled": False}},
    }
    internal: Params = {
        "sg": f"eks-cluster-sg-{name}-{uuid.uuid4().int % 10**10}",
        "self_managed_addons": params.get("bootstrapSelfManagedAddons") is not False,
    }
    cluster = Thing("cluster", name, name, description, internal)
    eks.store.put(cluster)
    if description["accessConfig"]["bootstrapClusterCreatorAdminPermissions"]:
        access.bootstrap(eks, cluster, eks.creator())
    return {"cluster": description}


def describe(eks: Any, params: Params) -> Params:
    """DescribeCluster."""
    return {"cluster": eks.cluster(params["name"]).description}


def every(eks: Any, _: Params) -> Params:
    """ListClusters."""
    return {"clusters": [cluster.name for cluster in eks.store.every("cluster")]}


def delete(eks: Any, params: Params) -> Params:
    """DeleteCluster."""
    cluster = eks.cluster(params["name"])
    if cluster.status == "DELETING":
        raise in_use(f"Cluster {cluster.name} is already being deleted", clusterName=cluster.name)
    groups = [nodegroup.name for nodegroup in eks.store.every("nodegroup", cluster.name)]
    if groups:
        raise in_use("Cluster has nodegroups attached", clusterName=cluster.name, nodegroupName=groups[0])
    if cluster.description["deletionProtection"]:
        raise invalid_request(
            f"Cannot delete cluster {cluster.name} because deletion protection is enabled: "
            f"turn it off with UpdateClusterConfig (deletionProtection=false) first",
            clusterName=cluster.name,
        )
    cluster.description["status"] = "DELETING"
    eks.store.put(cluster)
    return {"cluster": cluster.description}


def follow_up(eks: Any, cluster: Thing) -> None:
    """Make the cluster's security group and network interfaces, or take them away."""
    if cluster.status == "DELETING":
        _clear(eks, cluster)
        return
    network = cluster.description["resourcesVpcConfig"]
    if network.get("clusterSecurityGroupId"):
        return
    intent = f"eks:{cluster.description['arn']}:{cluster.description['createdAt']}"
    labels = [
        {"Key": "Name", "Value": cluster.internal["sg"]},
        {"Key": "aws:eks:cluster-name", "Value": cluster.name},
        {"Key": f"kubernetes.io/cluster/{cluster.name}", "Value": "owned"},
    ]
    group_id = eks.aws.call(
        "ec2",
        "create_security_group",
        f"{intent}:sg",
        GroupName=cluster.internal["sg"],
        VpcId=network["vpcId"],
        Description="EKS created security group applied to ENI that is attached to EKS Control Plane master "
        "nodes, as well as any managed workloads.",
        TagSpecifications=[{"ResourceType": "security-group", "Tags": labels}],
    )["GroupId"]
    eks.aws.call(
        "ec2",
        "authorize_security_group_ingress",
        f"{intent}:self",
        GroupId=group_id,
        IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group_id}]}],
    )
    interfaces = [
        eks.aws.call(
            "ec2",
            "create_network_interface",
            f"{intent}:eni:{subnet}",
            SubnetId=subnet,
            Groups=[group_id, *network["securityGroupIds"]],
            Description=f"Amazon EKS {cluster.name}",
        )["NetworkInterface"]["NetworkInterfaceId"]
        for subnet in network["subnetIds"][:2]
    ]
    network["clusterSecurityGroupId"] = group_id
    cluster.internal["interfaces"] = interfaces
    eks.store.put(cluster)


def gone(eks: Any, cluster: Thing) -> None:
    """The control plane was wiped: the cluster ends."""
    _clear(eks, cluster)
    eks.store.remove_all(cluster.name)
    logged = any(
        log_setup["enabled"] and log_setup["types"]
        for log_setup in cluster.description["logging"]["clusterLogging"]
    )
    if logged and eks.server.faults.late_logs():
        eks.store.put(Thing(_LATE, "", f"/aws/eks/{cluster.name}/cluster", {}))


def write_late(eks: Any, group: str) -> None:
    """Write the last events of a deleted cluster: EKS's service-linked role creates its log group again, bare
    (terraform-aws-modules/terraform-aws-eks, issue 2763)."""
    with eks.store.lock:
        late = eks.store.get(_LATE, "", group)
        if late is None:
            return
        eks.store.remove(late)
    eks.aws.call("logs", "create_log_group", logGroupName=group)


def update_config(eks: Any, params: Params) -> Params:
    """UpdateClusterConfig: one kind of change at a time, as EKS wants it."""
    cluster = eks.cluster(params["name"], active=True)
    changes = [name for name in CHANGES if params.get(name) is not None]
    if len(changes) != 1:
        changes_text = f"found {', '.join(changes)}" if changes else "found none"
        raise invalid(
            f"Exactly one type of update can be made at a time: {changes_text}; the types are "
            f"{', '.join(CHANGES)}",
            clusterName=cluster.name,
        )
    kind, change = CHANGES[changes[0]]
    changed = change(eks, cluster, params[changes[0]])
    eks.store.put(cluster)
    return updates.record(eks, cluster, kind, changed)


def update_version(eks: Any, params: Params) -> Params:
    """UpdateClusterVersion: one minor version up at a time."""
    cluster = eks.cluster(params["name"], active=True)
    old, new = cluster.description["version"], params["version"]
    if not supported(new):
        raise invalid("unsupported Kubernetes version", clusterName=cluster.name)
    if minor(new) != minor(old) + 1:
        raise invalid(
            f"Unsupported Kubernetes minor version update from {old} to {new}", clusterName=cluster.name
        )
    for group in eks.store.every("nodegroup", cluster.name):
        if minor(new) - minor(group.description["version"]) > 3:
            raise invalid(
                f"Nodegroup {group.name} runs {group.description['version']}: its kubelet must "
                f"not be more than three "
                f"minor versions older than {new}; update it first",
                clusterName=cluster.name,
            )
    cluster.description.update(version=new, platformVersion=VERSIONS[new].platform)
    eks.store.put(cluster)
    changed = {"Version": new, "PlatformVersion": VERSIONS[new].platform}
    return updates.record(eks, cluster, "VersionUpdate", changed)


def associate_encryption(eks: Any, params: Params) -> Params:
    """AssociateEncryptionConfig: once, and never back."""
    cluster = eks.cluster(params["clusterName"], active=True)
    if cluster.description["encryptionConfig"]:
        raise invalid_request(
            f"Encryption is already enabled on cluster {cluster.name}", clusterName=cluster.name
        )
    cluster.description["encryptionConfig"] = cluster_checks.encryption(eks, params["encryptionConfig"])
    eks.store.put(cluster)
    changed = {"EncryptionConfig": cluster.description["encryptionConfig"]}
    return updates.record(eks, cluster, "AssociateEncryptionConfig", changed)


def versions(_: Any, params: Params) -> Params:
    """DescribeClusterVersions."""
    day = today()
    versions = [
        {
            "clusterVersion": version_data.name,
            "clusterType": "eks",
            "defaultPlatformVersion": version_data.platform,
            "defaultVersion": version_data.name == DEFAULT,
            "releaseDate": _stamp(version_data.released),
            "endOfStandardSupportDate": _stamp(version_data.standard_until),
            "endOfExtendedSupportDate": _stamp(version_data.extended_until),
            "status": version_data.status(day).lower().replace("_", "-"),
            "versionStatus": version_data.status(day),
            "kubernetesPatchVersion": version_data.patch,
        }
        for version_data in reversed(VERSIONS.values())
    ]
    wanted = params.get("clusterVersions")
    return {
        "clusterVersions": [
            version
            for version in versions
            if (not wanted or version["clusterVersion"] in wanted)
            and (params.get("includeAll") or version["versionStatus"] != "UNSUPPORTED")
            and (not params.get("defaultOnly") or version["defaultVersion"])
            and (not params.get("versionStatus") or version["versionStatus"] == params["versionStatus"])
        ]
    }


def _clear(eks: Any, cluster: Thing) -> None:
    network = cluster.description["resourcesVpcConfig"]
    intent = f"eks:{cluster.description['arn']}:{cluster.description['createdAt']}:delete"
    with eks.moto.lock:
        interfaces = set(eks.moto.backend("ec2").enis)
        groups = {k for groups_of_vpc in eks.moto.backend("ec2").groups.values() for k in groups_of_vpc}
    for interface in cluster.internal.get("interfaces", []):
        if interface in interfaces:
            eks.aws.call(
                "ec2", "delete_network_interface", f"{intent}:{interface}", NetworkInterfaceId=interface
            )
    if network.get("clusterSecurityGroupId") in groups:
        group = network["clusterSecurityGroupId"]
        eks.aws.call("ec2", "delete_security_group", f"{intent}:{group}", GroupId=group)


def _issuer(eks: Any) -> str:
    return f"https://oidc.eks.{eks.instance.region}.amazonaws.com/id/{uuid.uuid4().hex.upper()}"


def _stamp(day: Any) -> float:
    from datetime import UTC, datetime

    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


HANDLERS: Final = {
    "CreateCluster": create,
    "DescribeCluster": describe,
    "ListClusters": every,
    "DeleteCluster": delete,
    "UpdateClusterConfig": update_config,
    "UpdateClusterVersion": update_version,
    "AssociateEncryptionConfig": associate_encryption,
    "DescribeClusterVersions": versions,
}
