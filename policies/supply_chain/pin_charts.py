"""A chart is the same tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Charts are pinned",
    severity="high",
    description="A chart without an exact version is the newest one at every update, with whatever rights "
    "it asks for then. One that comes by plain http may be somebody else's. The provider puts the version "
    "that it found in place of none or a range before a policy sees a release of which all is known: that is "
    "found where a value waits for another resource, as most do in a first preview. The inputs of a helm.v4 "
    "Chart are shown to no policy, and what it renders is judged.",
    remediation="Set `version` to an exact one, and take the chart from an https repository, an OCI "
    "registry or a folder.",
    frameworks=("NIST 800-53 CM-2", "NIST 800-53 SI-7", "SOC 2 CC8.1"),
)

_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")


@POLICY.on("kubernetes:helm.sh/v3:Release")
def rule(resource: Resource) -> Iterator[Judgement]:
    """Releases of charts that may change."""
    chart, repository = resource.get("chart"), resource.get("repositoryOpts.repo")
    if chart is UNKNOWN or repository is UNKNOWN:
        yield Undecided("chart" if chart is UNKNOWN else "repositoryOpts.repo")
        return
    for path, source in (("repositoryOpts.repo", repository), ("chart", chart)):
        if isinstance(source, str) and source.startswith("http://"):
            yield Finding(path, f"comes from {source!r} without encryption")
    if not isinstance(chart, str) or not (repository or "://" in chart):
        # An archive or a folder beside the program: its version is the program's.
        return
    version = resource.get("version")
    if version is UNKNOWN:
        yield Undecided("version")
    elif version is None and chart.endswith(".tgz"):
        return
    elif version is None:
        yield Finding("version", f"{chart!r} is the newest there is at every update")
    elif not _EXACT.fullmatch(version):
        yield Finding("version", f"{version!r} is a range, not a version")
