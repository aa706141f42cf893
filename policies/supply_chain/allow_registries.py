"""Images come from registries that somebody answers for."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from ..pack import Judgement, Option, Options, Policy, Resource
from ..pack.images import parse
from ..pack.pods import WORKLOADS, in_images

POLICY = Policy(
    title="Images come from known registries",
    severity="high",
    description="Anybody may publish on Docker Hub under a name that looks right, and its limits of pulls "
    "stop a cluster that grows. Images come from the platform's own registries, or from those that its "
    "parts are published in.",
    remediation="Push the image to the platform's registry, pull it through its cache, or add the registry "
    "to the policy's `registries`.",
    frameworks=("CIS EKS 5.1.4", "CIS GKE 5.1.4", "NIST 800-53 CM-11", "NIST 800-53 SR-4"),
    options={
        "registries": Option(
            {"type": "array", "items": {"type": "string"}},
            [
                "*.dkr.ecr.*.amazonaws.com",
                "*.pkg.dev",
                "public.ecr.aws",
                "registry.k8s.io",
                "gke.gcr.io",
                "nvcr.io/nvidia/*",
                "ghcr.io",
                "quay.io",
            ],
            "Registries that images may come from, `*` for any characters; with a `/` a part of a registry.",
        ),
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Images from elsewhere."""
    yield from in_images(resource, lambda reference: _fault(reference, options))


def _fault(reference: str, options: Options) -> str | None:
    image = parse(reference)
    allowed = (
        fnmatch.fnmatchcase(image.place if "/" in each else image.registry, each)
        for each in options["registries"]
    )
    return None if any(allowed) else f"comes from {image.place!r}"
