"""Images are looked through for known holes."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Stack, Undecided, each, holds_unknown

POLICY = Policy(
    title="Images are scanned",
    severity="medium",
    description="A known hole in an image is found when somebody looks. ECR looks when it is asked to, "
    "Artifact Registry unless it is told not to.",
    remediation="Set `imageScanningConfiguration: {scanOnPush: true}` on ECR, or scan the whole registry by "
    "an `aws.ecr.RegistryScanningConfiguration`; leave Artifact Registry's `enablementConfig` at INHERITED.",
    frameworks=("CIS EKS 5.1.1", "CIS GKE 5.1.1", "NIST 800-53 RA-5", "SOC 2 CC7.1"),
)


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Judgement]:
    """Repositories that neither their own configuration nor the registry's has scanned."""
    registries = stack.of("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration")
    if any(holds_unknown(registry.get("rules")) for registry in registries):
        yield Undecided("rules")
        return
    if any(_scans_all(registry) for registry in registries):
        return
    for repository in stack.of("aws:ecr/repository:Repository"):
        path = "imageScanningConfiguration.scanOnPush"
        scanned = repository.get(path)
        if scanned is UNKNOWN:
            yield Undecided(path)
        elif not scanned:
            yield Finding(path, "what is pushed is not scanned", repository)


def _scans_all(registry: Resource) -> bool:
    return any(
        rule["scanFrequency"] != "MANUAL" and entry["filter"] == "*"
        for _, rule in registry.items("rules")
        for _, entry in each(rule["repositoryFilters"])
    )


@POLICY.on("gcp:artifactregistry/repository:Repository")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Repositories that are taken out of the project's scanning."""
    path = "vulnerabilityScanningConfig.enablementConfig"
    config = resource.get(path)
    if config is UNKNOWN:
        yield Undecided(path)
    elif config == "DISABLED":
        yield Finding(path, "is 'DISABLED': what is pushed is not scanned, whatever the project says")
