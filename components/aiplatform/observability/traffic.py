"""What the Pods of the namespace `monitoring` may connect to, in addition to what every namespace of add-ons
may: each other, all that has metrics, and ports of receivers."""

from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform._shared.kubernetes.workloads import NAMESPACE_LABEL, egress_to, ingress_from
from aiplatform.addons.catalog import catalog
from aiplatform.addons.values.keda import OPERATOR
from aiplatform.gateway.args import ENVOY_GATEWAY as GATEWAY
from aiplatform.observability.args import OPENCOST, ObservabilitySettings
from aiplatform.observability.values.setup import NAMESPACE

NODE_PORTS: Final = (9100, 10250)
"""Of the exporter of nodes and of the kubelet, which have the node's address: no rule selects it as a Pod."""
_HTTPS: Final = 443
"""To which every Pod of these namespaces may connect."""
_NAME: Final = "app.kubernetes.io/name"
_PROMETHEUS: Final = {_NAME: "prometheus"}
PORT: Final = 9090
"""Of Prometheus."""
KEDA: Final = "keda"
"""The add-on that scales servers of models by metrics of Prometheus."""
ROLLOUT: Final = "ai-platform/rollout"
"""The label of the Pods of rollouts (component Serving), which ask Prometheus what the gateway measured."""


def create(context: Context[ObservabilitySettings], options: ResourceOptions) -> list[pulumi.Resource]:
    """Create the network policies."""
    every_pod = networking.NetworkPolicyPeerArgs(namespace_selector=meta.LabelSelectorArgs())
    neighbors = networking.NetworkPolicyPeerArgs(pod_selector=meta.LabelSelectorArgs())
    policies = [
        _policy(
            context,
            "same-namespace",
            {},
            options,
            egress=[networking.NetworkPolicyEgressRuleArgs(to=[neighbors])],
            ingress=[networking.NetworkPolicyIngressRuleArgs(from_=[neighbors])],
        ),
        _policy(
            context,
            "scrapes",
            _PROMETHEUS,
            options,
            egress=[
                networking.NetworkPolicyEgressRuleArgs(to=[every_pod]),
                *(egress_to(port) for port in NODE_PORTS),
            ],
        ),
    ]
    addons = [KEDA] if KEDA in context.settings.addons else []
    addons += [OPENCOST] if context.settings.opencost is not None else []
    namespaces = [*(catalog()[addon].namespace for addon in addons), *context.settings.client_namespaces]
    if namespaces:
        policies.append(_clients(context, namespaces, options))
    if KEDA in addons:
        policies.append(_keda(context))
    receivers = context.settings.notifications.receivers
    servers = [server for receiver in receivers for server in (receiver.email, receiver.webhook) if server]
    ports = sorted({server.port for server in servers} - {_HTTPS})
    if ports:
        selector = {_NAME: "alertmanager"}
        policies.append(
            _policy(context, "receivers", selector, options, egress=[egress_to(port) for port in ports])
        )
    if GATEWAY in context.settings.addons:
        policies.append(_rollouts(context, options))
    return policies


def _clients(
    context: Context[ObservabilitySettings], namespaces: list[str], options: ResourceOptions
) -> pulumi.Resource:
    """Allow Pods of these namespaces to ask Prometheus. They deny it unless a policy there allows it."""
    return networking.NetworkPolicy(
        f"{context.name}-prometheus-clients",
        metadata=meta.ObjectMetaArgs(name="prometheus-clients", namespace=NAMESPACE),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=_PROMETHEUS),
            policy_types=["Ingress"],
            ingress=[ingress_from(PORT, namespaces)],
        ),
        opts=options,
    )


def _keda(context: Context[ObservabilitySettings]) -> pulumi.Resource:
    """Allow KEDA's operator, in its namespace, to ask Prometheus."""
    prometheus = networking.NetworkPolicyPeerArgs(
        namespace_selector=meta.LabelSelectorArgs(match_labels={NAMESPACE_LABEL: NAMESPACE}),
        pod_selector=meta.LabelSelectorArgs(match_labels=_PROMETHEUS),
    )
    return networking.NetworkPolicy(
        f"{context.name}-{KEDA}-prometheus",
        metadata=meta.ObjectMetaArgs(name="prometheus", namespace=catalog()[KEDA].namespace),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=dict(OPERATOR)),
            policy_types=["Egress"],
            egress=[egress_to(PORT, [prometheus])],
        ),
        opts=context.options(),
    )


def _policy(
    context: Context[ObservabilitySettings],
    name: str,
    pods: dict[str, str],
    options: ResourceOptions,
    *,
    egress: list[networking.NetworkPolicyEgressRuleArgs] | None = None,
    ingress: list[networking.NetworkPolicyIngressRuleArgs] | None = None,
) -> pulumi.Resource:
    return networking.NetworkPolicy(
        f"{context.name}-{name}",
        metadata=meta.ObjectMetaArgs(name=name, namespace=NAMESPACE),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=pods),
            policy_types=[*(["Egress"] if egress else []), *(["Ingress"] if ingress else [])],
            egress=egress,
            ingress=ingress,
        ),
        opts=options,
    )


def _rollouts(context: Context[ObservabilitySettings], options: ResourceOptions) -> pulumi.Resource:
    """Allow the Pods of rollouts in the namespaces of teams to ask Prometheus."""
    pods = networking.NetworkPolicyPeerArgs(
        namespace_selector=meta.LabelSelectorArgs(
            match_expressions=[meta.LabelSelectorRequirementArgs(key=TEAM_LABEL, operator="Exists")]
        ),
        pod_selector=meta.LabelSelectorArgs(match_labels={ROLLOUT: "true"}),
    )
    port = networking.NetworkPolicyPortArgs(port=PORT, protocol="TCP")
    return networking.NetworkPolicy(
        f"{context.name}-rollouts",
        metadata=meta.ObjectMetaArgs(name="rollouts", namespace=NAMESPACE),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(match_labels=_PROMETHEUS),
            policy_types=["Ingress"],
            ingress=[networking.NetworkPolicyIngressRuleArgs(from_=[pods], ports=[port])],
        ),
        opts=options,
    )
