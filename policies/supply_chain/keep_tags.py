"""Tags of a registry cannot be moved."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import UNKNOWN, Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Tags are immutable",
    severity="medium",
    description="With mutable tags, the permission to push to a repository is enough to change what already "
    "runs with a tag, unnoticed. Caches of other registries are as mutable as their source.",
    remediation="Set `imageTagMutability: IMMUTABLE` on ECR, `dockerConfig: {immutableTags: true}` on "
    "Artifact Registry.",
    frameworks=("NIST 800-53 CM-5", "NIST 800-53 SI-7", "SOC 2 CC8.1"),
)


@POLICY.on("aws:ecr/repository:Repository")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Repositories with mutable tags."""
    mutability = resource.known("imageTagMutability")
    if not str(mutability).startswith("IMMUTABLE"):
        yield Violation("imageTagMutability", f"is {mutability or 'MUTABLE'!r}, so a tag may be moved")


@POLICY.on("gcp:artifactregistry/repository:Repository")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Standard Docker repositories with mutable tags."""
    if resource.known("format") != "DOCKER":
        return
    if resource.raw("mode") not in (None, "STANDARD_REPOSITORY", UNKNOWN):
        return
    if not resource.known("dockerConfig.immutableTags"):
        resource.known("mode")
        yield Violation("dockerConfig.immutableTags", "is not set, so a tag may be moved")
