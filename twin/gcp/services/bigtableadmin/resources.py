"""Bigtable: instances with their clusters, tables, and what their column families forget."""

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
        for index, cluster in enumerate(clusters if isinstance(clusters, list) else []):
            if not isinstance(cluster, dict):
                continue
            if cluster.get("numNodes") is not None and cluster.get("autoscalingConfig") is not None:
                yield Failure(
                    f"clusters[{index}].numNodes", "conflicts with autoscalingConfig: set one of the two"
                )

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path.startswith("clusters."):
            # A cluster's place, storage and key are for good.
            return path.rpartition(".")[2] in ("zone", "storageType", "kmsKeyName", "nodeScalingFactor")
        return super().replaces(path, old, new)

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        if not request_body.get("displayName") and isinstance(inputs.get("name"), str):
            request_body["displayName"] = inputs["name"]
        return request_body, places

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        clusters = inputs.get("clusters") or []
        if not clusters:
            raise CloudError("at least one cluster block must be specified", path="clusters")
        whole = {
            "parent": f"projects/{inputs.get('project') or context.project}",
            "instanceId": inputs["name"],
            "instance": body,
            "clusters": {cluster["clusterId"]: _cluster(context, inputs, cluster) for cluster in clusters},
        }
        return super().make(context, inputs, whole)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        item = super().find(context, id, values)
        if item is None:
            return None
        answered = context.call(f"{_CLUSTERS}.list", {"parent": item["name"]})
        return {**item, "__clusters": answered.get("clusters") or []}

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        clusters = [_answered(cluster) for cluster in item.get("__clusters", [])]
        requested = known.get("clusters") if isinstance(known.get("clusters"), list) else []
        order = {cluster.get("clusterId"): index for index, cluster in enumerate(requested or [])}
        whole = sorted(clusters, key=lambda cluster: order.get(cluster["clusterId"], len(order)))
        for output in whole:
            index = order.get(output["clusterId"])
            if index is not None and (requested or [])[index].get("autoscalingConfig") is None:
                output.pop("autoscalingConfig", None)
        return {"clusters": whole}

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        super().change(context, id, old, new)
        if "clusters" not in self.changed(old, new):
            return
        before = {cluster["clusterId"]: cluster for cluster in old.get("clusters") or []}
        after = {cluster["clusterId"]: cluster for cluster in new.get("clusters") or []}
        for key, cluster_props in after.items():
            body = _cluster(context, new, cluster_props)
            if key not in before:
                answer = context.call(f"{_CLUSTERS}.create", {"parent": id, "clusterId": key}, body)
                self.done(context, answer, "Creating")
            elif before[key] != cluster_props:
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


def _cluster(context: GcpContext, inputs: Props, cluster_props: Props) -> Props:
    project = inputs.get("project") or context.project
    zone = cluster_props.get("zone") or context.zone
    cluster: Props = {
        "location": f"projects/{project}/locations/{zone}",
        "defaultStorageType": cluster_props.get("storageType") or "SSD",
        "nodeScalingFactor": _FACTORS[cluster_props.get("nodeScalingFactor") or "NodeScalingFactor1X"],
    }
    if cluster_props.get("kmsKeyName"):
        cluster["encryptionConfig"] = {"kmsKeyName": cluster_props["kmsKeyName"]}
    scaling = cluster_props.get("autoscalingConfig")
    if scaling:
        targets = {"cpuUtilizationPercent": scaling.get("cpuTarget")}
        if scaling.get("storageTarget"):
            targets["storageUtilizationGibPerNode"] = scaling["storageTarget"]
        limits = {"minServeNodes": scaling.get("minNodes"), "maxServeNodes": scaling.get("maxNodes")}
        cluster["clusterConfig"] = {
            "clusterAutoscalingConfig": {"autoscalingLimits": limits, "autoscalingTargets": targets}
        }
    elif cluster_props.get("numNodes"):
        cluster["serveNodes"] = cluster_props["numNodes"]
    return cluster


def _answered(cluster: Props) -> Props:
    factors = {value: name for name, value in _FACTORS.items()}
    cluster_outputs: Props = {
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
        cluster_outputs["autoscalingConfig"] = {
            "minNodes": limits.get("minServeNodes"),
            "maxNodes": limits.get("maxServeNodes"),
            "cpuTarget": targets.get("cpuUtilizationPercent"),
            "storageTarget": targets.get("storageUtilizationGibPerNode") or 0,
        }
    return cluster_outputs
