"""Scans include the packages in images."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="Scans include packages",
    severity="low",
    description="ECR's basic scanning covers only packages of the operating system, and scans an image when "
    "it is pushed. Most of an image for machine learning is Python, and its vulnerabilities become known "
    "months later: enhanced scanning (Amazon Inspector) covers both, and scans again for new "
    "vulnerabilities. A program that configures the scanning of the registry uses it.",
    remediation="Set `scanType: ENHANCED` with a rule of `scanFrequency: CONTINUOUS_SCAN`.",
    frameworks=("NIST 800-53 RA-5", "NIST 800-53 SI-2", "SOC 2 CC7.1"),
)


@POLICY.on("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration")
def rule(resource: Resource) -> Iterator[Outcome]:
    """Registries with basic scanning, or with enhanced scanning that runs once."""
    if resource.known("scanType") == "BASIC":
        yield Violation("scanType", "is 'BASIC', which covers no Python package")
    else:
        yield from check_each(resource.entries("rules"), _check_rule)


def _check_rule(rule: Entry) -> Iterator[Outcome]:
    frequency = rule.known("scanFrequency")
    if frequency in ("SCAN_ON_PUSH", "MANUAL"):
        problem = f"is {frequency!r}: vulnerabilities that become known later are not found"
        yield Violation(rule.where("scanFrequency"), problem)
