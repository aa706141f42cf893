"""A program runs in the account that is meant, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Providers name their account",
    severity="medium",
    description="A provider that names no account takes that of whatever credentials are at hand: with "
    "the wrong shell dev's program changes prod. One that names it refuses.",
    remediation="Set allowedAccountIds of the aws provider (or assumeRoles, whose ARN names the account), "
    "and project of the gcp provider.",
    frameworks=("NIST 800-53 CM-5", "NIST 800-53 AC-4", "SOC 2 CC8.1"),
)


@POLICY.on("pulumi:providers:aws")
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Providers without an account."""
    said = [resource.get(key) for key in ("allowedAccountIds", "assumeRoles", "assumeRole")]
    if any(value is UNKNOWN for value in said):
        yield Undecided("allowedAccountIds")
    elif all(value in (None, "", [], "[]") for value in said):
        yield Finding("allowedAccountIds", "is missing, so that any account's credentials do")


@POLICY.on("pulumi:providers:gcp")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Providers without a project."""
    project = resource.get("project")
    if project is UNKNOWN:
        yield Undecided("project")
    elif not project:
        yield Finding("project", "is missing, so that whatever project is set at hand does")
