"""What the Pods of add-ons may connect to, and what may connect to them."""

from collections.abc import Collection
from typing import Final

from pulumi import ResourceOptions
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes.workloads import ingress_from
from aiplatform.addons.catalog import catalog

_CREDENTIALS: Final[dict[Cloud, tuple[tuple[str, tuple[int, ...]], ...]]] = {
    # The agent of Pod Identity; the metadata server of GKE without and with Dataplane V2: a cluster that the
    # program did not create has either (EKS user guide, "Pod Identity Agent"; GKE documentation, "Network
    # policies and Workload Identity Federation").
    "aws": (("169.254.170.23/32", (80,)),),
    "gcp": (("169.254.169.252/32", (987, 988)), ("169.254.169.254/32", (80, 8080))),
}
MONITORING: Final = catalog()["kube-prometheus-stack"].namespace
"""The namespace of Prometheus."""
_DNS: Final = 53
_HTTPS: Final = 443


def allow(
    name: str,
    namespace: str,
    cloud: Cloud,
    ports: Collection[int],
    options: ResourceOptions,
    internal: Collection[int] = (),
    scraped: Collection[int] = (),
) -> networking.NetworkPolicy:
    """Create the network policy of a namespace of add-ons. It denies everything but calls of webhooks, names,
    and HTTPS: the API server and the cloud's APIs have no addresses that are known in advance.

    name: the first part of its logical name. ports: of webhooks. The control plane, which calls them, is no
    Pod that a policy could select. internal: those that Pods of the namespace call. scraped: those that
    Prometheus reads.
    """
    egress = [
        networking.NetworkPolicyEgressRuleArgs(ports=_ports([_DNS], "UDP", "TCP")),
        networking.NetworkPolicyEgressRuleArgs(ports=_ports([_HTTPS], "TCP")),
        *(
            networking.NetworkPolicyEgressRuleArgs(
                to=[networking.NetworkPolicyPeerArgs(ip_block=networking.IPBlockArgs(cidr=address))],
                ports=_ports(numbers, "TCP"),
            )
            for address, numbers in _CREDENTIALS[cloud]
        ),
    ]
    ingress = [networking.NetworkPolicyIngressRuleArgs(ports=_ports(ports, "TCP"))] if ports else []
    if internal:
        pods = [networking.NetworkPolicyPeerArgs(pod_selector=meta.LabelSelectorArgs())]
        called = _ports(internal, "TCP")
        egress.append(networking.NetworkPolicyEgressRuleArgs(to=pods, ports=called))
        ingress.append(networking.NetworkPolicyIngressRuleArgs(from_=pods, ports=called))
    ingress += [ingress_from(port, [MONITORING]) for port in sorted(scraped)]
    return networking.NetworkPolicy(
        f"{name}-{namespace}-network-policy",
        metadata=meta.ObjectMetaArgs(name="add-ons", namespace=namespace),
        spec=networking.NetworkPolicySpecArgs(
            pod_selector=meta.LabelSelectorArgs(),
            policy_types=["Ingress", "Egress"],
            ingress=ingress,
            egress=egress,
        ),
        opts=options,
    )


def _ports(numbers: Collection[int], *protocols: str) -> list[networking.NetworkPolicyPortArgs]:
    return [
        networking.NetworkPolicyPortArgs(port=number, protocol=protocol)
        for number in sorted(numbers)
        for protocol in protocols
    ]
