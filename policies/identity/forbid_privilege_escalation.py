"""No identity can extend its permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.google_bindings import PROJECT_BINDINGS, Grant, grants
from ..framework.policy_documents import IDENTITY_POLICIES, Statement, allowed_statements, matched_action

POLICY = Policy(
    title="No privilege escalation",
    severity="critical",
    description="An identity that can change the policies, the trust or the keys of others can get every "
    "permission, whatever its policy lists. Only the deployment of the platform needs that, under a "
    "permissions boundary.",
    remediation="Remove the action, or add a condition on iam:PermissionsBoundary; on Google Cloud leave "
    "changes of bindings to the deployer.",
    frameworks=("NIST 800-53 AC-6(5)", "NIST 800-53 AC-5", "SOC 2 CC6.3"),
)

_AWS: Final = (
    "iam:addusertogroup",
    "iam:attachgrouppolicy",
    "iam:attachrolepolicy",
    "iam:attachuserpolicy",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:createpolicyversion",
    "iam:deleterolepermissionsboundary",
    "iam:putgrouppolicy",
    "iam:putrolepolicy",
    "iam:putuserpolicy",
    "iam:setdefaultpolicyversion",
    "iam:updateassumerolepolicy",
    "iam:updateloginprofile",
    "iam:*",
)
_GOOGLE_PERMISSIONS: Final = (
    "resourcemanager.projects.setIamPolicy",
    "resourcemanager.folders.setIamPolicy",
    "resourcemanager.organizations.setIamPolicy",
    "iam.roles.update",
    "iam.serviceAccountKeys.create",
    "iam.serviceAccounts.getAccessToken",
    "iam.serviceAccounts.implicitDelegation",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccounts.signBlob",
    "iam.serviceAccounts.signJwt",
)
_GOOGLE_ROLES: Final = (
    "roles/iam.organizationRoleAdmin",
    "roles/iam.roleAdmin",
    "roles/iam.securityAdmin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountKeyAdmin",
    "roles/resourcemanager.folderIamAdmin",
    "roles/resourcemanager.organizationAdmin",
    "roles/resourcemanager.projectIamAdmin",
)
_EVERY: Final = "with which an identity can get every other permission"


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Statements that allow changes of permissions."""
    yield from check_each(allowed_statements(resource), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    if not statement.is_limited_by("iam:permissionsboundary"):
        yield from check_each(statement.entries("Action"), _check_action, statement)


def _check_action(entry: Entry, statement: Statement) -> Iterator[Outcome]:
    action = str(entry.known())
    # identity.forbid_wildcard_actions reports `*` of all services.
    if action != "*" and matched_action(action, _AWS):
        statement.require_known_conditions()
        yield Violation(entry.path, f"allows {action!r}, {_EVERY}")


@POLICY.on("gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole")
def on_roles(resource: Resource) -> Iterator[Outcome]:
    """Custom roles with such a permission."""
    yield from check_each(resource.entries("permissions"), _check_permission)


def _check_permission(entry: Entry) -> Iterator[Outcome]:
    if entry.known() in _GOOGLE_PERMISSIONS:
        yield Violation(entry.path, f"has {entry.known()!r}, {_EVERY}")


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Predefined roles that change bindings."""
    yield from check_each(grants(resource), _check_grant)


def _check_grant(grant: Grant) -> Iterator[Outcome]:
    if grant.role in _GOOGLE_ROLES and not grant.conditional:
        yield Violation(grant.path, f"gives {grant.role!r}, {_EVERY}")
