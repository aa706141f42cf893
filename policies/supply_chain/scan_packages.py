"""A registry that is scanned is scanned for what is in its images."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Registries are scanned with their packages",
    severity="low",
    description="ECR's basic scanning knows packages of the operating system alone, and looks when an image "
    "is pushed. Of an image for machine learning most is Python, and a hole in it is known months later: "
    "enhanced scanning (Amazon Inspector) looks at both, and again when something new is known. A program "
    "that configures the registry's scanning takes that.",
    remediation="Set `scanType: ENHANCED` with a rule of `scanFrequency: CONTINUOUS_SCAN`.",
    frameworks=("NIST 800-53 RA-5", "NIST 800-53 SI-2", "SOC 2 CC7.1"),
)


@POLICY.on("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration")
def rule(resource: Resource) -> Iterator[Judgement]:
    """Registries whose scanning is the basic one, or enhanced but once."""
    kind = resource.get("scanType")
    if kind is UNKNOWN:
        yield Undecided("scanType")
    elif kind == "BASIC":
        yield Finding("scanType", "is 'BASIC', which sees no Python package")
    else:
        for path, _ in resource.items("rules"):
            often = resource.get(f"{path}.scanFrequency")
            if often is UNKNOWN:
                yield Undecided(f"{path}.scanFrequency")
            elif often in ("SCAN_ON_PUSH", "MANUAL"):
                yield Finding(
                    f"{path}.scanFrequency", f"is {often!r}: what is known later is found by nobody"
                )
