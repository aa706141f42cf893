"""Images that nobody pulls any more go."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided
from ..pack.companions import Companions

POLICY = Policy(
    title="Registries clean up",
    severity="low",
    description="Every build leaves an image of some gigabytes, with the CUDA libraries in each. A "
    "repository without a rule keeps all of them, for ever.",
    remediation="Add an ECR LifecyclePolicy; set `cleanupPolicies` on Artifact Registry, and not "
    "`cleanupPolicyDryRun`.",
)


@POLICY.on_stack
def on_ecr(stack: Stack) -> Iterator[Judgement]:
    """Repositories without a lifecycle policy in this program."""
    policies = Companions(stack, "repository", "aws:ecr/lifecyclePolicy:LifecyclePolicy")
    for repository in stack.of("aws:ecr/repository:Repository"):
        if policies.of(repository):
            continue
        if policies.strays:
            yield Undecided("")
        else:
            yield Finding("", "has no lifecycle policy, so every image is kept for ever", repository)


@POLICY.on("gcp:artifactregistry/repository:Repository")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Repositories whose cleanup policies are missing, or only a trial; a virtual one keeps nothing."""
    policies, trial = resource.get("cleanupPolicies"), resource.get("cleanupPolicyDryRun")
    if resource.get("mode") == "VIRTUAL_REPOSITORY":
        return
    if UNKNOWN in (policies, trial):
        yield Undecided("cleanupPolicies")
    elif not policies:
        yield Finding("cleanupPolicies", "are not set, so every image is kept for ever")
    elif trial is True:
        yield Finding("cleanupPolicyDryRun", "is true, so the cleanup policies delete nothing")
