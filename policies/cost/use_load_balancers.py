"""Load balancers have listeners or backends."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Stack, Violation, check_each
from ..framework.related_resources import RelatedResources

POLICY = Policy(
    title="No unused load balancers",
    severity="low",
    description="A load balancer costs by the hour, with or without traffic. One without a listener serves "
    "no request, and one on Google Cloud whose backend service has no backend answers with an error.",
    remediation="Add its listener or its backends, or remove it.",
    frameworks=("NIST 800-53 CM-8",),
)


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """Load balancers without a listener in this program."""
    listeners = RelatedResources(
        stack, "loadBalancerArn", "aws:lb/listener:Listener", "aws:alb/listener:Listener"
    )
    balancers = stack.of("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
    yield from check_each(balancers, _check_balancer, listeners)


def _check_balancer(balancer: Resource, listeners: RelatedResources) -> Iterator[Outcome]:
    if not listeners.of(balancer):
        listeners.require_known_targets()
        yield Violation("", "has no listener, so it serves no request")


@POLICY.on(
    "gcp:compute/backendService:BackendService", "gcp:compute/regionBackendService:RegionBackendService"
)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Backend services without a backend."""
    if not resource.known("backends"):
        yield Violation("backends", "is not set, so every request is answered with an error")
