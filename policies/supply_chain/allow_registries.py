"""Images come from approved registries."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator

from ..framework import Entry, Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.images import parse
from ..framework.pods import WORKLOADS, check_images, parts

POLICY = Policy(
    title="Images come from approved registries",
    severity="high",
    description="Anyone can publish on Docker Hub under a name that looks right, and its rate limits delay a "
    "cluster that scales out. Images come from the platform's registries, or from those in which its "
    "dependencies are published.",
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
                "gcr.io/gke-release/*",
                "nvcr.io/nvidia/*",
                "ghcr.io",
                "quay.io",
                # Of the platform's observability. Anyone publishes on docker.io.
                "docker.io/grafana/*",
                "docker.io/otel/*",
                # Of training, serving and gateways, whose projects publish only there.
                "docker.io/envoyproxy/*",
                "docker.io/pytorch/*",
                "docker.io/vllm/*",
                "cr.fluentbit.io/fluent/*",
            ],
            "Allowed registries, `*` for any characters; with a `/` a part of a registry.",
        ),
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Images from other registries."""
    yield from check_images(resource, lambda reference: _problem(reference, options["registries"]))
    yield from check_each(parts(resource).images, _check_repository, options["registries"])


def _check_repository(image: Entry, registries: Collection[str]) -> Iterator[Outcome]:
    """Check an image in the values of a chart: what it leaves out is the chart's."""
    repository, registry = image.known("repository"), image.known("registry")
    if isinstance(repository, str):
        location = f"{registry}/{repository}" if registry else repository
        problem = _problem(location, registries)
        if problem:
            yield Violation(image.where("repository"), problem)


def _problem(reference: str, registries: Collection[str]) -> str | None:
    image = parse(reference)
    allowed = any(
        fnmatch.fnmatchcase(image.location if "/" in registry else image.registry, registry)
        for registry in registries
    )
    return None if allowed else f"comes from {image.location!r}"
