"""Public addresses only in namespaces that are listed for them."""

from collections.abc import Mapping, Sequence
from typing import Final

from aiplatform._shared.cloud_support import Cloud
from aiplatform.guardrails.args import GuardrailsSettings
from aiplatform.guardrails.policies.policy import (
    SPEC,
    Policy,
    Rule,
    Validation,
    namespace_conditions,
    strings,
)

_SCHEME: Final = "service.beta.kubernetes.io/aws-load-balancer-scheme"
_INTERNAL: Final = "service.beta.kubernetes.io/aws-load-balancer-internal"

_SERVICE: Final[Mapping[Cloud, str]] = {
    # Without an annotation the controller in the cluster decides: upstream's makes an internal load balancer,
    # Kubernetes' own a public one (AWS Load Balancer Controller, "Network Load Balancer": scheme).
    "aws": (
        f"variables.annotations[?'{_SCHEME}'].orValue('') == 'internal' "
        f"|| (!('{_SCHEME}' in variables.annotations) "
        f"&& variables.annotations[?'{_INTERNAL}'].orValue('') == 'true')"
    ),
    # GKE, "LoadBalancer Service parameters"; the second name is the one before 1.17.
    "gcp": (
        "variables.annotations[?'networking.gke.io/load-balancer-type']"
        ".orValue(variables.annotations[?'cloud.google.com/load-balancer-type'].orValue('')) == 'Internal'"
    ),
}
_OTHERS: Final[Mapping[Cloud, str]] = {
    "aws": (
        "request.kind.kind == 'Ingress' "
        "? variables.annotations[?'alb.ingress.kubernetes.io/scheme'].orValue('') != 'internet-facing' : "
        "request.kind.kind == 'LoadBalancerConfiguration' "
        "? variables.spec.?scheme.orValue('') != 'internet-facing' : true"
    ),
    # GKE, "GKE Ingress": the class `gce`, and no class at all, is an external load balancer; "GatewayClass
    # capabilities": names of external classes.
    "gcp": (
        "request.kind.kind == 'Ingress' "
        "? !(variables.annotations[?'kubernetes.io/ingress.class']"
        ".orValue(variables.spec.?ingressClassName.orValue('')) in ['', 'gce']) : "
        "request.kind.kind == 'Gateway' "
        "? !variables.spec.gatewayClassName.matches('^gke-.*(external|gxlb)') : true"
    ),
}
_RULES: Final[Mapping[Cloud, Sequence[Rule]]] = {
    "aws": (Rule("gateway.k8s.aws", ("loadbalancerconfigurations",)),),
    "gcp": (Rule("gateway.networking.k8s.io", ("gateways",)),),
}


def policy(settings: GuardrailsSettings) -> Policy:
    """Return the policy."""
    return Policy(
        "public-addresses",
        (Rule("", ("services",)), Rule("networking.k8s.io", ("ingresses",)), *_RULES[settings.cloud]),
        (
            Validation(
                "request.kind.kind != 'Service' || variables.spec.?type.orValue('') != 'LoadBalancer' "
                f"|| {_SERVICE[settings.cloud]}",
                "ai-platform: the load balancer would be public; expected the annotation "
                + (f"{_SCHEME}: internal" if settings.cloud == "aws" else _INTERNAL_ON_GOOGLE),
            ),
            Validation(
                _OTHERS[settings.cloud],
                "ai-platform: the load balancer would be public; expected an internal scheme or class",
            ),
            # Traffic of other Pods to these addresses would go to the Service (CVE-2020-8554).
            Validation(
                "request.kind.kind != 'Service' || size(variables.spec.?externalIPs.orValue([])) == 0",
                "ai-platform: spec.externalIPs redirects the traffic of others; expected none",
            ),
        ),
        {"spec": SPEC, "annotations": "object.metadata.?annotations.orValue({})"},
        {
            "not-a-public-namespace": f"!(request.namespace in {strings(settings.public_namespaces)})",
            **namespace_conditions(settings),
        },
    )


_INTERNAL_ON_GOOGLE: Final = "networking.gke.io/load-balancer-type: Internal"
