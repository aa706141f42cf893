"""An image is the same tomorrow."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from ..pack import Judgement, Option, Options, Policy, Resource
from ..pack.images import parse
from ..pack.pods import WORKLOADS, in_images

POLICY = Policy(
    title="Images are pinned",
    severity="high",
    description="An image without a tag is `latest`: what runs changes when a node restarts, without a "
    "review and without a way back. A digest cannot be moved at all.",
    remediation="Name a version, best with its digest: `registry/repository:version@sha256:...`.",
    frameworks=("NIST 800-53 CM-2", "NIST 800-53 SI-7", "SOC 2 CC8.1"),
    options={
        "digests": Option({"type": "boolean"}, False, "Whether every image must name its digest."),
        "without_digest": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "Repositories whose images may name a version alone where `digests` is on, `*` for any "
            "characters.",
        ),
        "moving_tags": Option(
            {"type": "array", "items": {"type": "string"}},
            ["latest", "stable", "main", "master", "edge", "nightly", "dev"],
            "Tags that are moved on purpose.",
        ),
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Images that may change."""

    def fault(reference: str) -> str | None:
        told = _fault(reference, options)
        return f"runs {reference!r}, which {told}" if told else None

    yield from in_images(resource, fault)


def _fault(reference: str, options: Options) -> str:
    image = parse(reference)
    if image.digest:
        return ""
    if not image.tag:
        return "names no version"
    if image.tag in options["moving_tags"]:
        return f"is another one whenever {image.tag!r} is moved"
    exempt = any(fnmatch.fnmatchcase(image.place, each) for each in options["without_digest"])
    return "names no digest" if options["digests"] and not exempt else ""
