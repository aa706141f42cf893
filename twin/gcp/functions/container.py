"""GKE: the versions that a location offers."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from typing import Any

from twin.checks.sdk import sdk
from twin.checks.types import ListOf, Property
from twin.gcp.context import GcpContext
from twin.gcp.functions.base import GcpFunction, project
from twin.gcp.resources.container import Cluster
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


class GetCluster(GcpFunction):
    token = "gcp:container/getCluster:getCluster"
    title = "container cluster"

    def answer(self, context: GcpContext, arguments: Props) -> Props:
        where = project(context, arguments)
        location = arguments.get("location") or context.zone or context.region
        id = f"projects/{where}/locations/{location}/clusters/{arguments['name']}"
        outputs = Cluster().read(context, id, {"skipNodePoolRefresh": arguments.get("skipNodePoolRefresh")})
        if outputs is None:
            raise CloudError(f"{id} not found")
        schema = sdk("pulumi_gcp").function(self.token)
        labels = outputs["effectiveLabels"]
        outputs |= {"resourceLabels": labels, "pulumiLabels": labels, "id": id}
        return {
            name: _shown(property, outputs) for name, property in (schema.result if schema else {}).items()
        }


def _shown(property: Property, outputs: Props) -> Any:
    """A property of the data source, whose blocks are lists of one under a plural name."""
    if property.name in outputs:
        value = outputs[property.name]
    else:
        single = next((name for name in _singular(property.name) if name in outputs), "")
        value = outputs.get(single)
    if isinstance(property.type, ListOf) and not isinstance(value, list):
        return [] if value is None else [value]
    return value


def _singular(name: str) -> list[str]:
    return [name.removesuffix("s"), f"{name.removesuffix('ies')}y", name.removesuffix("es")]
