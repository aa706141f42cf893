"""Permissions to impersonate name the identity."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.google_bindings import PROJECT_BINDINGS, Grant, grants
from ..framework.policy_documents import (
    IDENTITY_POLICIES,
    Statement,
    allowed_statements,
    is_every_action,
    matched_action,
)

POLICY = Policy(
    title="Impersonation names the identity",
    severity="high",
    description="With iam:PassRole or sts:AssumeRole on `*`, or with Google Cloud's token creator or service "
    "account user role on a project, an identity can act as every other one, including the most powerful.",
    remediation="Name the roles (for iam:PassRole also the service, by iam:PassedToService); on Google "
    "Cloud grant the role on the one service account.",
    frameworks=("CIS GCP 1.6", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_ACTIONS = ("iam:passrole", "sts:assumerole")
_ROLES = (
    "roles/iam.serviceAccountUser",
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.workloadIdentityUser",
)


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Statements that allow to pass or assume every role."""
    yield from check_each(allowed_statements(resource), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    if statement.is_limited_by("aws:resourcetag/", "iam:resourcetag/"):
        return
    actions = [
        entry.body
        for entry in statement.strings("Action")
        if not is_every_action(entry.body) and matched_action(entry.body, _ACTIONS)
    ]
    yield from check_each(statement.entries("Resource"), _check_resource, statement, actions)


def _check_resource(entry: Entry, statement: Statement, actions: list[str]) -> Iterator[Outcome]:
    if not actions:
        statement.fully_known("Action")
        return
    arn = str(entry.known())
    if arn == "*" or arn.endswith((":role/*", ":iam::*:*")):
        statement.require_known_conditions()
        yield Violation(entry.path, f"allows {actions[0]!r} on {arn!r}, every role")


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Impersonation of all service accounts of a project."""
    yield from check_each(grants(resource), _check_grant)


def _check_grant(grant: Grant) -> Iterator[Outcome]:
    if grant.role in _ROLES and not grant.conditional:
        yield Violation(grant.path, f"gives {grant.role!r} for every service account of the project")
