"""The network policies of a namespace: nothing is allowed but what its workloads need.

- DNS, HTTPS (the clouds' APIs and the API server, whose addresses change) and the source of the workload
  identity's credentials; see `egress_rules` for the addresses of each cloud.
- Pods of the namespace to each other on every port: training rendezvous, NCCL and Ray choose ports at random.
- Listed namespaces, in and out. The kubelet's probes are always allowed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes.workloads import (
    NAMESPACE_LABEL,
    egress_rules,
    egress_to,
    ingress_from,
)

_BOTH: Final = ("Ingress", "Egress")


@dataclass(frozen=True)
class Flow:
    """Traffic between the namespace and another one. port: of the Pods that accept the connection, which EKS
    requires to be that of the Service, too."""

    namespace: Input[str]
    port: int


@dataclass(frozen=True)
class Traffic:
    """What a namespace is connected to, in addition to what every one needs."""

    clients: Sequence[Flow] = ()
    """Namespaces whose Pods reach Pods of this one, such as a gateway's."""
    services: Sequence[Flow] = ()
    """Namespaces whose Pods are reached, such as the model registry's."""


def create(
    name: str,
    metadata: Callable[[str], meta.ObjectMetaArgs],
    cloud: Cloud,
    traffic: Traffic,
    options: ResourceOptions,
) -> list[pulumi.Resource]:
    """Create the network policies."""

    def policy(
        part: str,
        types: Sequence[str],
        ingress: Sequence[networking.NetworkPolicyIngressRuleArgs] = (),
        egress: Sequence[networking.NetworkPolicyEgressRuleArgs] = (),
    ) -> networking.NetworkPolicy:
        return networking.NetworkPolicy(
            f"{name}-{part}",
            metadata=metadata(part),
            spec=networking.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(),
                policy_types=list(types),
                ingress=list(ingress) or None,
                egress=list(egress) or None,
            ),
            opts=options,
        )

    peers = networking.NetworkPolicyPeerArgs(pod_selector=meta.LabelSelectorArgs())
    policies: list[pulumi.Resource] = [
        policy("default-deny", _BOTH),
        policy("platform-services", ("Egress",), egress=egress_rules(cloud)),
        policy(
            "same-namespace",
            _BOTH,
            [networking.NetworkPolicyIngressRuleArgs(from_=[peers])],
            [networking.NetworkPolicyEgressRuleArgs(to=[peers])],
        ),
    ]
    if traffic.clients:
        rules = [ingress_from(flow.port, [flow.namespace]) for flow in traffic.clients]
        policies.append(policy("clients", ("Ingress",), ingress=rules))
    if traffic.services:
        egress = [egress_to(flow.port, [_namespace(flow.namespace)]) for flow in traffic.services]
        policies.append(policy("services", ("Egress",), egress=egress))
    return policies


def _namespace(name: Input[str]) -> networking.NetworkPolicyPeerArgs:
    return networking.NetworkPolicyPeerArgs(
        namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: name})
    )
