"""The cloud refuses to delete a database or a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.deletion import GUARDS, guarded

POLICY = Policy(
    title="Deletion protection is on",
    severity="high",
    description="Pulumi's `protect` stops Pulumi alone. The cloud's own protection stops a console, a script "
    "and the replacement that a changed property asks for. While an environment's file says `teardown`, it "
    "is told and stops nothing.",
    remediation="Set `deletionProtection` (DynamoDB: `deletionProtectionEnabled`, Cloud SQL: "
    "`settings.deletionProtectionEnabled`, Firestore: `deleteProtectionState`).",
    frameworks=("NIST 800-53 CP-9", "SOC 2 A1.2"),
    levels={"dev": "disabled", "staging": "disabled"},
    retiring=True,
)


@POLICY.on(*GUARDS)
def rule(resource: Resource) -> Iterator[Judgement]:
    """What the cloud lets anybody delete."""
    path, on = GUARDS[resource.type][0], guarded(resource)
    if on is UNKNOWN:
        yield Undecided(path)
    elif not on:
        yield Finding(path, f"is {resource.get(path) or 'off'!r}: one call deletes it")
