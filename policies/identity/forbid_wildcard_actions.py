"""Permissions list the actions that they allow."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.policy_documents import IDENTITY_POLICIES, Statement, allowed_statements, is_every_action

POLICY = Policy(
    title="No wildcard actions",
    severity="high",
    description="An identity gets the actions that it needs, each by its name. `*` and `s3:*` also allow "
    "unintended actions and future ones of the service.",
    remediation="List the actions that the workload calls; CloudTrail or IAM Access Analyzer shows them.",
    frameworks=("CIS AWS 1.16", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Statements that allow `*` or `service:*`."""
    yield from check_each(allowed_statements(resource), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    yield from check_each(statement.entries("Action"), _check_action)


def _check_action(entry: Entry) -> Iterator[Outcome]:
    if is_every_action(entry.known()):
        yield Violation(entry.path, f"allows {entry.known()!r}, every present and future action")
