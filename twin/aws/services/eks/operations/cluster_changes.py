"""The changes that UpdateClusterConfig makes, by the argument that asks for one."""

from __future__ import annotations

from typing import Any, Final

from twin.aws.services.eks.operations import cluster_checks, references
from twin.aws.services.eks.operations.errors import invalid
from twin.aws.services.eks.operations.store import Thing

Params = dict[str, Any]


def _change_network(eks: Any, cluster: Thing, requested: Params) -> Params:
    network = cluster.description["resourcesVpcConfig"]
    if requested.get("subnetIds") or requested.get("securityGroupIds"):
        wanted = {**network, **{k: v for k, v in requested.items() if v}}
        vpc_id = cluster_checks.subnets(eks, wanted)
        if vpc_id != network["vpcId"]:
            raise invalid(f"Subnets must stay in the VPC {network['vpcId']} of the cluster, got {vpc_id}")
        _same_zones(eks, network["subnetIds"], wanted["subnetIds"])
        network.update(cluster_checks.network(wanted))
    else:
        network.update(cluster_checks.endpoint(requested, {name: network[name] for name in _ACCESS}))
    return {name: value for name, value in requested.items() if value is not None}


def _same_zones(eks: Any, before: list[str], wanted: list[str]) -> None:
    """A control plane keeps the zones that it began in (EKS user guide, "View Amazon EKS networking
    requirements for VPC and subnets")."""
    was, will = (
        sorted({subnet.availability_zone for subnet in references.subnets(eks, ids)})
        for ids in (before, wanted)
    )
    if was != will:
        raise invalid(
            f"Provided subnets {', '.join(wanted)} belong to the AZs '{','.join(will)}'. But they should "
            f"belong to the exact set of AZs '{','.join(was)}' in which subnets were provided during cluster "
            f"creation."
        )


def _change_access(_: Any, cluster: Thing, access: Params) -> Params:
    mode, old = access.get("authenticationMode"), cluster.description["accessConfig"]["authenticationMode"]
    if mode == old:
        raise invalid(f"Unsupported authentication mode update from {old} to {mode}")
    if not mode or cluster_checks.MODES.index(mode) < cluster_checks.MODES.index(old):
        raise invalid(f"Unsupported authentication mode update from {old} to {mode}")
    cluster.description["accessConfig"]["authenticationMode"] = mode
    return {"AuthenticationMode": mode}


def _change_logging(_: Any, cluster: Thing, logging: Params) -> Params:
    on = {
        t
        for log_setup in cluster.description["logging"]["clusterLogging"]
        if log_setup["enabled"]
        for t in log_setup["types"]
    }
    for setup in logging.get("clusterLogging") or []:
        changed = set(setup.get("types") or [])
        on = on | changed if setup.get("enabled") else on - changed
    cluster.description["logging"] = cluster_checks.logging(
        {"clusterLogging": [{"types": sorted(on), "enabled": True}]}
    )
    return {"ClusterLogging": cluster.description["logging"]}


def _change_policy(_: Any, cluster: Thing, policy: Params) -> Params:
    cluster.description["upgradePolicy"] = cluster_checks.upgrade_policy(
        cluster.description["version"], policy
    )
    return {"UpgradePolicy": cluster.description["upgradePolicy"]}


def _change_protection(_: Any, cluster: Thing, enabled: bool) -> Params:
    cluster.description["deletionProtection"] = enabled
    return {"DeletionProtection": enabled}


def _change_zonal_shift(_: Any, cluster: Thing, zonal_shift: Params) -> Params:
    cluster.description["zonalShiftConfig"] = zonal_shift
    return {"ZonalShiftConfig": zonal_shift}


_ACCESS: Final = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
CHANGES: Final[dict[str, tuple[str, Any]]] = {
    "resourcesVpcConfig": ("EndpointAccessUpdate", _change_network),
    "logging": ("LoggingUpdate", _change_logging),
    "accessConfig": ("AccessConfigUpdate", _change_access),
    "upgradePolicy": ("UpgradePolicyUpdate", _change_policy),
    "zonalShiftConfig": ("ZonalShiftConfigUpdate", _change_zonal_shift),
    "deletionProtection": ("DeletionProtectionUpdate", _change_protection),
}
