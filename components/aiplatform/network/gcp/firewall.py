"""What may pass in the network: a firewall policy that denies all that no rule allows.

GKE opens what its nodes need from the control plane and from load balancers by VPC firewall rules of its
own, which come first. Of traffic that leaves it opens nothing, as it counts on the default that lets all out;
so the rules here let nodes and pods reach each other, the control plane and Google's APIs ("Automatically
created firewall rules: Applicable firewalls and egress firewalls"). Whoever needs more adds a VPC firewall
rule, which comes first, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_gcp import compute

from aiplatform.network.args import NetworkSettings
from aiplatform.network.gcp.google_apis import DIRECT, VIRTUAL
from aiplatform.network.gcp.planning import Plan

_ANYWHERE: Final = "0.0.0.0/0"
HEALTH_CHECKS: Final = ("35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22")
"""Where Google's health checks, and the front ends of its global load balancers, come from."""
_EVERYTHING: Final = {"all": ()}
_LAST: Final = 65_000


@dataclass(frozen=True)
class _Rule:
    """purpose: its logical name. protocols: each with its ports, none for all of them."""

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


def firewall(
    parent: pulumi.ComponentResource,
    name: str,
    settings: NetworkSettings,
    plan: Plan,
    network: compute.Network,
) -> list[pulumi.Resource]:
    """The policy with its rules, bound to the network once all of them are there; answers what nodes need."""
    policy = compute.NetworkFirewallPolicy(
        f"{name}-firewall",
        project=settings.gcp.project,
        name=f"{settings.prefix}-network",
        description=f"What may pass in the network of {settings.prefix}",
        # The network is there only when its API is switched on.
        opts=ResourceOptions(parent=parent, depends_on=[network], delete_before_replace=True),
    )
    rules: list[pulumi.Resource] = [
        _create(parent, f"{name}-{rule.purpose}", settings, policy, rule) for rule in _rules(settings, plan)
    ]
    association = compute.NetworkFirewallPolicyAssociation(
        f"{name}-firewall",
        project=settings.gcp.project,
        name=f"{settings.prefix}-network",
        firewall_policy=policy.name,
        attachment_target=network.id,
        opts=ResourceOptions(parent=parent, depends_on=rules, delete_before_replace=True),
    )
    return [*rules, association]


def _create(
    parent: pulumi.ComponentResource,
    name: str,
    settings: NetworkSettings,
    policy: compute.NetworkFirewallPolicy,
    rule: _Rule,
) -> compute.NetworkFirewallPolicyRule:
    into = rule.direction == "INGRESS"
    return compute.NetworkFirewallPolicyRule(
        name,
        project=settings.gcp.project,
        firewall_policy=policy.name,
        rule_name=rule.purpose,
        priority=rule.priority,
        description=rule.description,
        direction=rule.direction,
        action=rule.action,
        # Allowed traffic is in the flow logs already.
        enable_logging=rule.action == "deny" and settings.flow_log_retention_days > 0,
        match=compute.NetworkFirewallPolicyRuleMatchArgs(
            src_ip_ranges=list(rule.ranges) if into else None,
            dest_ip_ranges=None if into else list(rule.ranges),
            layer4_configs=[
                compute.NetworkFirewallPolicyRuleMatchLayer4ConfigArgs(
                    ip_protocol=protocol, ports=list(ports) or None
                )
                for protocol, ports in rule.protocols.items()
            ],
        ),
        opts=ResourceOptions(parent=parent),
    )
