"""Charts have an exact version."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="Charts are pinned",
    severity="high",
    description="A chart without an exact version is updated to the newest one at every update, with the "
    "permissions that it requests then. A chart by plain HTTP can be replaced in transit. Before a policy "
    "sees a release whose values are all known, the provider replaces a missing version or a range by the "
    "version that it resolved; violations are found where a value comes from another resource, as most do "
    "in a first preview. No policy sees the inputs of a helm.v4 Chart; its rendered objects are evaluated.",
    remediation="Set `version` to an exact one, and use an https repository, an OCI registry or a folder.",
    frameworks=("NIST 800-53 CM-2", "NIST 800-53 SI-7", "SOC 2 CC8.1"),
)

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")


@POLICY.on("kubernetes:helm.sh/v3:Release")
def rule(resource: Resource) -> Iterator[Outcome]:
    """Releases of charts that may change."""
    yield from check_each(("repositoryOpts.repo", "chart"), _check_source, resource)
    chart = resource.known("chart")
    if not isinstance(chart, str) or not (resource.known("repositoryOpts.repo") or "://" in chart):
        # An archive or a folder: it has the version of the program.
        return
    version = resource.known("version")
    if version is None and chart.endswith(".tgz"):
        if not _VERSION.search(chart):
            yield Violation("chart", f"is {chart!r}, an archive without a version in its address")
        return
    if version is None:
        yield Violation("version", f"is not set: every update installs the newest {chart!r}")
    elif not _EXACT.fullmatch(version):
        yield Violation("version", f"is {version!r}, a range; expected an exact version")


def _check_source(path: str, resource: Resource) -> Iterator[Outcome]:
    source = resource.known(path)
    if isinstance(source, str) and source.startswith("http://"):
        yield Violation(path, f"is {source!r}, without TLS")
