"""Old images are deleted."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Stack, Violation, check_each
from ..framework.related_resources import RelatedResources

POLICY = Policy(
    title="Registries delete old images",
    severity="low",
    description="Every build leaves an image of some gigabytes, each with the CUDA libraries. A repository "
    "without a rule keeps all of them.",
    remediation="Add an ECR LifecyclePolicy; set `cleanupPolicies` on Artifact Registry, and not "
    "`cleanupPolicyDryRun`.",
)


@POLICY.on_stack
def on_ecr(stack: Stack) -> Iterator[Outcome]:
    """Repositories without a lifecycle policy in this program."""
    policies = RelatedResources(stack, "repository", "aws:ecr/lifecyclePolicy:LifecyclePolicy")
    yield from check_each(stack.of("aws:ecr/repository:Repository"), _check_repository, policies)


def _check_repository(repository: Resource, policies: RelatedResources) -> Iterator[Outcome]:
    if not policies.of(repository):
        policies.require_known_targets()
        yield Violation("", "has no lifecycle policy, so every image is kept")


@POLICY.on("gcp:artifactregistry/repository:Repository")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Repositories without cleanup policies, or with a dry run; a virtual repository stores nothing."""
    if resource.known("mode") == "VIRTUAL_REPOSITORY":
        return
    if not resource.known("cleanupPolicies"):
        yield Violation("cleanupPolicies", "is not set, so every image is kept")
    elif resource.known("cleanupPolicyDryRun") is True:
        yield Violation("cleanupPolicyDryRun", "is true, so the cleanup policies delete nothing")
