"""Cloud DNS: zones, record sets and the server policies of networks."""

from __future__ import annotations

from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import NOT_FOUND, GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.fields import Field
from twin.gcp.resources.links import relative
from twin.provider_interface import Props

_ROOT: Final = "https://www.googleapis.com/compute/v1/"


def _network_url(value: Any) -> Any:
    """DNS takes networks as whole URLs."""
    return _ROOT + relative(value) if isinstance(value, str) and "/" in value else value


class ManagedZone(GcpResource):
    token = "gcp:dns/managedZone:ManagedZone"
    fields = {
        "reverseLookup": Field(
            "reverseLookupConfig",
            encode=lambda value: {} if value else None,
            decode=lambda value: True if value is not None else None,
        ),
        "privateVisibilityConfig.networks.networkUrl": Field("networkUrl", encode=_network_url),
        "peeringConfig.targetNetwork.networkUrl": Field("networkUrl", encode=_network_url),
    }

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        values = self.values(context, id, state)
        if state.get("forceDestroy"):
            place = {"project": values["project"], "managedZone": values["name"]}
            sets = context.call("dns.resourceRecordSets.list", place).get("rrsets", [])
            # Those of the zone itself go with it.
            record_sets = [
                record_set
                for record_set in sets
                if record_set["type"] not in ("NS", "SOA") or record_set["name"] != state["dnsName"]
            ]
            if record_sets:
                context.call("dns.changes.create", place, {"deletions": record_sets})
        super().unmake(context, id, state)


class RecordSet(GcpResource):
    token = "gcp:dns/recordSet:RecordSet"

    def same(self, path: str, old: Any, new: Any) -> bool:
        if path == "rrdatas" and isinstance(old, list) and isinstance(new, list):
            return sorted(str(rrdata).lower() for rrdata in old) == sorted(
                str(rrdata).lower() for rrdata in new
            )
        return super().same(path, old, new)

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        # The provider is authoritative: what is there under this name and type is replaced.
        values = self.values(context, "", inputs)
        item = self.find(context, "", values)
        change: Props = {"additions": [body], **({"deletions": [item]} if item else {})}
        if item == {**(item or {}), **body}:
            return {}
        return context.call("dns.changes.create", self.filled(self.params, values), change)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if not self.changed(old, new) - {"deletionPolicy"}:
            return
        item = self.find(context, id, self.values(context, id, old))
        body, _ = self.body(context, new)
        change: Props = {"additions": [body], **({"deletions": [item]} if item else {})}
        context.call("dns.changes.create", self.filled(self.params, self.values(context, id, old)), change)

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        return path == "type" or super().replaces(path, old, new)

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        values = self.values(context, id, state)
        item = self.find(context, id, values)
        if item is None:
            raise Refusal(NOT_FOUND, "gone")
        context.call("dns.changes.create", self.filled(self.params, values), {"deletions": [item]})


class Policy(GcpResource):
    token = "gcp:dns/policy:Policy"
    fields = {
        "networks.networkUrl": Field("networkUrl", encode=_network_url),
    }

    def change_body(
        self, context: GcpContext, call: Change, changed: set[str], new: Props
    ) -> tuple[Props, list[str]]:
        request_body, mask = super().change_body(context, call, changed, new)
        if "networks" in request_body:
            request_body["networks"] = request_body["networks"] or []
        return request_body, mask

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        # A policy that is bound to networks cannot be deleted: the provider takes them away first.
        if state.get("networks"):
            params = self.filled(self.params, self.values(context, id, state))
            context.call("dns.policies.patch", params, {"networks": []})
        super().unmake(context, id, state)
