"""GKE: how the provider changes a cluster, one field a call (resourceContainerClusterUpdate)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.gcp.context import GcpContext
from twin.gcp.services.container.resources import cluster_parts
from twin.gcp.services.container.resources.calls import insisting
from twin.gcp.services.container.resources.pool_changes import PoolChange, updates
from twin.provider_interface import Props

if TYPE_CHECKING:
    from twin.gcp.services.container.resources.clusters import Cluster

_CLUSTERS = "container.projects.locations.clusters"
_ENDPOINTS = ("controlPlaneEndpointsConfig", "masterAuthorizedNetworksConfig", "privateClusterConfig")


@dataclass(frozen=True)
class ClusterChange:
    """The changes of one cluster. name: its full name, which is the id."""

    kind: Cluster
    context: GcpContext
    name: str
    minutes: float

    def apply(self, old: Props, new: Props, changed: set[str]) -> None:
        """All calls that lead from the old properties to the new ones. changed: those that differ."""
        self._endpoints(old, new, changed)
        for property, update in updates("updates").items():
            if property in changed:
                value = self._field(property, new)
                self._desire(**{update["field"]: update["without"] if value is None else value})
        for property, update in updates("switches").items():
            if property in changed:
                self._desire(**{update["field"]: {update["inside"]: bool(new.get(property))}})
        if "autopilotPrivilegedAdmissions" in changed:
            paths = new.get("autopilotPrivilegedAdmissions") or []
            self._desire(desiredPrivilegedAdmissionConfig={"allowlistPaths": paths})
        self._places(old, new, changed)
        self._services(new, changed)
        self._ranges(old, new, changed)
        self._versions(old, new, changed)
        self._policies(new, changed)
        self._node_defaults(old, new, changed)
        self._pools(old, new, changed)

    def _endpoints(self, old: Props, new: Props, changed: set[str]) -> None:
        if not changed.intersection(_ENDPOINTS):
            return
        # What the program does not say stays as it is.
        whole = {name: new.get(name) or old.get(name) for name in _ENDPOINTS}
        if "masterAuthorizedNetworksConfig" in changed:
            whole["masterAuthorizedNetworksConfig"] = new.get("masterAuthorizedNetworksConfig")
        wanted = cluster_parts.endpoints(whole)
        if wanted != cluster_parts.endpoints(old):
            self._desire(desiredControlPlaneEndpointsConfig=wanted)
        before, after = (
            bool((props.get("privateClusterConfig") or {}).get("enablePrivateNodes"))
            for props in (old, whole)
        )
        if before != after:
            self._desire(desiredDefaultEnablePrivateNodes=after)

    def _places(self, old: Props, new: Props, changed: set[str]) -> None:
        if "nodeLocations" not in changed:
            return
        location = self.name.split("/")[3]
        locations = [location] if re.fullmatch(r".+-[a-z]", location) else []
        before, after = ({*(props.get("nodeLocations") or []), *locations} for props in (old, new))
        # Zones are added before others are taken away.
        if not before <= after:
            self._desire(desiredLocations=sorted(before | after))
        if after:
            self._desire(desiredLocations=sorted(after))

    def _services(self, new: Props, changed: set[str]) -> None:
        if changed & {"monitoringService", "loggingService"}:
            self._desire(
                desiredMonitoringService=new.get("monitoringService")
                or "monitoring.googleapis.com/kubernetes",
                desiredLoggingService=new.get("loggingService") or "logging.googleapis.com/kubernetes",
            )
        if "desiredEmulatedVersion" in changed:
            self._desire(desiredEmulatedVersion=new.get("desiredEmulatedVersion") or "")
        if "enableLegacyAbac" in changed:
            self._call("setLegacyAbac", {"enabled": bool(new.get("enableLegacyAbac"))})

    def _ranges(self, old: Props, new: Props, changed: set[str]) -> None:
        if "ipAllocationPolicy" not in changed:
            return
        before, after = (props.get("ipAllocationPolicy") or {} for props in (old, new))
        if after.get("stackType") and after["stackType"] != before.get("stackType"):
            self._desire(desiredStackType=after["stackType"])
        had, wants = (
            set((version.get("additionalPodRangesConfig") or {}).get("podRangeNames") or [])
            for version in (before, after)
        )
        if wants - had:
            self._desire(additionalPodRangesConfig={"podRangeNames": sorted(wants - had)})
        if had - wants:
            self._desire(removedAdditionalPodRangesConfig={"podRangeNames": sorted(had - wants)})
        if after.get("autoIpamConfig") and after["autoIpamConfig"] != before.get("autoIpamConfig"):
            self._desire(desiredAutoIpamConfig=after["autoIpamConfig"])
        ranges = after.get("additionalIpRangesConfigs")
        if ranges is not None and ranges != before.get("additionalIpRangesConfigs"):
            self._desire(desiredAdditionalIpRangesConfig={"additionalIpRangesConfigs": ranges})

    def _versions(self, old: Props, new: Props, changed: set[str]) -> None:
        wanted = new.get("minMasterVersion")
        if "minMasterVersion" in changed and wanted and _lower(old.get("masterVersion"), wanted):
            update: Props = {"desiredMasterVersion": wanted}
            if new.get("rollbackSafeUpgrade"):
                update["desiredRollbackSafeUpgrade"] = new["rollbackSafeUpgrade"]
            self._desire(**update)
        if "nodeVersion" in changed and new.get("nodeVersion"):
            self._desire(desiredNodeVersion=new["nodeVersion"], desiredNodePoolId="default-pool")

    def _policies(self, new: Props, changed: set[str]) -> None:
        if "networkPolicy" in changed:
            policy = new.get("networkPolicy") or {}
            sent = policy if policy.get("enabled") else {"enabled": False}
            self._call("setNetworkPolicy", {"networkPolicy": sent})
        if "maintenancePolicy" in changed:
            now = self.context.call(f"{_CLUSTERS}.get", {"name": self.name}).get("maintenancePolicy") or {}
            policy = cluster_parts.maintenance(new.get("maintenancePolicy")) or {
                "window": {
                    "maintenanceExclusions": (now.get("window") or {}).get("maintenanceExclusions") or {}
                }
            }
            policy["resourceVersion"] = now.get("resourceVersion", "")
            self._call("setMaintenancePolicy", {"maintenancePolicy": policy})

    def _node_defaults(self, old: Props, new: Props, changed: set[str]) -> None:
        if "nodePoolDefaults" in changed:
            before, after = (
                (props.get("nodePoolDefaults") or {}).get("nodeConfigDefaults") or {} for props in (old, new)
            )
            defaults = (self._field("nodePoolDefaults", new) or {}).get("nodeConfigDefaults") or {}
            for property, field, desired in (
                ("insecureKubeletReadonlyPortEnabled", "nodeKubeletConfig", "desiredNodeKubeletConfig"),
                ("loggingVariant", "loggingConfig", "desiredNodePoolLoggingConfig"),
                ("gcfsConfig", "gcfsConfig", "desiredGcfsConfig"),
                ("containerdConfig", "containerdConfig", "desiredContainerdConfig"),
            ):
                if after.get(property) is not None and after[property] != before.get(property):
                    self._desire(**{desired: defaults.get(field)})
        if "nodePoolAutoConfig" in changed:
            defaults = self._field("nodePoolAutoConfig", new) or {}
            had = self._field("nodePoolAutoConfig", old) or {}
            for field, desired in (
                ("nodeKubeletConfig", "desiredNodePoolAutoConfigKubeletConfig"),
                ("networkTags", "desiredNodePoolAutoConfigNetworkTags"),
                ("resourceManagerTags", "desiredNodePoolAutoConfigResourceManagerTags"),
                ("linuxNodeConfig", "desiredNodePoolAutoConfigLinuxNodeConfig"),
            ):
                if defaults.get(field) != had.get(field):
                    self._desire(**{desired: defaults.get(field) or {}})

    def _pools(self, old: Props, new: Props, changed: set[str]) -> None:
        if "nodeConfig" in changed and new.get("nodeConfig"):
            pool = PoolChange(self.kind, self.context, f"{self.name}/nodePools/default-pool", self.minutes)
            pool.cluster_nodes(old.get("nodeConfig") or {}, new["nodeConfig"])
        if "nodePools" in changed and new.get("nodePools"):
            known = {pool.get("name"): pool for pool in old.get("nodePools") or []}
            for pool in new["nodePools"]:
                name = f"{self.name}/nodePools/{pool.get('name')}"
                change = PoolChange(self.kind, self.context, name, self.minutes, "nodePools")
                change.apply(known.get(pool.get("name")) or {}, pool)
        if "removeDefaultNodePool" in changed and new.get("removeDefaultNodePool"):
            self.kind.remove_default_pool(self.context, self.name)

    def _field(self, property: str, props: Props) -> Any:
        """The API's value of one property."""
        linked = self.kind.linked(self.context, {property: props.get(property)})
        value: Any
        value, _ = self.kind.shape.encode(self.kind.sdk_schema.inputs, linked)
        field = self.kind.fields.get(property)
        for part in (property if field is None or field.api is None else field.api).split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _desire(self, **update: Any) -> None:
        self._call("update", {"update": update})

    def _call(self, method: str, body: Props) -> None:
        called, params = f"{_CLUSTERS}.{method}", {"name": self.name}
        answer = insisting(self.context, self.minutes, lambda: self.context.call(called, params, body))
        self.kind.done(self.context, answer, "Updating")


def _lower(now: Any, wanted: str) -> bool:
    """Whether a version is below the one that is asked for, which may be short (`1.33`)."""
    have, want = _numbers(str(now or "0")), _numbers(wanted)
    return have[: len(want)] < want


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
