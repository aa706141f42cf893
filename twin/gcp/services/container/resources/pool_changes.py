"""GKE: how the provider changes a node pool, one field a call, in its order (nodePoolUpdate)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.gcp import services
from twin.gcp.context import GcpContext
from twin.gcp.services.container.resources.calls import insisting
from twin.provider_interface import Props

if TYPE_CHECKING:
    from twin.gcp.resources.base import GcpResource

_POOLS = "container.projects.locations.clusters.nodePools"
_CLUSTERS = "container.projects.locations.clusters"


def updates(kind: str) -> Mapping[str, Mapping[str, Any]]:
    """A table of cluster_updates.toml, by property: `updates`, `switches` or `nodes`."""
    return services.entries("container", "cluster_updates")[kind]


def _said(stated: Mapping[str, Any], value: Any) -> Any:
    """What a field says in a request. value: the API's, if there is one."""
    if not value and "without" in stated:
        value = services.copied(stated["without"])
    return {stated["inside"]: value} if "inside" in stated else value


@dataclass(frozen=True)
class PoolChange:
    """The changes of one pool. name: its full name; prefix: the path of its properties in `kind`'s."""

    kind: GcpResource
    context: GcpContext
    name: str
    minutes: float
    prefix: str = ""

    def apply(self, old: Props, new: Props) -> None:
        """All calls that lead from the old properties of the pool to the new ones."""
        changed = {name for name in {*old, *new} if self._differs(name, old, new)}
        body = self._encoded(new)
        if "autoscaling" in changed:
            wanted = body.get("autoscaling") or {"enabled": False}
            update = {"desiredNodePoolId": self._short, "desiredNodePoolAutoscaling": wanted}
            self._call(f"{_CLUSTERS}.update", {"update": update}, self._cluster)
        if "nodeConfig" in changed:
            self.nodes(old.get("nodeConfig") or {}, new.get("nodeConfig") or {})
        if "nodeCount" in changed and new.get("nodeCount") is not None:
            self._call(f"{_POOLS}.setSize", {"nodeCount": new["nodeCount"]})
        if "management" in changed:
            self._call(f"{_POOLS}.setManagement", {"management": body.get("management") or {}})
        if "version" in changed and new.get("version"):
            self._update({"nodePoolId": self._short, "nodeVersion": new["version"]})
        for property, field in (
            ("nodeLocations", "locations"),
            ("upgradeSettings", "upgradeSettings"),
            ("networkConfig", "networkConfig"),
            ("nodeDrainConfigs", "nodeDrainConfig"),
        ):
            if property in changed:
                sent = "nodeNetworkConfig" if field == "networkConfig" else field
                self._update({sent: body.get(field) if body.get(field) is not None else {}})

    def nodes(self, old: Props, new: Props) -> None:
        """The changes of `nodeConfig`."""
        self._nodes(old, new, self._encoded({"nodeConfig": new}).get("config") or {})

    def cluster_nodes(self, old: Props, new: Props) -> None:
        """The changes of the `nodeConfig` of a cluster, which is its default pool's."""
        body, _ = self.kind.shape.encode(self.kind.sdk_schema.inputs, {"nodeConfig": new})
        self._nodes(old, new, body.get("nodeConfig") or {})

    def _nodes(self, old: Props, new: Props, config: Props) -> None:
        before = f"{self._path('nodeConfig')}."
        for names, fields in updates("nodes").items():
            if not any(self._changed(before + name, old.get(name), new.get(name)) for name in names.split()):
                continue
            changes = {field: _said(stated, config.get(field)) for field, stated in fields.items()}
            self._update({field: value for field, value in changes.items() if value is not None})
        images = [name for name in ("imageType", "nodeImageConfigs") if self._image(before, name, old, new)]
        if images:
            custom = (new.get("nodeImageConfigs") or [{}])[0]
            update: Props = {"desiredNodePoolId": self._short}
            if "imageType" in images:
                update["desiredImageType"] = new.get("imageType")
            if "nodeImageConfigs" in images:
                update.setdefault("desiredImageType", "CUSTOM_CONTAINERD")
                update |= {
                    "desiredImage": custom.get("image"),
                    "desiredImageProject": custom.get("imageProject"),
                }
            self._call(f"{_CLUSTERS}.update", {"update": update}, self._cluster)

    def _image(self, before: str, name: str, old: Props, new: Props) -> bool:
        return bool(new.get(name)) and self._changed(before + name, old.get(name), new.get(name))

    def _differs(self, name: str, old: Props, new: Props) -> bool:
        if name not in new or (new[name] is None and name in self.kind.computed):
            return name == "autoscaling" and bool(old.get(name))
        if name == "networkConfig":
            # The rest of it is immutable, or what the API chose.
            return any(
                (new[name] or {}).get(key) is not None
                and (old.get(name) or {}).get(key) != (new[name] or {}).get(key)
                for key in ("enablePrivateNodes", "networkPerformanceConfig")
            )
        return self._changed(self._path(name), old.get(name), new[name])

    def _changed(self, path: str, old: Any, new: Any) -> bool:
        """Whether what is asked for is other than what is there; what is not asked for stays."""
        if new is None:
            return False
        if isinstance(new, dict) and isinstance(old, dict):
            if path.endswith(("abels", "Tags", "sysctls")):
                return old != new
            return any(self._changed(f"{path}.{key}", old.get(key), value) for key, value in new.items())
        if not new and not old:
            return False
        return not self.kind.same(path, old, new)

    def _path(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name

    def _encoded(self, pool: Props) -> Props:
        pool = {key: value for key, value in pool.items() if value is not None}
        if not self.prefix:
            body, _ = self.kind.shape.encode(self.kind.sdk_schema.inputs, pool)
            return body
        whole, _ = self.kind.shape.encode(self.kind.sdk_schema.inputs, {self.prefix: [pool]})
        return (whole.get(self.prefix) or [{}])[0]

    @property
    def _short(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def _cluster(self) -> str:
        return self.name.partition("/nodePools/")[0]

    def _update(self, body: Props) -> None:
        self._call(f"{_POOLS}.update", body)

    def _call(self, method: str, body: Props, name: str = "") -> None:
        params = {"name": name or self.name}
        answer = insisting(self.context, self.minutes, lambda: self.context.call(method, params, body))
        self.kind.done(self.context, answer, "Updating")
