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

_PLURALS: Final = {
    "accessConfig": "accessConfigs",
    "certificateAuthority": "certificateAuthorities",
    "computeConfig": "computeConfigs",
    "kubernetesNetworkConfig": "kubernetesNetworkConfigs",
    "outpostConfig": "outpostConfigs",
    "remoteNetworkConfig": "remoteNetworkConfigs",
    "storageConfig": "storageConfigs",
    "upgradePolicy": "upgradePolicies",
    "zonalShiftConfig": "zonalShiftConfigs",
    "controlPlaneScalingConfig": "controlPlaneScalingConfigs",
}
_PLURALS_OF_NODE_GROUPS: Final = {
    "launchTemplate": "launchTemplates",
    "remoteAccess": "remoteAccesses",
    "scalingConfig": "scalingConfigs",
    "updateConfig": "updateConfigs",
}


class GetAddonVersion(AwsFunction):
    token = "aws:eks/getAddonVersion:getAddonVersion"
    service = "eks"
    title = "EKS Add-On version info"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name, kubernetes = arguments["addonName"], arguments["kubernetesVersion"]
        params: Props = {"addonName": name, "kubernetesVersion": kubernetes}
        versions: list[dict[str, Any]] = []
        while True:
            answer = context.call("eks", "DescribeAddonVersions", params)
            versions += jmespath.search("addons[].addonVersions[]", answer) or []
            if not answer.get("nextToken"):
                break
            params["nextToken"] = answer["nextToken"]
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


def _names(context: AwsContext, operation: str, key: str, params: Props) -> list[str]:
    """Return the names on all pages of a list of EKS."""
    answer = context.call("eks", operation, params)
    names = list(answer[key])
    while token := answer.get("nextToken"):
        answer = context.call("eks", operation, {**params, "nextToken": token})
        names += answer[key]
    return names


class GetClusters(AwsFunction):
    token = "aws:eks/getClusters:getClusters"
    service = "eks"
    title = "EKS Clusters"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        names = _names(context, "ListClusters", "clusters", {})
        return {"id": context.region, "names": names, "region": context.region}


class GetNodeGroups(AwsFunction):
    token = "aws:eks/getNodeGroups:getNodeGroups"
    service = "eks"
    title = "EKS Node Groups"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["clusterName"]
        names = _names(context, "ListNodegroups", "nodegroups", {"clusterName": name})
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
            plural: [state[single]] if state.get(single) else []
            for single, plural in _PLURALS_OF_NODE_GROUPS.items()
        }
        absent = (*_PLURALS_OF_NODE_GROUPS, "nodeRepairConfig", "tagsAll")
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
        outputs = {
            k: v for k, v in state.items() if k not in _PLURALS and k not in ("tagsAll", "encryptionConfig")
        }
        outputs |= {
            plural: [state[single]] for single, plural in _PLURALS.items() if state.get(single) is not None
        }
        return {"id": name, **outputs, "tags": state.get("tagsAll", {})}
