"""A load balancer that stands there has something to do."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.companions import Companions

POLICY = Policy(
    title="No idle load balancers",
    severity="low",
    description="A load balancer costs by the hour whether anybody comes. One without a listener answers "
    "nothing, and one on Google Cloud whose backend service has no backend answers everybody with an error.",
    remediation="Give it its listener or its backends, or take it out.",
    frameworks=("NIST 800-53 CM-8",),
)


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Judgement]:
    """Load balancers without a listener in this program."""
    listeners = Companions(stack, "loadBalancerArn", "aws:lb/listener:Listener", "aws:alb/listener:Listener")
    for balancer in stack.of("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer"):
        if listeners.of(balancer):
            continue
        if listeners.strays:
            yield Undecided("arn")
        else:
            yield Finding("", "has no listener, so it answers nothing", balancer)


@POLICY.on(
    "gcp:compute/backendService:BackendService", "gcp:compute/regionBackendService:RegionBackendService"
)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """What load balancers of Google Cloud send requests to."""
    backends = resource.get("backends")
    if backends is UNKNOWN:
        yield Undecided("backends")
    elif not backends:
        yield Finding("backends", "are missing, so every request is answered with an error")
