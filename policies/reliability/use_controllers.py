"""Pods have a controller."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Pods have a controller",
    severity="medium",
    description="A Pod without a controller is not created again when its node fails, is drained or is "
    "upgraded, and a drain of its node waits or fails. Its image and resources can be changed only by "
    "deleting it.",
    remediation="Declare a Deployment or a StatefulSet for a server, and a Job for work that ends.",
    frameworks=("NIST 800-53 SI-13", "SOC 2 A1.2"),
)


@POLICY.on("kubernetes:core/v1:Pod")
def rule(resource: Resource) -> Iterator[Outcome]:
    """Pods that no other object owns."""
    if not resource.known("metadata.ownerReferences"):
        yield Violation("", "is a Pod without a controller: it ends with its node")
