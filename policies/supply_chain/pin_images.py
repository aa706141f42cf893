"""Images have an exact version."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator

from ..framework import Entry, Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.images import parse
from ..framework.pods import WORKLOADS, check_images, parts

POLICY = Policy(
    title="Images are pinned",
    severity="high",
    description="An image without a tag is `latest`: a restart of a node changes what runs, without a review "
    "and without a rollback. A digest always identifies the same image.",
    remediation="Name a version, best with its digest: `registry/repository:version@sha256:...`.",
    frameworks=("NIST 800-53 CM-2", "NIST 800-53 SI-7", "SOC 2 CC8.1"),
    options={
        "digests": Option({"type": "boolean"}, False, "Whether every image must have a digest."),
        "without_digest": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "Repositories whose images need no digest where `digests` is on, `*` for any characters.",
        ),
        "moving_tags": Option(
            {"type": "array", "items": {"type": "string"}},
            ["latest", "stable", "main", "master", "edge", "nightly", "dev"],
            "Tags that are moved on purpose.",
        ),
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Images that may change."""

    def problem(reference: str) -> str | None:
        reason = _reason(reference, options)
        return f"runs {reference!r}, which {reason}" if reason else None

    yield from check_images(resource, problem)
    yield from check_each(parts(resource).images, _check_tag, options["moving_tags"])


def _check_tag(image: Entry, moving: Collection[str]) -> Iterator[Outcome]:
    """Check an image in the values of a chart: what it leaves out is the chart's."""
    tag = image.known("tag")
    if tag in moving and not image.known("digest"):
        yield Violation(image.where("tag"), f"changes when {tag!r} is moved")


def _reason(reference: str, options: Options) -> str:
    image = parse(reference)
    if image.digest:
        return ""
    if not image.tag:
        return "has no version"
    if image.tag in options["moving_tags"]:
        return f"changes when {image.tag!r} is moved"
    exempt = any(fnmatch.fnmatchcase(image.location, pattern) for pattern in options["without_digest"])
    return "has no digest" if options["digests"] and not exempt else ""
