"""Spec of supply_chain.scan_images."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Fails, Resource, Spec, resource, stack

SCAN = "imageScanningConfiguration.scanOnPush"


def _ecr(scan: Any = None) -> Resource:
    return resource("aws:ecr/repository:Repository", {"imageScanningConfiguration": scan}, name="repository")


def _registry(frequency: Any = "SCAN_ON_PUSH", pattern: str = "*") -> Resource:
    entry = {"filter": pattern, "filterType": "WILDCARD"}
    rules = [{"scanFrequency": frequency, "repositoryFilters": [entry]}]
    return resource(
        "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
        {"scanType": "ENHANCED", "rules": rules},
        name="registry",
    )


def _google(enablement: Any) -> Resource:
    return resource(
        "gcp:artifactregistry/repository:Repository",
        {"format": "DOCKER", "vulnerabilityScanningConfig": {"enablementConfig": enablement}},
    )


SPEC = Spec(
    passes={
        "a repository's own": stack(_ecr({"scanOnPush": True})),
        "the registry's": stack(_ecr(), _registry()),
        "on Google Cloud as the project says": _google("INHERITED"),
        "on Google Cloud with defaults": resource(
            "gcp:artifactregistry/repository:Repository", {"format": "DOCKER"}
        ),
    },
    fails={
        "defaults": Fails(stack(_ecr()), SCAN, "not scanned", of="repository"),
        "no": Fails(stack(_ecr({"scanOnPush": False})), SCAN),
        "a registry that scans on request": Fails(stack(_ecr(), _registry("MANUAL")), SCAN),
        "a registry that scans other repositories": Fails(stack(_ecr(), _registry(pattern="prod-*")), SCAN),
        "on Google Cloud": Fails(
            _google("DISABLED"), "vulnerabilityScanningConfig.enablementConfig", "'DISABLED'"
        ),
    },
    unknown={
        "whether it does": stack(_ecr({"scanOnPush": UNKNOWN})),
        "whether the registry does": stack(_ecr(), _registry(UNKNOWN)),
        "on Google Cloud": _google(UNKNOWN),
    },
)
