"""Compute: firewall rules of a network, and network firewall policies with their rules and associations."""

# ruff: noqa: S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import GcpResource
from twin.provider_interface import Failure, Props


class Firewall(GcpResource):
    token = "gcp:compute/firewall:Firewall"

    def rules(self, inputs: Props) -> Iterator[Failure]:
        # resourceComputeFirewallSourceFieldsCustomizeDiff
        if inputs.get("direction") == "EGRESS":
            for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts"):
                if inputs.get(name):
                    yield Failure(
                        name,
                        "source_ranges, source_tags, and source_service_accounts can only be used with an "
                        "ingress direction",
                    )
        elif not any(inputs.get(n) for n in ("sourceRanges", "sourceTags", "sourceServiceAccounts")):
            yield Failure(
                "sourceRanges",
                "one of source_tags, source_ranges, or source_service_accounts must be defined",
            )

    def body(self, context: GcpContext, inputs: Props) -> tuple[Props, dict[str, str]]:
        made, places = super().body(context, inputs)
        if isinstance(inputs.get("logConfig"), dict):
            made["logConfig"] = {"enable": True, **made["logConfig"]}
        return made, places

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        if not (item.get("logConfig") or {}).get("enable"):
            item = {key: value for key, value in item.items() if key != "logConfig"}
        return super().outputs(context, id, item, state)


class NetworkFirewallPolicy(GcpResource):
    token = "gcp:compute/networkFirewallPolicy:NetworkFirewallPolicy"

    def outputs(self, context: GcpContext, id: str, item: Props, state: Props) -> Props:
        found = super().outputs(context, id, item, state)
        # Every rule and association of the policy changes these: no drift of the policy itself.
        kept = {key: state[key] for key in ("fingerprint", "ruleTupleCount") if state.get(key) is not None}
        return {**found, **kept}


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
        made = super().filled(params, values)
        return {**made, "priority": values["priority"]} if values.get("id") else made

    def values(self, context: GcpContext, id: str, props: Props) -> Props:
        found = super().values(context, id, props)
        return {**found, "priority": int(found["priority"])} if found.get("priority") is not None else found

    def more(self, context: GcpContext, id: str, item: Props, known: Props) -> Props:
        return {"priority": int(known["priority"])} if known.get("priority") is not None else {}


class NetworkFirewallPolicyAssociation(_PolicyPart):
    token = "gcp:compute/networkFirewallPolicyAssociation:NetworkFirewallPolicyAssociation"

    def filled(self, params: Any, values: Props) -> Props:
        made = super().filled(params, values)
        return {**made, "name": values["name"]} if values.get("id") else made
