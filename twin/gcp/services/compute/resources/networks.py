"""Compute: VPC networks, subnetworks and addresses."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.links import same_thing
from twin.provider_interface import Failure, Props

NETWORK: Final = "projects/{project}/global/networks/{value}"
SUBNETWORK: Final = "projects/{project}/regions/{region}/subnetworks/{value}"


class Network(GcpResource):
    token = "gcp:compute/network:Network"

    def after_create(self, context: GcpContext, id: str, inputs: Props) -> None:
        super().after_create(context, id, inputs)
        if not inputs.get("deleteDefaultRoutesOnCreate"):
            return
        answer = context.call("compute.routes.list", {"project": self.values(context, id, inputs)["project"]})
        for route in answer.get("items", []):
            if same_thing(route.get("network"), id) and route.get("destRange") == "0.0.0.0/0":
                params = {"project": inputs["project"], "route": route["name"]}
                self.done(
                    context, context.call("compute.routes.delete", params), "Deleting default routes of"
                )


class Subnetwork(GcpResource):
    token = "gcp:compute/subnetwork:Subnetwork"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        ranges = inputs.get("secondaryIpRanges")
        named: dict[str, int] = {}
        for index, each in enumerate(ranges if isinstance(ranges, list) else []):
            name = each.get("rangeName") if isinstance(each, dict) else None
            if isinstance(name, str) and name in named:
                yield Failure(
                    f"secondaryIpRanges[{index}].rangeName",
                    f"Invalid value for field 'resource.secondaryIpRanges[{index}].rangeName': '{name}'. "
                    "Secondary range names must be unique within a subnetwork.",
                )
            named.setdefault(str(name), index)

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        if isinstance(made.get("logConfig"), dict):
            made["logConfig"] = {"enable": True, **made["logConfig"]}
        return made, places

    def change_body(
        self, context: GcpContext, call: Change, changed: set[str], new: Props
    ) -> tuple[Props, list[str]]:
        made, mask = super().change_body(context, call, changed, new)
        if "logConfig" in made:
            made["logConfig"] = (
                {"enable": True, **made["logConfig"]} if made["logConfig"] else {"enable": False}
            )
        if "secondaryIpRanges" in made:
            made["secondaryIpRanges"] = made["secondaryIpRanges"] or []
        return made, mask

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        logs = item.get("logConfig") or {}
        if not logs.get("enable"):
            item = {key: value for key, value in item.items() if key != "logConfig"}
        return super().outputs(context, id, item, state)

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "ipCidrRange":
            return _shrinks(old.get("ipCidrRange"), new.get("ipCidrRange"))
        return super().replaces(path, old, new)


def _shrinks(old: Any, new: Any) -> bool:
    """Whether the new range is none that the old one can be expanded to (IsShrinkageIpCidr)."""
    try:
        before, after = (
            ipaddress.ip_network(str(old), strict=False),
            ipaddress.ip_network(str(new), strict=False),
        )
    except ValueError:
        return True
    return (
        before.version != after.version
        or after.prefixlen > before.prefixlen
        or before.network_address not in after
    )


class Address(GcpResource):
    token = "gcp:compute/address:Address"

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return super().alike(path, old, new) or _same_version(path, old, new)


class GlobalAddress(GcpResource):
    token = "gcp:compute/globalAddress:GlobalAddress"

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return super().alike(path, old, new) or _same_version(path, old, new)


def _same_version(path: str, old: Any, new: Any) -> bool:
    return path == "ipVersion" and {old or "IPV4", new or "IPV4"} == {"IPV4"}
