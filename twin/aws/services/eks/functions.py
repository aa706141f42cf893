"""EKS's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from typing import Any, Final

import jmespath

from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.aws.services.eks.resources.clusters import Cluster
from twin.aws.services.eks.resources.nodegroups import Addon, NodeGroup
from twin.provider_interface import CloudError, Props

_BLOCKS: Final = (
    *("accessConfig", "certificateAuthority", "computeConfig", "kubernetesNetworkConfig", "outpostConfig"),
    *(
        "remoteNetworkConfig",
        "storageConfig",
        "upgradePolicy",
        "zonalShiftConfig",
        "controlPlaneScalingConfig",
    ),
)
_BLOCKS_OF_NODE_GROUPS: Final = ("launchTemplate", "remoteAccess", "scalingConfig", "updateConfig")
"""What a function answers as a list, whose name is the plural, and the resource as one object."""


def _plural(name: str) -> str:
    stem, last = name[:-1], name[-1]
    return f"{stem}ies" if last == "y" else f"{name}es" if last == "s" else f"{name}s"


class GetAddonVersion(AwsFunction):
    token = "aws:eks/getAddonVersion:getAddonVersion"
    service = "eks"
    title = "EKS Add-On version info"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name, kubernetes = arguments["addonName"], arguments["kubernetesVersion"]
        params: Props = {"addonName": name, "kubernetesVersion": kubernetes}
        addons = context.pages("eks", "DescribeAddonVersions", params, "addons")
        versions: list[Props] = jmespath.search("[].addonVersions[]", addons) or []
        version = self._choose(versions, bool(arguments.get("mostRecent")))
        if version is None:
            raise CloudError(
                f"reading EKS Add-On version info ({name}, {kubernetes}): couldn't find resource: no "
                f"add-on {name!r} for Kubernetes {kubernetes}"
            )
        return {"id": name, "version": version, "region": context.region}

    @staticmethod
    def _choose(versions: list[dict[str, Any]], most_recent: bool) -> str | None:
        # EKS answers the newest first; the default is marked per Kubernetes version.
        for version in versions:
            default = any(fit.get("defaultVersion") for fit in version.get("compatibilities", []))
            if most_recent or default:
                return str(version["addonVersion"])
        return None


class GetAddon(AwsFunction):
    token = "aws:eks/getAddon:getAddon"
    service = "eks"
    title = "EKS Add-On"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        id = f"{arguments['clusterName']}:{arguments['addonName']}"
        state = Addon().read(context, id, {})
        if state is None:
            raise CloudError(f"reading EKS Add-On ({id}): couldn't find resource")
        names = ("addonVersion", "arn", "configurationValues", "createdAt", "modifiedAt")
        outputs = {name: state.get(name, "") for name in (*names, "serviceAccountRoleArn")}
        associations = state.get("podIdentityAssociations") or []
        return {
            "id": id,
            **outputs,
            "podIdentityAssociations": associations,
            "tags": state.get("tagsAll", {}),
        }


class GetClusters(AwsFunction):
    token = "aws:eks/getClusters:getClusters"
    service = "eks"
    title = "EKS Clusters"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        names = context.pages("eks", "ListClusters", {}, "clusters")
        return {"id": context.region, "names": names, "region": context.region}


class GetNodeGroups(AwsFunction):
    token = "aws:eks/getNodeGroups:getNodeGroups"
    service = "eks"
    title = "EKS Node Groups"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["clusterName"]
        names = context.pages("eks", "ListNodegroups", {"clusterName": name}, "nodegroups")
        return {"id": name, "clusterName": name, "names": names, "region": context.region}


class GetNodeGroup(AwsFunction):
    token = "aws:eks/getNodeGroup:getNodeGroup"
    service = "eks"
    title = "EKS Node Group"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        id = f"{arguments['clusterName']}:{arguments['nodeGroupName']}"
        state = NodeGroup().read(context, id, {})
        if state is None:
            raise CloudError(f"reading EKS Node Group ({id}): couldn't find resource")
        lists = {
            _plural(single): [state[single]] if state.get(single) else [] for single in _BLOCKS_OF_NODE_GROUPS
        }
        absent = (*_BLOCKS_OF_NODE_GROUPS, "nodeRepairConfig", "tagsAll")
        rest = {name: value for name, value in state.items() if name not in absent}
        return {**rest, **lists, "id": id, "region": context.region, "tags": state.get("tagsAll", {})}


class GetCluster(AwsFunction):
    token = "aws:eks/getCluster:getCluster"
    service = "eks"
    title = "EKS Cluster"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["name"]
        state = Cluster().read(context, name, {})
        if state is None:
            raise CloudError(f"reading EKS Cluster ({name}): no such cluster")
        absent = (*_BLOCKS, "tagsAll", "encryptionConfig")
        outputs = {k: v for k, v in state.items() if k not in absent}
        outputs |= {_plural(k): [state[k]] for k in _BLOCKS if state.get(k) is not None}
        return {"id": name, **outputs, "tags": state.get("tagsAll", {})}
