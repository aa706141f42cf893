"""GKE: the versions that a location offers."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from twin.gcp.context import GcpContext
from twin.gcp.functions.base import GcpFunction, project
from twin.resource import CloudError, Props


class GetEngineVersions(GcpFunction):
    token = "gcp:container/getEngineVersions:getEngineVersions"
    title = "container cluster versions"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        location = arguments.get("location") or context.zone or context.region
        if not location:
            raise CloudError(
                "Cannot determine location: set location in this data source or at provider-level",
                path="location",
            )
        name = f"projects/{where}/locations/{location}"
        told = context.call("container.projects.locations.getServerConfig", {"name": name})
        prefix = arguments.get("versionPrefix") or ""
        masters = [each for each in told.get("validMasterVersions", []) if each.startswith(prefix)]
        nodes = [each for each in told.get("validNodeVersions", []) if each.startswith(prefix)]
        channels = told.get("channels", [])
        latest = {
            each["channel"]: next(
                iter(v for v in each.get("validVersions", []) if v.startswith(prefix)), None
            )
            for each in channels
        }
        return {
            "id": name,
            "validMasterVersions": masters,
            "validNodeVersions": nodes,
            "latestMasterVersion": masters[0] if masters else "",
            "latestNodeVersion": nodes[0] if nodes else "",
            "defaultClusterVersion": told.get("defaultClusterVersion", ""),
            "releaseChannelDefaultVersion": {
                each["channel"]: each.get("defaultVersion", "") for each in channels
            },
            "releaseChannelLatestVersion": {name: version for name, version in latest.items() if version},
            "releaseChannelUpgradeTargetVersion": {
                each["channel"]: each.get("upgradeTargetVersion", "") for each in channels
            },
        }
