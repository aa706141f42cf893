"""GKE: node pools."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import absence_allowed
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.fields import Field
from twin.gcp.resources.links import last_of
from twin.gcp.resources.long_running_operations import FailedOperation
from twin.gcp.services.container.resources import nodes
from twin.gcp.services.container.resources.calls import insisting
from twin.provider_interface import CloudError, HalfMade, Props

CLUSTER: Final = re.compile(r"projects/([^/]+)/(?:zones|locations)/([^/]+)/clusters/([^/]+)")
_IGM: Final = re.compile(r"projects/([^/]+)/zones/([^/]+)/instanceGroupManagers/([^/]+)")
_ERRORS: Final = ("ERROR", "RUNNING_WITH_ERROR")
_UNIQUE: Final = 26


def _autoscaling(value: Any) -> Any:
    """The API says in a field whether there is any; the provider sends its zeros."""
    if not isinstance(value, dict):
        return value
    zeros = dict.fromkeys(("minNodeCount", "maxNodeCount", "totalMinNodeCount", "totalMaxNodeCount"), 0)
    return {"enabled": True, **zeros, **value}


def _autoscaling_seen(value: Any) -> Any:
    """None where the pool has none."""
    return value if isinstance(value, dict) and value.get("enabled") else None


AUTOSCALING: Final = Field(encode=_autoscaling, decode=_autoscaling_seen)


class NodePool(GcpResource):
    token = "gcp:container/nodePool:NodePool"
    fields = {**nodes.fields("nodeConfig"), "autoscaling": AUTOSCALING}

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return super().alike(path, old, new) or pool_alike(path, old, new)

    def values(self, context: GcpContext, id: str, props: Props) -> Props:
        values = super().values(context, id, props)
        named = CLUSTER.search(str(values.get("cluster")))
        if named and not id:
            values["project"], values["location"], values["cluster"] = named.groups()
        if id:
            values |= self.parsed(id)
        return values

    def prepared(self, context: GcpContext, inputs: Props) -> Props:
        # A cluster by its id has its own place, which is not the provider's.
        named = CLUSTER.search(str(inputs.get("cluster")))
        place = {"location": named[2]} if named and not inputs.get("location") else {}
        return super().prepared(context, {**inputs, **place})

    def create(self, context: Any, inputs: Props) -> tuple[str, Props]:
        return super().create(context, self._named(context, inputs))

    def _named(self, context: GcpContext, inputs: Props) -> Props:
        prefix = inputs.get("namePrefix")
        if inputs.get("name") or not prefix:
            return inputs
        seed = hashlib.sha256(f"{context.intent or time.time_ns()}{self.token}".encode()).hexdigest()
        digits = str(int(seed, 16))[:_UNIQUE]
        # ReducedPrefixedUniqueId: 40 characters are all that GKE allows.
        return {**inputs, "name": prefix + (digits if len(prefix) <= 14 else digits[: 40 - len(prefix)])}

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        body, places = super().body(context, inputs)
        pool_sizes(body, inputs)
        if isinstance(inputs.get("nodeConfig"), dict) or inputs.get("nodeConfig") is None:
            body.setdefault("config", {}).setdefault("oauthScopes", [*nodes.DEFAULT_SCOPES])
        places["initialNodeCount"] = "nodeCount" if inputs.get("nodeCount") else "initialNodeCount"
        return body, places

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        params = self.filled(self.create_params, self.values(context, "", inputs))
        called = f"{self.collection}.create"
        return insisting(context, self.minutes, lambda: context.call(called, params, {"nodePool": body}))

    def done(self, context: GcpContext, answer: Props, action: str) -> Props:
        return super().done(context, answer, f"{action.lower()} GKE")

    def failed_create(self, context: GcpContext, inputs: Props, error: FailedOperation) -> None:
        # A pool without machines (a stockout) is there all the same: it is kept, as the provider does.
        id = self.made_id(context, inputs, {})
        if self.find(context, id, self.values(context, id, inputs)) is not None:
            raise HalfMade(str(error), id, inputs, code=error.code) from error

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        item = self.find(context, id, self.values(context, id, inputs)) or {}
        if item.get("status") in _ERRORS:
            answered = item.get("statusMessage") or ""
            raise CloudError(
                f"NodePool {item.get('name')} was created in the error state {item['status']!r}: {answered}"
            )

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        place = self.values(context, id, known)
        cluster = known.get("cluster") or place["cluster"]
        outputs: Props = {"cluster": cluster, "location": place["location"], "project": place["project"]}
        if known.get("ignoreNodeCountChanges"):
            return {**outputs, "nodeCount": known.get("nodeCount")}
        return {**outputs, **sizes_now(context, item)}

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        if "nodeConfig" in outputs:
            outputs["nodeConfig"] = nodes.seen(outputs["nodeConfig"], state.get("nodeConfig"))
        created = (state.get("networkConfig") or {}).get("createPodRange")
        if created is not None and isinstance(outputs.get("networkConfig"), dict):
            outputs["networkConfig"] = {**outputs["networkConfig"], "createPodRange": created}
        return outputs

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        from twin.gcp.services.container.resources.pool_changes import PoolChange

        values = self.values(context, id, new)
        PoolChange(self, context, self.filled(self.params, values)["name"], self.minutes).apply(old, new)

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        params = self.filled(self.params, self.values(context, id, state))
        called = f"{self.collection}.delete"
        answer = insisting(context, self.minutes, lambda: context.call(called, params))
        self.done(context, answer, "Deleting")


def pool_alike(path: str, old: Any, new: Any) -> bool:
    """Whether two values of a node pool's property mean the same."""
    name = path.rpartition(".")[2]
    if "networkConfig." in path and name in ("subnetwork", "network"):
        return last_of(old) == last_of(new)
    return "nodeConfig." in path and nodes.alike(name, old, new)


def pool_sizes(body: Props, inputs: Props) -> None:
    """The API has one field for what is `nodeCount` or `initialNodeCount`."""
    count = inputs.get("nodeCount") if inputs.get("nodeCount") is not None else inputs.get("initialNodeCount")
    body["initialNodeCount"] = 0 if count is None else count


def sizes_now(context: GcpContext, pool: Props) -> Props:
    """`nodeCount` (a zone) and the instance groups, as the instance group managers report."""
    size, urls, groups = 0, [], []
    for url in pool.get("instanceGroupUrls") or []:
        named = _IGM.search(url)
        if not named:
            continue
        project, zone, name = named.groups()
        params = {"project": project, "zone": zone, "instanceGroupManager": name}
        with absence_allowed():
            response = context.call("compute.instanceGroupManagers.get", params)
            size += int(response.get("targetSize") or 0)
            urls.append(url)
            groups.append(response.get("instanceGroup", ""))
    count = size // len(urls) if urls else 0
    return {"nodeCount": count, "instanceGroupUrls": urls, "managedInstanceGroupUrls": groups}
