"""Compute: resource types with special behaviour."""

from __future__ import annotations

import ipaddress
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import NOT_FOUND, GcpResource
from twin.gcp.resources.entry import Change
from twin.gcp.resources.links import same_thing
from twin.gcp.services.iam.resources.policies import ResourceMember
from twin.provider_interface import CloudError, Failure, Props


class _Logged(GcpResource):
    """A resource whose `logConfig` enables its logs by being there."""

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        if isinstance(request_body.get("logConfig"), dict):
            request_body["logConfig"] = {"enable": True, **request_body["logConfig"]}
        return request_body, places

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        if not (item.get("logConfig") or {}).get("enable"):
            item = {key: value for key, value in item.items() if key != "logConfig"}
        return super().outputs(context, id, item, state)


class Firewall(_Logged):
    token = "gcp:compute/firewall:Firewall"


class NetworkFirewallPolicy(GcpResource):
    token = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        # Every rule and association of the policy changes these: no drift of the policy itself.
        values = {key: state[key] for key in ("fingerprint", "ruleTupleCount") if state.get(key) is not None}
        return {**outputs, **values}


class _PolicyPart(GcpResource):
    """A rule or an association: a part of a policy, with methods of the policy."""

    collection = "compute.networkFirewallPolicies"
    names = frozenset({"firewallPolicy"})
    computed = frozenset({"project"})

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        try:
            return super().find(context, id, values)
        except Refusal as error:
            # Google answers a rule or association that is not there with 400.
            if error.code == 400 and "does not" in error.message:
                return None
            raise

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        if self.find(context, id, self.values(context, id, state)) is not None:
            super().unmake(context, id, state)


class NetworkFirewallPolicyRule(_PolicyPart):
    token = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"

    def filled(self, params: Any, values: Props) -> Props:
        # As part of the query, which creating has not: there the body says it.
        filled_params = super().filled(params, values)
        return {**filled_params, "priority": values["priority"]} if values.get("id") else filled_params

    def values(self, context: GcpContext, id: str, props: Props) -> Props:
        values = super().values(context, id, props)
        return {**values, **self.more(context, id, {}, values)}

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"priority": int(known["priority"])} if known.get("priority") is not None else {}


class NetworkFirewallPolicyAssociation(_PolicyPart):
    token = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"

    def filled(self, params: Any, values: Props) -> Props:
        filled_params = super().filled(params, values)
        return {**filled_params, "name": values["name"]} if values.get("id") else filled_params


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


class Subnetwork(_Logged):
    token = "gcp:compute/subnetwork:Subnetwork"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        ranges = inputs.get("secondaryIpRanges")
        named: dict[str, int] = {}
        for index, range_ in enumerate(ranges if isinstance(ranges, list) else []):
            name = range_.get("rangeName") if isinstance(range_, dict) else None
            if isinstance(name, str) and name in named:
                yield Failure(
                    f"secondaryIpRanges[{index}].rangeName",
                    f"Invalid value for field 'resource.secondaryIpRanges[{index}].rangeName': '{name}'. "
                    "Secondary range names must be unique within a subnetwork.",
                )
            named.setdefault(str(name), index)

    def change_body(
        self, context: GcpContext, call: Change, changed: set[str], new: Props
    ) -> tuple[Props, list[str]]:
        request_body, mask = super().change_body(context, call, changed, new)
        if "logConfig" in request_body:
            logs = request_body["logConfig"]
            request_body["logConfig"] = {"enable": True, **logs} if logs else {"enable": False}
        if "secondaryIpRanges" in request_body:
            request_body["secondaryIpRanges"] = request_body["secondaryIpRanges"] or []
        return request_body, mask

    def replaces(self, path: str, old: Props, new: Props) -> bool:
        if path == "ipCidrRange":
            return _shrinks(old.get("ipCidrRange"), new.get("ipCidrRange"))
        return super().replaces(path, old, new)


def _shrinks(old: Any, new: Any) -> bool:
    """Whether the new range is none that the old one can be expanded to (IsShrinkageIpCidr)."""
    try:
        before, after = (ipaddress.ip_network(str(block), strict=False) for block in (old, new))
    except ValueError:
        return True
    return after.prefixlen > before.prefixlen or before.network_address not in after


class SubnetworkMember(ResourceMember):
    token = "gcp:compute/subnetworkIAMMember:SubnetworkIAMMember"

    def place_of(self, target: str) -> Props:
        _, project, _, region, _, name = target.split("/")
        return {"project": project, "region": region, "resource": name}


class ResourcePolicy(GcpResource):
    token = "gcp:compute/resourcePolicy:ResourcePolicy"

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        request_body, places = super().body(context, inputs)
        policy = inputs.get("diskConsistencyGroupPolicy")
        if isinstance(policy, dict):
            # The API knows no `enabled`: an empty policy is one.
            request_body["diskConsistencyGroupPolicy"] = {}
        return request_body, places

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        outputs = super().outputs(context, id, item, state)
        if "diskConsistencyGroupPolicy" in item:
            outputs["diskConsistencyGroupPolicy"] = {"enabled": True}
        return outputs


_LOCKS: Final[defaultdict[str, threading.Lock]] = defaultdict(threading.Lock)
"""One change of a router at a time, as the provider's mutex: each writes all NATs."""
_ASN: Final = ((64512, 65534), (4200000000, 4294967294), (16550, 16550))


def _asn(name: str, value: Any) -> str:
    if isinstance(value, int) and any(low <= value <= high for low, high in _ASN):
        return ""
    return (
        f'expected "{name}" to be a RFC6996-compliant Local ASN: must be either in the private ASN ranges: '
        f"[64512..65534], [4200000000..4294967294]; or be the value of [16550], got {value}"
    )


class Router(GcpResource):
    token = "gcp:compute/router:Router"
    validators = {"bgp.asn": _asn}


class RouterNat(GcpResource):
    token = "gcp:compute/routerNat:RouterNat"

    def make(self, context: GcpContext, inputs: Props, body: Props) -> Props:
        def added(nats: list[Props]) -> list[Props]:
            nat_body = next((nat for nat in nats if nat.get("name") == body["name"]), None)
            if nat_body is None:
                return [*nats, body]
            # A create that was broken off finds what it made; else it is another create's.
            decoded = self.shape.decode(self.sdk_schema.inputs, nat_body)
            if any(name in decoded and not self.same(name, decoded[name], inputs[name]) for name in inputs):
                raise CloudError(
                    f"Unable to create RouterNat, existing object already found: {nat_body}", path="name"
                )
            return nats

        return self._patched(context, "", inputs, added)

    def find(self, context: GcpContext, id: str, values: Props) -> Props | None:
        router = super().find(context, id, values)
        nats = (router or {}).get("nats") or []
        return next((nat for nat in nats if nat.get("name") == values.get("name")), None)

    def change(self, context: GcpContext, id: str, old: Props, new: Props) -> None:
        if not self.changed(old, new) - {"deletionPolicy"}:
            return
        body, _ = self.body(context, new)

        def replaced(nats: list[Props]) -> list[Props]:
            return [{**nat, **body} if nat.get("name") == body["name"] else nat for nat in nats]

        self._patched(context, id, new, replaced)

    def unmake(self, context: GcpContext, id: str, state: Props) -> None:
        name = self.values(context, id, state).get("name")
        self._patched(context, id, state, lambda nats: [nat for nat in nats if nat.get("name") != name])

    def _patched(
        self, context: GcpContext, id: str, props: Props, change: Callable[[list[Props]], list[Props]]
    ) -> Props:
        values = self.values(context, id, props)
        params = self.filled(self.params, values)
        with _LOCKS["/".join(str(params[key]) for key in ("project", "region", "router"))]:
            try:
                router = context.call("compute.routers.get", params)
            except Refusal as error:
                if error.code == NOT_FOUND and id:
                    return {}
                raise
            nats = change(list(router.get("nats") or []))
            # Not keyed by the intent: what is written depends on what the router holds now.
            plain = context.with_intent("")
            return self.done(plain, plain.call("compute.routers.patch", params, {"nats": nats}), "Updating")
