"""Compute: firewall rules of a network, and network firewall policies with their rules and associations."""

# ruff: noqa: RUF012, S105 - a table entry's attributes are constants, and a token names a type

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.base import GcpResource
from twin.gcp.resources.entry import COMPUTE_NAME, Change
from twin.gcp.resources.fields import Field, local, only_read, only_sent
from twin.gcp.resources.validators import GCE_NAME, between, matches, one_of
from twin.gcp.services.compute.resources.networks import NETWORK
from twin.provider_interface import AutoName, Failure, Props

_POLICY: Final = "projects/{project}/global/firewallPolicies/{value}"
_CONTEXTS: Final = ("UNSPECIFIED", "INTERNET", "INTRA_VPC", "NON_INTERNET", "VPC_NETWORKS")


class Firewall(GcpResource):
    token = "gcp:compute/firewall:Firewall"
    title = "Firewall"
    collection = "compute.firewalls"
    schema = "Firewall"
    params = {"project": "{project}", "firewall": "{name}"}
    id_form = "projects/{project}/global/firewalls/{name}"
    autoname = COMPUTE_NAME
    fields = {
        "allows": Field("allowed"),
        "allows.protocol": Field("IPProtocol"),
        "denies": Field("denied"),
        "denies.protocol": Field("IPProtocol"),
        "enableLogging": Field(sent=False, read=False),
        **only_read("creationTimestamp", "selfLink"),
        **only_sent("params"),
        **local("deletionPolicy"),
    }
    links = {"network": NETWORK}
    immutable = frozenset({"params"})
    sets = frozenset(
        {"allows", "denies", "destinationRanges", "sourceRanges", "sourceServiceAccounts", "sourceTags"}
        | {"targetServiceAccounts", "targetTags"}
    )
    changes = (
        Change(
            (
                "network",
                "allows",
                "denies",
                "description",
                "destinationRanges",
                "disabled",
                "logConfig",
                "priority",
                "sourceRanges",
                "sourceServiceAccounts",
                "sourceTags",
                "targetServiceAccounts",
                "targetTags",
            ),
            whole=True,
        ),
    )
    validators = {
        "name": matches(GCE_NAME),
        "direction": one_of("INGRESS", "EGRESS"),
        "priority": between(0, 65535),
    }

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
    title = "NetworkFirewallPolicy"
    collection = "compute.networkFirewallPolicies"
    schema = "FirewallPolicy"
    params = {"project": "{project}", "firewallPolicy": "{name}"}
    id_form = "projects/{project}/global/firewallPolicies/{name}"
    autoname = AutoName("name", max_length=255)
    fields = {
        **only_read("creationTimestamp", "fingerprint", "ruleTupleCount", "selfLink", "selfLinkWithId"),
        **only_read(networkFirewallPolicyId="id"),
        **local("deletionPolicy"),
    }
    volatile = frozenset({"fingerprint"})
    changes = (Change(("description",), fingerprint="fingerprint"),)
    validators = {"name": matches(GCE_NAME)}

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
    title = "NetworkFirewallPolicyRule"
    schema = "FirewallPolicyRule"
    create_method = "addRule"
    read_method = "getRule"
    delete_method = "removeRule"
    params = {"project": "{project}", "firewallPolicy": "{firewallPolicy}"}
    id_form = "projects/{project}/global/firewallPolicies/{firewallPolicy}/rules/{priority}"
    fields = {
        **only_read("creationTimestamp", "kind", "ruleTupleCount"),
        **local("firewallPolicy", "deletionPolicy"),
    }
    links = {"firewallPolicy": "", "match.srcNetworks": NETWORK}
    changes = (
        Change(
            (
                "action",
                "direction",
                "match",
                "description",
                "disabled",
                "enableLogging",
                "ruleName",
                "securityProfileGroup",
                "targetForwardingRules",
                "targetSecureTags",
                "targetServiceAccounts",
                "targetType",
                "tlsInspect",
            ),
            method="patchRule",
            whole=True,
        ),
    )
    validators = {
        "match.destNetworkContext": one_of(*_CONTEXTS),
        "match.destNetworkScope": one_of(*_CONTEXTS),
        "match.srcNetworkContext": one_of(*_CONTEXTS),
        "match.srcNetworkScope": one_of(*_CONTEXTS),
        "targetType": one_of("INSTANCES", "INTERNAL_MANAGED_LB"),
        "priority": between(0, 2147483547),
    }
    sets = frozenset({"match.srcIpRanges", "match.destIpRanges", "targetServiceAccounts"})

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
    title = "NetworkFirewallPolicyAssociation"
    schema = "FirewallPolicyAssociation"
    create_method = "addAssociation"
    read_method = "getAssociation"
    delete_method = "removeAssociation"
    params = {"project": "{project}", "firewallPolicy": "{firewallPolicy}"}
    id_form = "projects/{project}/global/firewallPolicies/{firewallPolicy}/associations/{name}"
    autoname = AutoName("name", max_length=255)
    fields = {**only_read("shortName"), **local("firewallPolicy", "deletionPolicy")}
    links = {"firewallPolicy": "", "attachmentTarget": NETWORK}

    def filled(self, params: Any, values: Props) -> Props:
        made = super().filled(params, values)
        return {**made, "name": values["name"]} if values.get("id") else made
