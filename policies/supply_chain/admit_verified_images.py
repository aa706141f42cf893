"""A cluster runs what has been attested."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Binary Authorization is enforced",
    severity="medium",
    description="The registry of an image says where it is, not who built it. Binary Authorization admits "
    "what the project's policy admits, and records what was let through.",
    remediation="Set `binaryAuthorization: {evaluationMode: PROJECT_SINGLETON_POLICY_ENFORCE}`.",
    frameworks=("NIST 800-53 CM-14", "NIST 800-53 SI-7"),
    # Images are built and tried there before anybody attests them.
    levels={"dev": "disabled", "staging": "disabled"},
)


@POLICY.on("gcp:container/cluster:Cluster")
def rule(resource: Resource) -> Iterator[Judgement]:
    """Clusters that admit everything."""
    path = "binaryAuthorization.evaluationMode"
    mode = resource.get(path)
    # What `evaluationMode` took the place of.
    old = resource.get("binaryAuthorization.enabled")
    if mode is UNKNOWN or (mode is None and old is UNKNOWN):
        yield Undecided(path)
    elif not (old is True and mode is None) and mode in (None, "DISABLED", "EVALUATION_MODE_UNSPECIFIED"):
        yield Finding(path, f"is {mode or 'not set'!r}: the cluster runs every image")
