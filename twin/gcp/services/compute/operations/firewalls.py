"""Network firewall policies with rules and associations, and the older VPC firewall rules."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import bad_field, in_use, invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body
from twin.gcp.methods import handles
from twin.gcp.services.compute.operations import generic as compute
from twin.gcp.services.compute.profiles import blocked
from twin.gcp.services.compute.quotas import check_quota

ACTIONS: Final = ("allow", "deny", "goto_next", "apply_security_profile_group")
_PROTOCOLS: Final = frozenset({"all", "tcp", "udp", "icmp", "esp", "ah", "ipip", "sctp"})
_PORT: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_LAST: Final = 2147483647
_SOURCES: Final[tuple[str, ...]] = services.tables("compute")["rule_sources"]
_TARGETS: Final[tuple[str, ...]] = services.tables("compute")["rule_targets"]


def _check_policy(call: Call, body: Body, before: Body | None) -> None:
    if before is not None:
        return
    check_quota(call, "NETWORK_FIREWALL_POLICIES", "firewallPolicies")
    declared_rules = body.pop("rules", None) or []
    body["rules"] = services.copied(services.tables("compute")["default_rules"])
    for index, rule in enumerate(declared_rules):
        _add(body, _rule(rule, f"resource.rules[{index}]"), f"resource.rules[{index}]")
    body["associations"] = []
    body["ruleTupleCount"] = sum(existing_rule["ruleTupleCount"] for existing_rule in body["rules"])


def _after_insert(call: Call, name: str, body: Body) -> None:
    body["selfLinkWithId"] = compute.link(f"{name.rsplit('/', 1)[0]}/{body['id']}")
    call.state.put(f"compute/{name}", body)


def _rule(rule_body: Body, path: str = "resource") -> Body:
    """A rule as it is kept. Raises 400."""
    rule: Body = {
        "kind": "compute#firewallPolicyRule",
        "enableLogging": False,
        "disabled": False,
        **rule_body,
    }
    priority = rule.get("priority")
    if priority is None:
        raise invalid(f"Required field '{path}.priority' not specified", reason="required")
    if not 0 <= priority <= _LAST:
        raise bad_field(f"{path}.priority", priority, f"Must be from 0 to {_LAST}.")
    if rule.get("action") not in ACTIONS:
        raise bad_field(f"{path}.action", rule.get("action"), f"Must be one of {', '.join(ACTIONS)}.")
    if rule["action"] == "apply_security_profile_group" and not rule.get("securityProfileGroup"):
        raise invalid(f"Required field '{path}.securityProfileGroup' not specified", reason="required")
    if rule.get("direction") not in ("INGRESS", "EGRESS"):
        raise bad_field(f"{path}.direction", rule.get("direction"), "Must be INGRESS or EGRESS.")
    _match(rule, path)
    for account in rule.get("targetServiceAccounts") or []:
        if "@" not in account:
            raise bad_field(f"{path}.targetServiceAccounts", account, "Must be a service account's email.")
    if rule.get("targetServiceAccounts") and rule.get("targetSecureTags"):
        raise invalid("Target service accounts and target secure tags cannot be set together.")
    rule["ruleTupleCount"] = _tuples(rule["match"])
    return rule


def _match(rule: Body, path: str) -> None:
    match: Body = rule.get("match") or {}
    ingress = rule["direction"] == "INGRESS"
    if not any(match.get(key) for key in (_SOURCES if ingress else _TARGETS)):
        side = "source (srcIpRanges, ...)" if ingress else "destination (destIpRanges, ...)"
        raise invalid(f"{path}.match: at least one {side} must be specified for {rule['direction']} rules.")
    if not ingress and (match.get("srcSecureTags") or match.get("srcFqdns")):
        raise invalid(f"{path}.match: source FQDNs and secure tags cannot be specified for EGRESS rules.")
    for key in ("srcIpRanges", "destIpRanges"):
        _ranges(match.get(key) or [], f"{path}.match.{key}")
    configs: list[Body] = match.get("layer4Configs") or []
    if not configs:
        raise invalid(f"Required field '{path}.match.layer4Configs' not specified", reason="required")
    for index, config in enumerate(configs):
        where = f"{path}.match.layer4Configs[{index}]"
        _protocol(config.get("ipProtocol", ""), config.get("ports") or [], where, "ipProtocol")


def _ranges(ranges: Iterable[str], path: str) -> None:
    for index, range_ in enumerate(ranges):
        try:
            ip_range = ipaddress.ip_network(range_, strict=False)
        except ValueError:
            raise bad_field(
                f"{path}[{index}]", range_, "Must be a valid IPv4 or IPv6 range in CIDR form."
            ) from None
        if str(ip_range) != range_ and str(ip_range.network_address) != range_:
            raise bad_field(f"{path}[{index}]", range_, f"Host bits are set, {ip_range} is right.")


def _protocol(protocol: str, ports: list[str], path: str, field: str) -> None:
    number = protocol.isdigit() and 0 <= int(protocol) <= 255
    if protocol.lower() not in _PROTOCOLS and not number:
        raise bad_field(
            f"{path}.{field}", protocol, f"Must be one of {', '.join(sorted(_PROTOCOLS))} or a number."
        )
    if ports and protocol.lower() not in ("tcp", "udp", "sctp", "6", "17", "132"):
        raise bad_field(f"{path}.ports", ports, f"Ports cannot be set for protocol {protocol}.")
    for port in ports:
        match = _PORT.fullmatch(str(port))
        if not match or not 0 <= int(match[1]) <= int(match[2] or match[1]) <= 65535:
            raise bad_field(f"{path}.ports", port, "Must be a port or a range of ports such as 8000-9000.")


def _tuples(match: Body) -> int:
    count = 1
    for key in (*_SOURCES, *_TARGETS):
        if isinstance(match.get(key), list):
            count *= max(1, len(match[key]))
    return (
        count * sum(max(1, len(layer4_config.get("ports") or [])) for layer4_config in match["layer4Configs"])
        + 1
    )


def _add(policy: Body, rule: Body, path: str) -> None:
    taken = {other["priority"] for other in policy["rules"]}
    if rule["priority"] in taken:
        raise bad_field(
            f"{path}.priority", rule["priority"], "Rule priorities must be unique within a firewall policy; "
            "another rule has this one."
        )  # fmt: skip
    names = {other.get("ruleName") for other in policy["rules"]} - {None, ""}
    if rule.get("ruleName") in names:
        raise bad_field(
            f"{path}.ruleName", rule["ruleName"], "Rule names must be unique within a firewall policy."
        )
    policy["rules"] = sorted([*policy["rules"], rule], key=lambda other: other["priority"])


def _save(call: Call, name: str, body: Body) -> dict[str, Any]:
    body["ruleTupleCount"] = sum(rule["ruleTupleCount"] for rule in body["rules"])
    return compute.save(call, POLICY, name, body)


def _at(body: Body, priority: int) -> Body:
    for rule in body["rules"]:
        if rule["priority"] == priority:
            return rule
    raise invalid(f"The firewall policy does not contain a rule at priority {priority}.")


@handles("compute.networkFirewallPolicies.addRule")
def add_rule(call: Call) -> dict[str, Any]:
    """One more rule, at a separate priority."""
    name, body = compute.acted_on(call)
    _add(body, _rule(call.body), "resource")
    return _save(call, name, body)


@handles("compute.networkFirewallPolicies.patchRule")
def patch_rule(call: Call) -> dict[str, Any]:
    """Change the rule at a priority."""
    name, body = compute.acted_on(call)
    rule = _at(body, _priority(call))
    changed = _rule({**compute.merge(rule, call.body), "kind": "compute#firewallPolicyRule"})
    body["rules"].remove(rule)
    _add(body, changed, "resource")
    return _save(call, name, body)


@handles("compute.networkFirewallPolicies.removeRule")
def remove_rule(call: Call) -> dict[str, Any]:
    """Remove the rule at a priority."""
    name, body = compute.acted_on(call)
    body["rules"].remove(_at(body, _priority(call)))
    return _save(call, name, body)


@handles("compute.networkFirewallPolicies.getRule")
def get_rule(call: Call) -> dict[str, Any]:
    """The rule at a priority."""
    _, body = compute.acted_on(call)
    return _at(body, _priority(call))


@handles("compute.networkFirewallPolicies.addAssociation")
def associate(call: Call) -> dict[str, Any]:
    """Put the policy in force in a network; a network has one at most."""
    name, body = compute.acted_on(call)
    requested = call.body
    if not requested.get("name"):
        raise invalid("Required field 'resource.name' not specified", reason="required")
    target = compute.reference(
        call, requested.get("attachmentTarget"), "networks", "resource.attachmentTarget"
    )
    blocked(call.state, target, "allowFirewallPolicy", "Firewall policies of this type")
    replace = bool(call.parameters.get("replaceExistingAssociation"))
    if any(association["name"] == requested["name"] for association in body["associations"]) and not replace:
        raise invalid(
            f"An association with name {requested['name']} already exists in the firewall policy.",
            reason="invalid",
        )
    for other_name, other in call.state.of("compute.firewallPolicies"):
        for bound in list(other.get("associations", ())):
            if bound["attachmentTarget"] != target:
                continue
            if not replace:
                raise invalid(
                    f"The network '{compute.name_of(target, call.project)}' is already associated with the "
                    f"firewall policy '{other['name']}'."
                )
            if other_name == f"compute/{name}":
                body["associations"] = [
                    association
                    for association in body["associations"]
                    if association["name"] != bound["name"]
                ]
            else:
                other["associations"].remove(bound)
                call.state.put(other_name, other)
    body["associations"].append(
        {
            "name": requested["name"],
            "attachmentTarget": target,
            "firewallPolicyId": body["id"],
            "shortName": body["name"],
        }
    )
    return _save(call, name, body)


@handles("compute.networkFirewallPolicies.removeAssociation")
def dissociate(call: Call) -> dict[str, Any]:
    """Lift the policy from a network."""
    name, body = compute.acted_on(call)
    body["associations"].remove(_association(body, call.parameters.get("name", "")))
    return _save(call, name, body)


@handles("compute.networkFirewallPolicies.getAssociation")
def get_association(call: Call) -> dict[str, Any]:
    """An association by name."""
    _, body = compute.acted_on(call)
    return _association(body, call.parameters.get("name", ""))


@handles("compute.networkFirewallPolicies.delete")
def delete(call: Call) -> dict[str, Any]:
    """A policy in force stays."""
    body = call.need(f"compute/{compute.relative(call)}")
    for association in body.get("associations", ()):
        name = compute.name_of(association["attachmentTarget"], call.project)
        raise in_use(
            f"The firewall_policy resource '{compute.relative(call)}' is already being used by '{name}'"
        )
    return compute.delete(call, POLICY)


def _association(body: Body, name: str) -> Body:
    for association in body["associations"]:
        if association["name"] == name:
            return association
    raise not_found(f"The firewall policy does not contain an association with name {name}.")


def _priority(call: Call) -> int:
    priority = call.parameters.get("priority")
    if priority is None:
        raise invalid("Required parameter: priority", reason="required")
    return int(priority)


def _check_firewall(call: Call, body: Body, before: Body | None) -> None:
    if before is None:
        check_quota(call, "FIREWALLS", "firewalls")
    body.setdefault("network", compute.link(f"projects/{call.project}/global/networks/default"))
    compute.resolve(call, body, FIREWALL)
    blocked(call.state, body["network"], "allowVpcFirewallRules", "VPC firewall rules")
    for key in ("allowed", "denied"):
        for index, entry in enumerate(body.get(key) or []):
            _protocol(
                entry.get("IPProtocol", ""),
                entry.get("ports") or [],
                f"resource.{key}[{index}]",
                "IPProtocol",
            )
    ingress = body["direction"] == "INGRESS"
    if (body.get("sourceTags") or body.get("targetTags")) and (
        body.get("sourceServiceAccounts") or body.get("targetServiceAccounts")
    ):
        raise invalid("Tags and service accounts cannot be specified in the same firewall rule.")
    if ingress and not any(body.get(key) for key in ("sourceRanges", "sourceTags", "sourceServiceAccounts")):
        body["sourceRanges"] = ["0.0.0.0/0"]
    if not ingress and not body.get("destinationRanges"):
        body["destinationRanges"] = ["0.0.0.0/0"]
    for key in ("sourceRanges", "destinationRanges"):
        _ranges(body.get(key) or [], f"resource.{key}")


POLICY: Final = compute.kind("firewallPolicies", check=_check_policy, after_insert=_after_insert)
FIREWALL: Final = compute.kind("firewalls", check=_check_firewall)
