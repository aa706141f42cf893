"""A program runs only in the account that it is for."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation

POLICY = Policy(
    title="Providers name their account",
    severity="medium",
    description="A provider that names no account uses that of the current credentials: in the wrong shell, "
    "the program of dev changes prod. A provider that names its account refuses other credentials.",
    remediation="Set allowedAccountIds of the aws provider (or assumeRoles, whose ARN names the account), "
    "and project of the gcp provider.",
    frameworks=("NIST 800-53 CM-5", "NIST 800-53 AC-4", "SOC 2 CC8.1"),
)


@POLICY.on("pulumi:providers:aws")
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Providers without an account."""
    keys = ("allowedAccountIds", "assumeRoles", "assumeRole")
    if all(resource.known(key) in (None, "", [], "[]") for key in keys):
        yield Violation("allowedAccountIds", "is not set, so that the credentials of any account are used")


@POLICY.on("pulumi:providers:gcp")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Providers without a project."""
    if not resource.known("project"):
        yield Violation("project", "is not set, so that the project of the current credentials is used")
