"""Images are scanned for known vulnerabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..framework import Outcome, Policy, Resource, Stack, Violation, any_of, check_each

POLICY = Policy(
    title="Images are scanned",
    severity="medium",
    description="A known vulnerability of an image is found by a scan. ECR scans on request, Artifact "
    "Registry unless it is disabled.",
    remediation="Set `imageScanningConfiguration: {scanOnPush: true}` on ECR, or scan the whole registry by "
    "an `aws.ecr.RegistryScanningConfiguration`; leave Artifact Registry's `enablementConfig` at INHERITED.",
    frameworks=("CIS EKS 5.1.1", "CIS GKE 5.1.1", "NIST 800-53 RA-5", "SOC 2 CC7.1"),
)

_ON_PUSH = "imageScanningConfiguration.scanOnPush"


@POLICY.on_stack
def on_aws(stack: Stack) -> Iterator[Outcome]:
    """Repositories that neither their own configuration nor the registry's scans."""
    registries = stack.of("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration")
    yield from check_each(stack.of("aws:ecr/repository:Repository"), _check_repository, registries)


def _check_repository(repository: Resource, registries: Sequence[Resource]) -> Iterator[Outcome]:
    if not any_of(registries, _scans_all) and not repository.known(_ON_PUSH):
        yield Violation(_ON_PUSH, "is not set: pushed images are not scanned")


def _scans_all(registry: Resource) -> bool:
    registry.fully_known("rules")
    return any(
        rule.known("scanFrequency") != "MANUAL" and repositories.known("filter") == "*"
        for rule in registry.entries("rules")
        for repositories in rule.entries("repositoryFilters")
    )


@POLICY.on("gcp:artifactregistry/repository:Repository")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Repositories that are excluded from the scans of the project."""
    path = "vulnerabilityScanningConfig.enablementConfig"
    if resource.known(path) == "DISABLED":
        yield Violation(path, "is 'DISABLED': pushed images are not scanned, whatever the project sets")
