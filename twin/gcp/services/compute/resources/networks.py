"""Compute: VPC networks, subnetworks and addresses."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import COMPUTE_NAME, Change
from twin.gcp.resources.fields import Field, local, only_read, only_sent
from twin.gcp.resources.links import same_thing
from twin.gcp.resources.validators import GCE_NAME, between, cidr, matches, one_of, or_empty
from twin.provider_interface import AutoName, Failure, Props

NETWORK: Final = "projects/{project}/global/networks/{value}"
SUBNETWORK: Final = "projects/{project}/regions/{region}/subnetworks/{value}"
_NAME: Final = matches(GCE_NAME)


class Network(GcpResource):
    token = "gcp:compute/network:Network"
    title = "Network"
    collection = "compute.networks"
    schema = "Network"
    params = {"project": "{project}", "network": "{name}"}
    id_form = "projects/{project}/global/networks/{name}"
    autoname = COMPUTE_NAME
    fields = {
        "routingMode": Field("routingConfig.routingMode"),
        "bgpBestPathSelectionMode": Field("routingConfig.bgpBestPathSelectionMode"),
        "bgpAlwaysCompareMed": Field("routingConfig.bgpAlwaysCompareMed"),
        "bgpInterRegionCost": Field("routingConfig.bgpInterRegionCost"),
        **only_read("selfLink", gatewayIpv4="gatewayIPv4", networkId="id", numericId="id"),
        **only_sent("params"),
        **local("deleteDefaultRoutesOnCreate", "deleteBgpAlwaysCompareMed", "deletionPolicy"),
    }
    links = {"networkProfile": "projects/{project}/global/networkProfiles/{value}"}
    computed = frozenset(
        {"mtu", "internalIpv6Range", "routingMode", "bgpBestPathSelectionMode", "bgpAlwaysCompareMed"}
        | {"bgpInterRegionCost", "project"}
    )
    immutable = frozenset(
        {"name", "autoCreateSubnetworks", "description", "internalIpv6Range", "networkProfile", "params"}
        | {"project"}
    )
    changes = (
        Change(("networkFirewallPolicyEnforcementOrder",)),
        Change(
            ("routingMode", "bgpBestPathSelectionMode", "bgpAlwaysCompareMed", "bgpInterRegionCost"),
        ),
        Change(("mtu", "enableUlaInternalIpv6")),
    )
    validators = {
        "name": _NAME,
        "mtu": between(1300, 8896),
        "networkFirewallPolicyEnforcementOrder": one_of("BEFORE_CLASSIC_FIREWALL", "AFTER_CLASSIC_FIREWALL"),
        "routingMode": one_of("REGIONAL", "GLOBAL"),
        "bgpBestPathSelectionMode": one_of("LEGACY", "STANDARD"),
        "bgpInterRegionCost": one_of("DEFAULT", "ADD_COST_TO_MED"),
    }

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
    title = "Subnetwork"
    collection = "compute.subnetworks"
    schema = "Subnetwork"
    params = {"project": "{project}", "region": "{region}", "subnetwork": "{name}"}
    id_form = "projects/{project}/regions/{region}/subnetworks/{name}"
    place = "region"
    autoname = COMPUTE_NAME
    fields = {
        "logConfig.filterExpr": Field("filterExpr"),
        **only_read("creationTimestamp", "fingerprint", "gatewayAddress", "selfLink", "state"),
        **only_read("ipv6GceEndpoint", ipv6CidrRange="ipv6CidrRange", subnetworkId="id"),
        **only_sent("params"),
        **local("deletionPolicy", "sendSecondaryIpRangeIfEmpty"),
    }
    links = {"network": NETWORK}
    names = frozenset({"region"})
    computed = frozenset(
        {"region", "project", "privateIpGoogleAccess", "privateIpv6GoogleAccess", "purpose", "stackType"}
        | {"secondaryIpRanges", "ipCidrRange", "allowSubnetCidrRoutesOverlap", "internalIpv6Prefix"}
        | {"externalIpv6Prefix"}
    )
    immutable = frozenset(
        {"name", "network", "description", "region", "project", "externalIpv6Prefix", "params"}
        | {"internalIpv6Prefix", "reservedInternalRange", "resolveSubnetMask"}
    )
    changes = (
        Change(("ipCidrRange",), method="expandIpCidrRange"),
        Change(("privateIpGoogleAccess",), method="setPrivateIpGoogleAccess"),
        Change(
            ("privateIpv6GoogleAccess", "stackType", "ipv6AccessType", "allowSubnetCidrRoutesOverlap"),
            fingerprint="fingerprint",
        ),
        Change(("logConfig",), fingerprint="fingerprint"),
        Change(("purpose",), fingerprint="fingerprint"),
        Change(("role",), fingerprint="fingerprint"),
        Change(("secondaryIpRanges",), fingerprint="fingerprint"),
    )
    validators = {
        "name": _NAME,
        "ipCidrRange": cidr,
        "secondaryIpRanges.rangeName": _NAME,
        "secondaryIpRanges.ipCidrRange": cidr,
        "stackType": one_of("IPV4_ONLY", "IPV4_IPV6", "IPV6_ONLY"),
        "ipv6AccessType": one_of("EXTERNAL", "INTERNAL"),
        "role": one_of("ACTIVE", "BACKUP"),
        "logConfig.aggregationInterval": one_of(
            "INTERVAL_5_SEC",
            "INTERVAL_30_SEC",
            "INTERVAL_1_MIN",
            "INTERVAL_5_MIN",
            "INTERVAL_10_MIN",
            "INTERVAL_15_MIN",
        ),
        "logConfig.metadata": one_of("EXCLUDE_ALL_METADATA", "INCLUDE_ALL_METADATA", "CUSTOM_METADATA"),
        "logConfig.flowSampling": between(0, 1),
    }

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


_ADDRESS: Final = {
    **only_read("creationTimestamp", "labelFingerprint", "selfLink"),
    **local("deletionPolicy"),
}


class Address(GcpResource):
    token = "gcp:compute/address:Address"
    title = "Address"
    collection = "compute.addresses"
    schema = "Address"
    params = {"project": "{project}", "region": "{region}", "address": "{name}"}
    id_form = "projects/{project}/regions/{region}/addresses/{name}"
    place = "region"
    autoname = AutoName("name", max_length=255)
    fields = {**_ADDRESS, **only_read("users", addressId="id")}
    links = {"network": NETWORK, "subnetwork": SUBNETWORK}
    names = frozenset({"region"})
    labels = "labels"
    labels_after = True
    label_call = "setLabels"
    volatile = frozenset({"labelFingerprint"})
    immutable = frozenset(
        {"name", "address", "addressType", "description", "ipCollection", "ipVersion", "ipv6EndpointType"}
        | {"network", "networkTier", "prefixLength", "purpose", "region", "subnetwork", "project"}
    )
    validators = {
        "name": _NAME,
        "addressType": one_of("INTERNAL", "EXTERNAL"),
        "ipVersion": or_empty(one_of("IPV4", "IPV6")),
        "networkTier": one_of("PREMIUM", "STANDARD"),
        "ipv6EndpointType": one_of("VM", "NETLB"),
    }

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return super().alike(path, old, new) or _same_version(path, old, new)


class GlobalAddress(GcpResource):
    token = "gcp:compute/globalAddress:GlobalAddress"
    title = "GlobalAddress"
    collection = "compute.globalAddresses"
    schema = "Address"
    params = {"project": "{project}", "address": "{name}"}
    id_form = "projects/{project}/global/addresses/{name}"
    autoname = COMPUTE_NAME
    fields = _ADDRESS
    links = {"network": NETWORK}
    labels = "labels"
    labels_after = True
    label_call = "setLabels"
    volatile = frozenset({"labelFingerprint"})
    immutable = frozenset(
        {"name", "address", "addressType", "description", "ipVersion", "network", "prefixLength", "purpose"}
        | {"project"}
    )
    validators = {
        "name": _NAME,
        "addressType": one_of("EXTERNAL", "INTERNAL"),
        "ipVersion": or_empty(one_of("IPV4", "IPV6")),
    }

    def alike(self, path: str, old: Any, new: Any) -> bool:
        return super().alike(path, old, new) or _same_version(path, old, new)


def _same_version(path: str, old: Any, new: Any) -> bool:
    return path == "ipVersion" and {old or "IPV4", new or "IPV4"} == {"IPV4"}
