"""Bigtable: instances with their clusters, tables, and what their column families forget."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import CloudError, Failure, Props

_CLUSTERS: Final = "bigtableadmin.projects.instances.clusters"
_FACTORS: Final = {
    "NodeScalingFactor1X": "NODE_SCALING_FACTOR_1X",
    "NodeScalingFactor2X": "NODE_SCALING_FACTOR_2X",
}


class Instance(GcpResource):
    token = "gcp:bigtable/instance:Instance"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        clusters = inputs.get("clusters")
        for index, each in enumerate(clusters if isinstance(clusters, list) else []):
            if not isinstance(each, dict):
                continue
            if each.get("numNodes") is not None and each.get("autoscalingConfig") is not None:
                yield Failure(
                    f"clusters[{index}].numNodes", "conflicts with autoscalingConfig: set one of the two"
                )

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path.startswith("clusters."):
            # A cluster's place, storage and key are for good.
            return path.rpartition(".")[2] in ("zone", "storageType", "kmsKeyName", "nodeScalingFactor")
        return super().replaces(path, old, new)

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        if not made.get("displayName") and isinstance(inputs.get("name"), str):
            made["displayName"] = inputs["name"]
        return made, places

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        clusters = inputs.get("clusters") or []
        if not clusters:
            raise CloudError("at least one cluster block must be specified", path="clusters")
        whole = {
            "parent": f"projects/{inputs.get('project') or context.project}",
            "instanceId": inputs["name"],
            "instance": body,
            "clusters": {each["clusterId"]: _cluster(context, inputs, each) for each in clusters},
        }
        return super().make(context, inputs, whole)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        found = super().find(context, id, values)
        if found is None:
            return None
        answered = context.call(f"{_CLUSTERS}.list", {"parent": found["name"]})
        return {**found, "__clusters": answered.get("clusters") or []}

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        made = [_answered(each) for each in item.get("__clusters", [])]
        asked = known.get("clusters") if isinstance(known.get("clusters"), list) else []
        order = {each.get("clusterId"): index for index, each in enumerate(asked or [])}
        whole = sorted(made, key=lambda each: order.get(each["clusterId"], len(order)))
        for each in whole:
            index = order.get(each["clusterId"])
            if index is not None and (asked or [])[index].get("autoscalingConfig") is None:
                each.pop("autoscalingConfig", None)
        return {"clusters": whole}

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        if "clusters" not in self.changed(old, new):
            return
        before = {each["clusterId"]: each for each in old.get("clusters") or []}
        after = {each["clusterId"]: each for each in new.get("clusters") or []}
        for key, each in after.items():
            body = _cluster(context, new, each)
            if key not in before:
                answer = context.call(f"{_CLUSTERS}.create", {"parent": id, "clusterId": key}, body)
                self.done(context, answer, "Creating")
            elif before[key] != each:
                sent = {name: body[name] for name in ("serveNodes", "clusterConfig") if name in body}
                params = {"name": f"{id}/clusters/{key}"}
                answer = context.call(
                    f"{_CLUSTERS}.partialUpdateCluster", params, sent, {"updateMask": ",".join(sorted(sent))}
                )
                self.done(context, answer, "Updating")
        for key in before:
            if key not in after:
                context.call(f"{_CLUSTERS}.delete", {"name": f"{id}/clusters/{key}"})

    def set_labels(self, context: GcpContext, id: str, old: Props, new: Props, labels: Props) -> None:
        answer = context.call(
            f"{self.collection}.partialUpdateInstance",
            {"name": id},
            {"labels": labels},
            {"updateMask": "labels"},
        )
        self.done(context, answer, "Updating")


def _cluster(context: GcpContext, inputs: Props, each: Props) -> Props:
    project = inputs.get("project") or context.project
    zone = each.get("zone") or context.zone
    made: Props = {
        "location": f"projects/{project}/locations/{zone}",
        "defaultStorageType": each.get("storageType") or "SSD",
        "nodeScalingFactor": _FACTORS[each.get("nodeScalingFactor") or "NodeScalingFactor1X"],
    }
    if each.get("kmsKeyName"):
        made["encryptionConfig"] = {"kmsKeyName": each["kmsKeyName"]}
    scaling = each.get("autoscalingConfig")
    if scaling:
        targets = {"cpuUtilizationPercent": scaling.get("cpuTarget")}
        if scaling.get("storageTarget"):
            targets["storageUtilizationGibPerNode"] = scaling["storageTarget"]
        limits = {"minServeNodes": scaling.get("minNodes"), "maxServeNodes": scaling.get("maxNodes")}
        made["clusterConfig"] = {
            "clusterAutoscalingConfig": {"autoscalingLimits": limits, "autoscalingTargets": targets}
        }
    elif each.get("numNodes"):
        made["serveNodes"] = each["numNodes"]
    return made


def _answered(cluster: Props) -> Props:
    factors = {value: name for name, value in _FACTORS.items()}
    made: Props = {
        "clusterId": cluster["name"].rpartition("/")[2],
        "zone": cluster["location"].rpartition("/")[2],
        "numNodes": int(cluster.get("serveNodes") or 0),
        "storageType": cluster.get("defaultStorageType", "SSD"),
        "kmsKeyName": (cluster.get("encryptionConfig") or {}).get("kmsKeyName", ""),
        "state": cluster.get("state", ""),
        "nodeScalingFactor": factors.get(cluster.get("nodeScalingFactor", ""), "NodeScalingFactor1X"),
    }
    scaling = (cluster.get("clusterConfig") or {}).get("clusterAutoscalingConfig")
    if scaling:
        limits, targets = scaling["autoscalingLimits"], scaling["autoscalingTargets"]
        made["autoscalingConfig"] = {
            "minNodes": limits.get("minServeNodes"),
            "maxNodes": limits.get("maxServeNodes"),
            "cpuTarget": targets.get("cpuUtilizationPercent"),
            "storageTarget": targets.get("storageUtilizationGibPerNode") or 0,
        }
    return made
