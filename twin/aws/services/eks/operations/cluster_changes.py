"""The changes that UpdateClusterConfig makes, by the argument that asks for one."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.services.eks.operations import cluster_checks, references
from twin.aws.services.eks.operations.errors import invalid
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]


def _change_network(eks: Any, cluster: Thing, asked: Params) -> Params:
    network = cluster.shown["resourcesVpcConfig"]
    if asked.get("subnetIds") or asked.get("securityGroupIds"):
        wanted = {**network, **{k: v for k, v in asked.items() if v}}
        vpc_id = cluster_checks.subnets(eks, wanted)
        if vpc_id != network["vpcId"]:
            raise invalid(f"Subnets must stay in the VPC {network['vpcId']} of the cluster, got {vpc_id}")
        _same_zones(eks, network["subnetIds"], wanted["subnetIds"])
        network.update(cluster_checks.network(wanted))
    else:
        network.update(cluster_checks.endpoint(asked, {name: network[name] for name in _ACCESS}))
    return {name: value for name, value in asked.items() if value is not None}


def _same_zones(eks: Any, before: list[str], wanted: list[str]) -> None:
    """A control plane keeps the zones that it began in (EKS user guide, "View Amazon EKS networking
    requirements for VPC and subnets")."""
    was, will = (
        sorted({each.availability_zone for each in references.subnets(eks, ids, eks.instance.region)})
        for ids in (before, wanted)
    )
    if was != will:
        raise invalid(
            f"Provided subnets {', '.join(wanted)} belong to the AZs '{','.join(will)}'. But they should "
            f"belong to the exact set of AZs '{','.join(was)}' in which subnets were provided during cluster "
            f"creation."
        )


def _change_access(_: Any, cluster: Thing, asked: Params) -> Params:
    mode, old = asked.get("authenticationMode"), cluster.shown["accessConfig"]["authenticationMode"]
    if mode == old:
        raise invalid(f"Unsupported authentication mode update from {old} to {mode}")
    if not mode or cluster_checks.MODES.index(mode) < cluster_checks.MODES.index(old):
        raise invalid(f"Unsupported authentication mode update from {old} to {mode}")
    cluster.shown["accessConfig"]["authenticationMode"] = mode
    return {"AuthenticationMode": mode}


def _change_logging(_: Any, cluster: Thing, asked: Params) -> Params:
    on = {t for each in cluster.shown["logging"]["clusterLogging"] if each["enabled"] for t in each["types"]}
    for each in asked.get("clusterLogging") or []:
        changed = set(each.get("types") or [])
        on = on | changed if each.get("enabled") else on - changed
    cluster.shown["logging"] = cluster_checks.logging(
        {"clusterLogging": [{"types": sorted(on), "enabled": True}]}
    )
    return {"ClusterLogging": cluster.shown["logging"]}


def _change_policy(_: Any, cluster: Thing, asked: Params) -> Params:
    cluster.shown["upgradePolicy"] = cluster_checks.upgrade_policy(cluster.shown["version"], asked)
    return {"UpgradePolicy": cluster.shown["upgradePolicy"]}


def _change_protection(_: Any, cluster: Thing, asked: bool) -> Params:
    cluster.shown["deletionProtection"] = asked
    return {"DeletionProtection": asked}


def _change_zonal_shift(_: Any, cluster: Thing, asked: Params) -> Params:
    cluster.shown["zonalShiftConfig"] = asked
    return {"ZonalShiftConfig": asked}


_ACCESS: Final = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
CHANGES: Final[dict[str, tuple[str, Any]]] = {
    "resourcesVpcConfig": ("EndpointAccessUpdate", _change_network),
    "logging": ("LoggingUpdate", _change_logging),
    "accessConfig": ("AccessConfigUpdate", _change_access),
    "upgradePolicy": ("UpgradePolicyUpdate", _change_policy),
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", _change_zonal_shift),
    "deletionProtection": ("DeletionProtectionUpdate", _change_protection),
}
