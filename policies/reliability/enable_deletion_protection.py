"""The cloud refuses to delete a database or a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Outcome, Policy, Resource, Violation
from ..framework.deletion_protection import PROTECTION, is_protected

POLICY = Policy(
    title="Deletion protection is on",
    severity="high",
    description="Pulumi's `protect` applies only to Pulumi. The cloud's own protection also applies to the "
    "console, to scripts and to the replacement that a changed property requires. While an environment's "
    "file has `teardown`, this policy is advisory.",
    remediation="Set `deletionProtection` (DynamoDB: `deletionProtectionEnabled`, Cloud SQL: "
    "`settings.deletionProtectionEnabled`, Firestore: `deleteProtectionState`).",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    levels={"dev": "disabled", "staging": "disabled"},
    teardown_exempt=True,
)


@POLICY.on(*PROTECTION)
def rule(resource: Resource) -> Iterator[Outcome]:
    """Resources that one call deletes."""
    path = PROTECTION[resource.type][0]
    if not is_protected(resource):
        yield Violation(path, f"is {resource.known(path) or 'off'!r}: one call deletes it")
