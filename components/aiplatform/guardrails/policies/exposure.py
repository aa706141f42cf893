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
    literal,
    namespace_conditions,
    strings,
)

_AWS: Final = "service.beta.kubernetes.io/aws-load-balancer"
_SCHEME: Final = f"{_AWS}-scheme"
_INTERNAL: Final = f"{_AWS}-internal"
_AWS_CLASS: Final = "service.k8s.aws/nlb"
_GOOGLE_CLASS: Final = "networking.gke.io/l4-regional-internal"


def _annotation(name: str) -> str:
    return f"variables.annotations[?'{name}'].orValue('')"


_BY_CONTROLLER: Final = (
    f"(variables.class != '' ? variables.class == '{_AWS_CLASS}' "
    f": {_annotation(_AWS + '-type')} in ['external', 'nlb-ip'])"
)
"""Whether the AWS Load Balancer Controller makes the load balancer, and not Kubernetes' own ("Network Load
Balancer": configuration)."""

_BALANCED: Final[Mapping[Cloud, str]] = {
    # The controller makes one for a Service of any type, unless its feature gate ServiceTypeLoadBalancerOnly
    # is on.
    "aws": f"(variables.spec.?type.orValue('') == 'LoadBalancer' || {_BY_CONTROLLER})",
    "gcp": "(variables.spec.?type.orValue('') == 'LoadBalancer')",
}
"""Whether a Service gets a load balancer."""

_SERVICE: Final[Mapping[Cloud, str]] = {
    # Kubernetes' own knows no scheme, and makes a public one without its annotation. The controller's default
    # is an option of its.
    "aws": (
        f"({_BY_CONTROLLER} && {_annotation(_SCHEME)} == 'internal') "
        f"|| (!('{_SCHEME}' in variables.annotations && {_annotation(_SCHEME)} != 'internal') "
        f"&& {_annotation(_INTERNAL)} == 'true')"
    ),
    # GKE, "LoadBalancer Service parameters": the class has precedence over the annotation, whose second name
    # is the one before 1.17.
    "gcp": (
        f"variables.class == '{_GOOGLE_CLASS}' || (variables.class in ['', '{_GOOGLE_CLASS}-legacy'] && "
        "variables.annotations[?'networking.gke.io/load-balancer-type']"
        f".orValue({_annotation('cloud.google.com/load-balancer-type')}) == 'Internal')"
    ),
}
"""Whether its load balancer is internal."""
_EXPECTED: Final[Mapping[Cloud, str]] = {
    "aws": f"the annotation {_INTERNAL}: 'true', or, with the class {_AWS_CLASS}, {_SCHEME}: internal",
    "gcp": "the annotation networking.gke.io/load-balancer-type: Internal and no other class than "
    f"{_GOOGLE_CLASS}",
}
_EXTERNAL_CLASSES: Final = ("", "gce", "gce-regional-external", "gce-multi-cluster")

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
        f".orValue(variables.spec.?ingressClassName.orValue('')) in {literal(_EXTERNAL_CLASSES)}) : "
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
                f"request.kind.kind != 'Service' || !{_BALANCED[settings.cloud]} "
                f"|| {_SERVICE[settings.cloud]}",
                f"ai-platform: the load balancer would be public; expected {_EXPECTED[settings.cloud]}",
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
        {
            "spec": SPEC,
            "annotations": "object.metadata.?annotations.orValue({})",
            "class": "variables.spec.?loadBalancerClass.orValue('')",
        },
        {
            # Removing a finalizer of what is in deletion must not fail: its controller could not delete it.
            "changes": (
                "request.operation != 'UPDATE' || object.spec != oldObject.spec "
                "|| (!has(object.metadata.deletionTimestamp) && object.metadata.?annotations.orValue({}) "
                "!= oldObject.metadata.?annotations.orValue({}))"
            ),
            "not-a-public-namespace": f"!(request.namespace in {strings(settings.public_namespaces)})",
            **namespace_conditions(settings),
        },
    )
