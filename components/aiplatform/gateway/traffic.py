"""What Envoy and its controller may connect to, in addition to what the namespace of an add-on allows."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform.addons.values.envoy_gateway import PODS as CONTROLLER
from aiplatform.gateway.objects import CONTAINER_PORT, CONTROLLER_PORT, PODS

_HEALTH_CHECKS: Final = ("35.191.0.0/16", "130.211.0.0/22")
"""From where Google's Application Load Balancers check backends ("Health checks overview")."""


def allow_proxies(
    parent: pulumi.ComponentResource, name: str, namespace: str, ranges: Sequence[str], after: ResourceOptions
) -> None:
    """Create the network policy by which GKE's load balancers reach the Pods of a team (GKE, "Control
    communication between Pods and Services using network policies": Application Load Balancers). ranges: of
    their proxies. Which ports Pods have is theirs to choose."""
    networking.NetworkPolicy(
        f"{name}-load-balancers",
        metadata=meta.ObjectMetaArgs(name="load-balancers", namespace=namespace),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(),
            policy_types=["Ingress"],
            ingress=[
                networking.NetworkPolicyIngressRuleArgs(
                    from_=[
                        networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=cidr))
                        for cidr in (*_HEALTH_CHECKS, *ranges)
                    ]
                )
            ],
        ),
        opts=ResourceOptions.merge(after, ResourceOptions(parent=parent)),
    )


def allow(
    parent: pulumi.ComponentResource, name: str, namespace: str, exists: Sequence[pulumi.Resource]
) -> None:
    """Create the network policies. Clients come from anywhere: the load balancer keeps their addresses, and
    limits them."""
    teams = networking.NetworkPolicyPeerArgs(
        namespace_selector=meta.LabelSelectorArgs(
            match_expressions=[meta.LabelSelectorRequirementArgs(key=TEAM_LABEL, operator="Exists")]
        )
    )

    def policy(
        object_name: str,
        pods: Mapping[str, str],
        ingress: networking.NetworkPolicyIngressRuleArgs,
        egress: Sequence[networking.NetworkPolicyEgressRuleArgs] = (),
    ) -> None:
        networking.NetworkPolicy(
            f"{name}-{object_name}-traffic",
            metadata=meta.ObjectMetaArgs(name=f"{object_name}-traffic", namespace=namespace),
            spec=networking.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(match_labels=dict(pods)),
                policy_types=["Ingress", "Egress"] if egress else ["Ingress"],
                ingress=[ingress],
                egress=list(egress) or None,
            ),
            opts=ResourceOptions(parent=parent, depends_on=list(exists)),
        )

    policy(
        "envoy",
        PODS,
        networking.NetworkPolicyIngressRuleArgs(ports=[_port(CONTAINER_PORT)]),
        [
            networking.NetworkPolicyEgressRuleArgs(to=[_pods(CONTROLLER)], ports=[_port(CONTROLLER_PORT)]),
            # The ports of teams' Pods are theirs to choose.
            networking.NetworkPolicyEgressRuleArgs(to=[teams]),
        ],
    )
    policy(
        "envoy-gateway",
        CONTROLLER,
        networking.NetworkPolicyIngressRuleArgs(from_=[_pods(PODS)], ports=[_port(CONTROLLER_PORT)]),
    )


def _pods(labels: Mapping[str, str]) -> networking.NetworkPolicyPeerArgs:
    return networking.NetworkPolicyPeerArgs(pod_selector=meta.LabelSelectorArgs(match_labels=dict(labels)))


def _port(number: int) -> networking.NetworkPolicyPortArgs:
    return networking.NetworkPolicyPortArgs(port=number, protocol="TCP")
