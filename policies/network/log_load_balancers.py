"""Load balancers log their requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="Access logs of load balancers are on",
    severity="medium",
    description="Only the access log of a load balancer shows who sent which request, from where, and what "
    "was refused: it is the first source in an investigation. It is off by default on both clouds.",
    remediation="Set `accessLogs: {enabled: true, bucket: ...}` on AWS; `logConfig: {enable: true}` with a "
    "`sampleRate` for a backend service on Google Cloud.",
    frameworks=("CIS GCP 2.16", "NIST 800-53 AU-2", "NIST 800-53 AU-12", "SOC 2 CC7.2"),
)

_LOGGED: Final = (None, "HTTP", "HTTPS", "HTTP2", "H2C", "GRPC")
"""Protocols of backend services whose requests Cloud Logging records; None is HTTP."""


@POLICY.on("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Application and Network Load Balancers; Gateway Load Balancers have no access log."""
    path = "accessLogs.enabled"
    if resource.known("loadBalancerType") != "gateway" and resource.known(path) is not True:
        yield Violation(path, f"{describe(resource.known(path))}: requests are not logged")


@POLICY.on("aws:elb/loadBalancer:LoadBalancer")
def on_classic(resource: Resource) -> Iterator[Outcome]:
    """Classic Load Balancers, whose log is on where it has a bucket."""
    if not resource.known("accessLogs"):
        yield Violation("accessLogs", "is not set: requests are not logged")
    elif resource.known("accessLogs.enabled") is False:
        yield Violation("accessLogs.enabled", "is false: requests are not logged")


@POLICY.on(
    "gcp:compute/backendService:BackendService", "gcp:compute/regionBackendService:RegionBackendService"
)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Backend services of load balancers for HTTP."""
    if resource.known("protocol") not in _LOGGED:
        return
    path = "logConfig.enable"
    if resource.known(path) is not True:
        yield Violation(path, f"{describe(resource.known(path))}: requests are not logged")
    elif resource.known("logConfig.sampleRate") == 0:
        yield Violation("logConfig.sampleRate", "is 0: no request is logged")
