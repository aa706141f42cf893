"""The network's firewall policy: it denies all traffic that no rule allows.

GKE creates VPC firewall rules for traffic to its nodes from the control plane and from load balancers; these
are evaluated first. It creates none for egress, since a VPC allows all egress by default, so the rules here
allow nodes and pods to reach each other, the control plane and Google's APIs ("Automatically created firewall
rules: Applicable firewalls and egress firewalls"). For more, add a VPC firewall rule, which is evaluated
first, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import compute

from aiplatform.network.args import NetworkSettings
from aiplatform.network.gcp.context import VpcContext
from aiplatform.network.gcp.google_apis import DIRECT, VIRTUAL
from aiplatform.network.gcp.planning import Plan

_ANYWHERE: Final = "0.0.0.0/0"
HEALTH_CHECKS: Final = ("35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22")
"""The source ranges of Google's health checks, and of the front ends of its global load balancers."""
_EVERYTHING: Final = {"all": ()}
_LAST: Final = 65_000


@dataclass(frozen=True)
class _Rule:
    """A rule of the policy. purpose: its logical name. protocols: protocol -> ports, none for all of them."""

    purpose: str
    priority: int
    description: str
    direction: str
    ranges: tuple[str, ...]
    protocols: dict[str, tuple[str, ...]]
    action: str = "allow"


def _rules(settings: NetworkSettings, plan: Plan) -> Iterator[_Rule]:
    inside = (str(plan.nodes), str(plan.pods), str(plan.control_plane))
    yield _Rule("in-network", 1000, "Nodes, pods and the control plane", "INGRESS", inside, _EVERYTHING)
    yield _Rule(
        "in-proxies",
        1100,
        "The region's load balancers to their backends",
        "INGRESS",
        (str(plan.proxies),),
        {"tcp": ()},
    )
    yield _Rule(
        "in-health-checks",
        1200,
        "Google's health checks and front ends to backends",
        "INGRESS",
        HEALTH_CHECKS,
        {"tcp": ()},
    )
    yield _Rule(
        "out-network",
        2000,
        "To nodes, pods, the control plane and private services",
        "EGRESS",
        (settings.cidr,),
        _EVERYTHING,
    )
    yield _Rule(
        "out-google-apis",
        2100,
        "To Google's APIs",
        "EGRESS",
        (VIRTUAL[settings.gcp.google_apis].cidr, DIRECT),
        {"tcp": ("443",)},
    )
    if settings.nat != "none":
        yield _Rule(
            "out-internet",
            2200,
            "To the internet: registries, packages, models, data",
            "EGRESS",
            (_ANYWHERE,),
            {"tcp": ("80", "443"), "udp": ("443",)},
        )
    for index, direction in enumerate(("INGRESS", "EGRESS")):
        what = "in" if direction == "INGRESS" else "out"
        yield _Rule(
            f"{what}-denied",
            _LAST + index,
            f"All else that goes {what}",
            direction,
            (_ANYWHERE,),
            _EVERYTHING,
            "deny",
        )


def firewall(context: VpcContext, network: compute.Network) -> list[pulumi.Resource]:
    """Create the policy with its rules, and associate it with the network once all rules exist. Return the
    resources that nodes need."""
    policy = compute.NetworkFirewallPolicy(
        f"{context.name}-firewall",
        project=context.project,
        name=context.physical_name("network"),
        description=f"What may pass in the network of {context.settings.prefix}",
        # The network exists only once its API is enabled.
        opts=context.options(network, delete_before_replace=True),
    )
    rules: list[pulumi.Resource] = [
        _create(context, policy, rule) for rule in _rules(context.settings, context.plan)
    ]
    association = compute.NetworkFirewallPolicyAssociation(
        f"{context.name}-firewall",
        project=context.project,
        name=context.physical_name("network"),
        firewall_policy=policy.name,
        attachment_target=network.id,
        opts=context.options(*rules, delete_before_replace=True),
    )
    return [*rules, association]


def _create(
    context: VpcContext, policy: compute.NetworkFirewallPolicy, rule: _Rule
) -> compute.NetworkFirewallPolicyRule:
    ingress = rule.direction == "INGRESS"
    logged = rule.action == "deny" and context.settings.flow_log_retention_days > 0
    return compute.NetworkFirewallPolicyRule(
        f"{context.name}-{rule.purpose}",
        project=context.project,
        firewall_policy=policy.name,
        rule_name=rule.purpose,
        priority=rule.priority,
        description=rule.description,
        direction=rule.direction,
        action=rule.action,
        # Allowed traffic is in the flow logs already.
        enable_logging=logged,
        match=compute.NetworkFirewallPolicyRuleMatchArgs(
            src_ip_ranges=list(rule.ranges) if ingress else None,
            dest_ip_ranges=None if ingress else list(rule.ranges),
            layer4_configs=[
                compute.NetworkFirewallPolicyRuleMatchLayer4ConfigArgs(
                    ip_protocol=protocol, ports=list(ports) or None
                )
                for protocol, ports in rule.protocols.items()
            ],
        ),
        opts=context.options(),
    )
