"""Functions and services do not accept requests from the whole internet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..framework import Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="No function open to the internet",
    severity="high",
    description="The address of a function becomes public with its certificate, which is logged. A function "
    "URL without authorization accepts any request, and Cloud Run and Cloud Run functions accept traffic "
    "from the internet by default.",
    remediation="Set authorizationType AWS_IAM; on Google Cloud set ingress to internal, or to internal and "
    "the load balancer.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)

_INGRESS: Final[Mapping[str, tuple[str, str]]] = {
    "gcp:cloudrunv2/service:Service": ("ingress", "INGRESS_TRAFFIC_ALL"),
    "gcp:cloudfunctionsv2/function:Function": ("serviceConfig.ingressSettings", "ALLOW_ALL"),
    "gcp:cloudfunctions/function:Function": ("ingressSettings", "ALLOW_ALL"),
}
"""Type -> property path of the allowed traffic, and the value for all of it, which is the default."""


@POLICY.on("aws:lambda/functionUrl:FunctionUrl")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Function URLs without authorization."""
    if resource.known("authorizationType") == "NONE":
        yield Violation("authorizationType", "is 'NONE': anyone can call the function")


@POLICY.on(*_INGRESS)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Services that accept all traffic."""
    path, everything = _INGRESS[resource.type]
    ingress = resource.known(path)
    if ingress in (None, everything):
        yield Violation(path, f"{describe(ingress)}, so that it is open to the internet")
