"""Spec of kubernetes.forbid_public_services."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Resource, Spec, resource
from tests.policies.workloads import metadata

SCHEME = "service.beta.kubernetes.io/aws-load-balancer-scheme"
TYPE = "service.beta.kubernetes.io/aws-load-balancer-type"


def _service(annotations: Any = None, kind: Any = "LoadBalancer", **spec: Any) -> Resource:
    props = {"metadata": metadata(annotations=annotations), "spec": {"type": kind, **spec}}
    return resource("kubernetes:core/v1:Service", props)


def _ingress(annotations: Any) -> Resource:
    return resource(
        "kubernetes:networking.k8s.io/v1:Ingress", {"metadata": metadata(annotations=annotations)}
    )


def _gateway(name: Any) -> Resource:
    return resource(
        "kubernetes:gateway.networking.k8s.io/v1:Gateway",
        {"metadata": metadata(), "spec": {"gatewayClassName": name}},
    )


def _proxy(service: Any) -> Resource:
    spec = {} if service is None else {"provider": {"kubernetes": {"envoyService": service}}}
    return resource(
        "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy", {"metadata": metadata(), "spec": spec}
    )


PROXY = "spec.provider.kubernetes.envoyService"

SPEC = Spec(
    passes={
        "a service of the cluster": _service(kind="ClusterIP"),
        "a service without addresses": _service(kind="ClusterIP", externalIPs=[]),
        "internal on GKE": _service({"networking.gke.io/load-balancer-type": "Internal"}),
        "internal on EKS": _service({SCHEME: "internal"}),
        "the AWS Load Balancer Controller's": _service({TYPE: "external"}),
        "EKS Auto Mode's": _service(loadBalancerClass="eks.amazonaws.com/nlb"),
        "limited to an office": _service(loadBalancerSourceRanges=["192.0.2.0/24"]),
        "an internal ingress": _ingress({"alb.ingress.kubernetes.io/scheme": "internal"}),
        "an internal gateway": _gateway("gke-l7-rilb"),
        "Envoy without a load balancer": _proxy({"type": "ClusterIP"}),
        "Envoy behind an internal one": _proxy({"annotations": {SCHEME: "internal"}}),
    },
    fails={
        "defaults": Fails(_service(), "spec.type", "open to the internet"),
        "public with the controller": Fails(
            _service({TYPE: "external", SCHEME: "internet-facing"}), "spec.type", "open to the internet"
        ),
        "a port of the nodes": Fails(_service(kind="NodePort"), "spec.type", "a port of every node"),
        "an address of the network": Fails(
            _service(kind="ClusterIP", externalIPs=["10.0.0.7"]), "spec.externalIPs", "takes over the traffic"
        ),
        "limited to the internet": Fails(_service(loadBalancerSourceRanges=["0.0.0.0/0"]), "spec.type"),
        "a public ingress on EKS": Fails(
            _ingress({"alb.ingress.kubernetes.io/scheme": "internet-facing"}), "metadata.annotations"
        ),
        "a public ingress on GKE": Fails(
            _ingress({"kubernetes.io/ingress.class": "gce"}), "metadata.annotations", "'gce'"
        ),
        "a public gateway": Fails(
            _gateway("gke-l7-global-external-managed"), "spec.gatewayClassName", "public load balancer"
        ),
        "Envoy with its default": Fails(_proxy(None), PROXY, "open to the internet"),
        "Envoy behind a public one": Fails(
            _proxy({"type": "LoadBalancer", "annotations": {SCHEME: "internet-facing"}}), PROXY
        ),
    },
    unknown={
        "Envoy's load balancer": _proxy(UNKNOWN),
        "the type": _service(kind=UNKNOWN),
        "the annotations": _service(UNKNOWN),
        "the ranges": _service(loadBalancerSourceRanges=UNKNOWN),
        "an ingress": _ingress(UNKNOWN),
        "a gateway": _gateway(UNKNOWN),
    },
    configured={
        "one that is meant to be": Case(_service(), {"public": ["serving/server"]}, fails=False),
    },
)
