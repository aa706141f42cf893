"""A tag in a registry stays where it was put."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Tags are immutable",
    severity="medium",
    description="Whoever may push to a repository with mutable tags may change what already runs by that "
    "tag, and nobody sees it. Caches of other registries are as mutable as these are.",
    remediation="Set `imageTagMutability: IMMUTABLE` on ECR, `dockerConfig: {immutableTags: true}` on "
    "Artifact Registry.",
    frameworks=("NIST 800-53 CM-5", "NIST 800-53 SI-7", "SOC 2 CC8.1"),
)


@POLICY.on("aws:ecr/repository:Repository")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Repositories whose tags may be moved."""
    mutability = resource.get("imageTagMutability")
    if mutability is UNKNOWN:
        yield Undecided("imageTagMutability")
    elif not str(mutability).startswith("IMMUTABLE"):
        yield Finding("imageTagMutability", f"is {mutability or 'MUTABLE'!r}, so a tag may be moved")


@POLICY.on("gcp:artifactregistry/repository:Repository")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Docker repositories of one's own whose tags may be moved."""
    if resource.get("format") != "DOCKER":
        return
    mode, immutable = resource.get("mode"), resource.get("dockerConfig.immutableTags")
    if mode not in (None, "STANDARD_REPOSITORY") and mode is not UNKNOWN:
        return
    if mode is UNKNOWN or immutable is UNKNOWN:
        yield Undecided("mode" if mode is UNKNOWN else "dockerConfig.immutableTags")
    elif not immutable:
        yield Finding("dockerConfig.immutableTags", "is not set, so a tag may be moved")
