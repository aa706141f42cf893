"""Functions and services answer callers that are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="No function open to the internet",
    severity="high",
    description="The address of a function is found as soon as its certificate is logged. A function URL "
    "without authorization answers everybody, and Cloud Run and Cloud Run functions take "
    "traffic from the whole internet where nothing else is said.",
    remediation="Set authorizationType AWS_IAM; on Google Cloud set ingress to internal, or to internal "
    "and the load balancer.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 SC-7", "SOC 2 CC6.6"),
)

_INGRESS: Final[Mapping[str, tuple[str, str]]] = {
    "gcp:cloudrunv2/service:Service": ("ingress", "INGRESS_TRAFFIC_ALL"),
    "gcp:cloudfunctionsv2/function:Function": ("serviceConfig.ingressSettings", "ALLOW_ALL"),
    "gcp:cloudfunctions/function:Function": ("ingressSettings", "ALLOW_ALL"),
}


@POLICY.on("aws:lambda/functionUrl:FunctionUrl")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Addresses that ask for no signature."""
    kind = resource.get("authorizationType")
    if kind is UNKNOWN:
        yield Undecided("authorizationType")
    elif kind == "NONE":
        yield Finding("authorizationType", "is 'NONE': everybody calls the function")


@POLICY.on(*_INGRESS)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Services that take all traffic."""
    path, everybody = _INGRESS[resource.type]
    said = resource.get(path)
    if said is UNKNOWN:
        yield Undecided(path)
    elif said in (None, everybody):
        what = "is missing" if said is None else f"is {said!r}"
        yield Finding(path, f"{what}, so that the whole internet reaches it")
