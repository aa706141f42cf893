"""GKE: clusters."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.links import last_of, same_thing
from twin.gcp.resources.long_running_operations import FailedOperation
from twin.gcp.resources.schema_mapping import configured
from twin.gcp.services.container.resources import cluster_fields, cluster_parts, nodes
from twin.gcp.services.container.resources.calls import insisting
from twin.gcp.services.container.resources.pools import pool_alike, pool_sizes, sizes_now
from twin.provider_interface import UNKNOWN, CloudError, Context, Failure, HalfMade, Props, pause

_ZONE: Final = re.compile(r".+-[a-z]")
_POOLS: Final = "container.projects.locations.clusters.nodePools"


class Cluster(GcpResource):
    token = "gcp:container/cluster:Cluster"
    fields = cluster_fields.FIELDS
    validators = cluster_fields.VALIDATORS

    # Validation

    def rules(self, inputs: Props) -> Iterator[Failure]:
        location, zones = inputs.get("location"), inputs.get("nodeLocations")
        if isinstance(zones, list) and location in zones:
            yield Failure(
                "nodeLocations",
                "when using a multi-zonal cluster, node_locations should not contain the original 'zone'",
            )

    def alike(self, path: str, old: Any, new: Any) -> bool:
        if path == "privateClusterConfig.privateEndpointSubnetwork":
            return same_thing(old, new)
        if path == "minMasterVersion":
            return bool(old) and old == new
        name = path.rpartition(".")[2]
        return (
            super().alike(path, old, new)
            or pool_alike(path, old, new)
            or (name == "oauthScopes" and nodes.alike(name, old, new))
        )

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path in ("enableL4IlbSubsetting", "enableFqdnNetworkPolicy"):
            # ForceNewIfChange(..., isBeenEnabled): what is on cannot be switched off in place.
            return bool(old.get(path)) and not new.get(path)
        if path == "nodePools":
            return True
        return super().replaces(path, old, new)

    # Create

    def linked(self, context: GcpContext, inputs: Props) -> Props:
        result = super().linked(context, inputs)
        subnetwork = result.get("subnetwork")
        if isinstance(subnetwork, str) and subnetwork:
            values = self.values(context, "", inputs)
            region = _region(str(values.get("location", "")))
            name = f"projects/{values['project']}/regions/{region}/subnetworks/{subnetwork}"
            result["subnetwork"] = subnetwork if "/" in subnetwork else name
            result["subnetwork"] = re.sub(r"^https://[^/]+/compute/\w+/", "", result["subnetwork"])
        return result

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        body, places = super().body(context, inputs)
        places |= cluster_parts.PLACES
        body["controlPlaneEndpointsConfig"] = cluster_parts.endpoints(inputs)
        private = inputs.get("privateClusterConfig")
        if isinstance(private, dict):
            nodes_private = private.get("enablePrivateNodes") or False
            body.setdefault("networkConfig", {})["defaultEnablePrivateNodes"] = nodes_private
            if private.get("masterIpv4CidrBlock"):
                block = {"masterIpv4CidrBlock": private["masterIpv4CidrBlock"]}
                body["privateClusterConfig"] = {**block, "enablePrivateNodes": nodes_private}
        extra = cluster_parts.allocation(inputs.get("ipAllocationPolicy"), inputs.get("networkingMode"))
        if extra:
            body["ipAllocationPolicy"] = {**body.get("ipAllocationPolicy", {}), **extra}
        policy = cluster_parts.maintenance(inputs.get("maintenancePolicy"))
        if policy:
            body["maintenancePolicy"] = policy
        self._auth(body, inputs)
        self._nodes(context, body, inputs)
        return body, places

    @staticmethod
    def _auth(body: Props, inputs: Props) -> None:
        auth = inputs.get("masterAuth")
        if isinstance(auth, dict) and auth.get("clientCertificateConfig"):
            body["masterAuth"] = {"clientCertificateConfig": auth["clientCertificateConfig"]}
        policy = inputs.get("networkPolicy")
        if isinstance(policy, dict) and policy.get("enabled"):
            body["networkPolicy"] = {k: v for k, v in policy.items() if v is not None}
        body.setdefault("autoscaling", {"enableNodeAutoprovisioning": False})

    def _nodes(self, context: GcpContext, body: Props, inputs: Props) -> None:
        location = self.values(context, "", inputs).get("location")
        zones = body.get("locations")
        if isinstance(zones, list) and zones and isinstance(location, str) and _ZONE.fullmatch(location):
            # The API wants all zones, the program names the additional ones.
            body["locations"] = [*zones, location] if location not in zones else zones
        pools = inputs.get("nodePools")
        if isinstance(pools, list) and pools:
            for pool, stated_pool in zip(body["nodePools"], pools, strict=True):
                if isinstance(stated_pool, dict):
                    pool_sizes(pool, stated_pool)
        else:
            body.setdefault("nodeConfig", {})
        if isinstance(body.get("nodeConfig"), dict):
            body["nodeConfig"].setdefault("oauthScopes", [*nodes.DEFAULT_SCOPES])

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        version, of_nodes = inputs.get("minMasterVersion") or "", inputs.get("nodeVersion")
        if of_nodes and str(version).split("-")[0] != str(of_nodes).split("-")[0]:
            raise CloudError(
                "node_version and min_master_version must be set to equivalent values on create",
                path="nodeVersion",
            )
        params = self.filled(self.create_params, self.values(context, "", inputs))
        return context.call(f"{self.collection}.create", params, {"cluster": body})

    def failed_create(self, context: GcpContext, inputs: Props, error: FailedOperation) -> None:
        # What is there in an error state is kept, for the next run to see and repair (or replace).
        id = self.made_id(context, inputs, {})
        if self.find(context, id, self.values(context, id, inputs)) is not None:
            raise HalfMade(str(error), id, inputs, code=error.code) from error

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        if inputs.get("removeDefaultNodePool"):
            self.remove_default_pool(context, id)

    def finish(self, context: Context, id: str, inputs: Props) -> None:
        # containerClusterAwaitRestingState: the create may still be under way.
        here = configured(context)
        deadline = time.monotonic() + (here.timeout or self.minutes * 60)
        while time.monotonic() < deadline:
            item = self.find(here, id, self.values(here, id, inputs)) or {}
            if item.get("status") not in ("PROVISIONING", "RECONCILING", "STOPPING"):
                break
            pause(0.5)
        super().finish(context, id, inputs)

    def remove_default_pool(self, context: GcpContext, id: str) -> None:
        """Delete the pool that a cluster is made with."""
        pools = (self.find(context, id, self.values(context, id, {})) or {}).get("nodePools") or []
        if any(pool.get("name") == "default-pool" for pool in pools):
            params = {"name": f"{id}/nodePools/default-pool"}
            answer = insisting(context, 30, lambda: context.call(f"{_POOLS}.delete", params))
            self.done(context, answer, "Removing the default node pool of")

    def done(self, context: GcpContext, answer: Props, action: str) -> Props:
        return super().done(context, answer, action.lower())

    # Read

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        network = item.get("networkConfig") or {}
        answered = {
            **item,
            "network": network.get("network") or item.get("network"),
            "subnetwork": network.get("subnetwork") or item.get("subnetwork"),
            "locations": [zone for zone in item.get("locations") or [] if zone != item.get("location")],
        }
        outputs = super().outputs(context, id, answered, state)
        for name in ("initialNodeCount", "nodeConfig"):
            # Both describe the pool that the cluster was made with; once it is gone nothing does.
            if name not in outputs and state.get(name) is not None:
                outputs[name] = state[name]
        outputs["nodePools"] = self._pools(context, outputs.get("nodePools") or [], item, state)
        if "nodeConfig" in outputs:
            outputs["nodeConfig"] = nodes.seen(outputs["nodeConfig"], state.get("nodeConfig"))
        return outputs

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        aliases = (item.get("ipAllocationPolicy") or {}).get("useIpAliases")
        policy = item.get("networkPolicy") or {}
        network_policy = {"enabled": bool(policy.get("enabled")), "provider": policy.get("provider")}
        outputs: Props = {
            **cluster_parts.endpoints_seen(item, known),
            "masterAuth": cluster_parts.master_auth_seen(item.get("masterAuth")),
            "networkingMode": "VPC_NATIVE" if aliases else "ROUTES",
            "networkPolicy": {
                **network_policy,
                "provider": network_policy["provider"] or "PROVIDER_UNSPECIFIED",
            },
        }
        maintenance = cluster_parts.maintenance_seen(item.get("maintenancePolicy"))
        if maintenance:
            outputs["maintenancePolicy"] = maintenance
        if not known.get("location"):
            outputs["location"] = item.get("location")
        return outputs

    def _pools(self, context: GcpContext, pools: list[Props], item: Props, state: Props) -> list[Props]:
        if state.get("skipNodePoolRefresh"):
            return state.get("nodePools") or []
        known = {pool.get("name"): pool for pool in state.get("nodePools") or [] if isinstance(pool, dict)}
        raw = {pool.get("name"): pool for pool in item.get("nodePools") or []}
        outputs: list[Props] = []
        for pool in pools:
            sizes = {} if state.get("ignoreNodeCountChanges") else sizes_now(context, raw[pool["name"]])
            before = known.get(pool["name"]) or {}
            outputs.append(
                {**pool, **sizes, "nodeConfig": nodes.seen(pool.get("nodeConfig"), before.get("nodeConfig"))}
            )
        return outputs

    # Update

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        from twin.gcp.services.container.resources.cluster_changes import ClusterChange

        ClusterChange(self, context, id, self.minutes).apply(old, new, self.changed(old, new))

    def changed(self, old: Props, new: Props) -> set[str]:
        changed = super().changed(old, new)
        # containerClusterNetworkPolicyDiffSuppress: none is the same as one that is off.
        on = [bool((props.get("networkPolicy") or {}).get("enabled")) for props in (old, new)]
        return changed if any(on) else changed - {"networkPolicy"}

    def set_labels(self, context: GcpContext, id: str, old: Props, new: Props, labels: Props) -> None:
        now = self.find(context, id, self.values(context, id, old)) or {}
        body = {"resourceLabels": labels, "labelFingerprint": now.get("labelFingerprint", "")}
        method = f"{self.collection}.setResourceLabels"
        answer = insisting(context, self.minutes, lambda: context.call(method, {"name": id}, body))
        self.done(context, answer, "Updating labels of")

    # Delete

    def kept_by_policy(self, id: str, state: Props) -> bool:
        if super().kept_by_policy(id, state):
            return True
        if state.get("deletionProtection") not in (False, UNKNOWN):
            raise CloudError(
                "Cannot destroy cluster because deletionProtection is set to true. Set it to false to "
                "proceed with cluster deletion.",
                path="deletionProtection",
            )
        return False

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        params = self.filled(self.params, self.values(context, id, state))
        answer = insisting(context, self.minutes, lambda: context.call(f"{self.collection}.delete", params))
        self.done(context, answer, "Deleting")


def _region(location: str) -> str:
    return location.rpartition("-")[0] if _ZONE.fullmatch(location) else last_of(location)
