"""Clusters run only attested images."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, describe

POLICY = Policy(
    title="Binary Authorization is enforced",
    severity="medium",
    description="The registry of an image shows where it is stored, not who built it. Binary Authorization "
    "admits images by the policy of the project, and logs them.",
    remediation="Set `binaryAuthorization: {evaluationMode: PROJECT_SINGLETON_POLICY_ENFORCE}`.",
    frameworks=("NIST 800-53 CM-14", "NIST 800-53 SI-7"),
    # There, images are built and tested before they are attested.
    levels={"dev": "disabled", "staging": "disabled"},
)


@POLICY.on("gcp:container/cluster:Cluster")
def rule(resource: Resource) -> Iterator[Outcome]:
    """Clusters that admit every image."""
    path = "binaryAuthorization.evaluationMode"
    mode = resource.known(path)
    # `enabled` is the predecessor of `evaluationMode`.
    if mode is None and resource.known("binaryAuthorization.enabled") is True:
        return
    if mode in (None, "DISABLED", "EVALUATION_MODE_UNSPECIFIED"):
        yield Violation(path, f"{describe(mode)}: the cluster runs every image")
