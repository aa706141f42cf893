"""Nobody gives rights to himself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each
from ..pack.principals import PROJECT_BINDINGS, grants, narrowing
from ..pack.statements import IDENTITY_POLICIES, Statement, identity_statements, stands_for

POLICY = Policy(
    title="No right to give oneself rights",
    severity="critical",
    description="Who may change policies, trust or keys of others may do everything, whatever else its "
    "own policy says. Only what deploys the platform needs that, under a permissions "
    "boundary.",
    remediation="Take the action out, or add a condition on iam:PermissionsBoundary; on Google Cloud "
    "leave changing bindings to the deployer.",
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


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Statements that allow changing rights."""
    for statement in identity_statements(resource):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows and not any(True for _ in narrowing(statement, "iam:permissionsboundary")):
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    for path, action in statement.listed("Action"):
        # `*` of all services is told by forbid_wildcard_actions.
        if isinstance(action, str) and action != "*" and stands_for(action, _AWS):
            yield Finding(path, f"allows {action!r}, by which whoever has it gets every other right")


@POLICY.on("gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole")
def on_roles(resource: Resource) -> Iterator[Judgement]:
    """Roles of one's own with such a permission."""
    if resource.get("permissions") is UNKNOWN:
        yield Undecided("permissions")
    for path, permission in each(resource.get("permissions"), "permissions"):
        if permission is UNKNOWN:
            yield Undecided(path)
        elif permission in _GOOGLE_PERMISSIONS:
            yield Finding(path, f"has {permission!r}, by which whoever has it gets every other right")


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Predefined roles that change bindings."""
    for grant in grants(resource):
        if isinstance(grant, Undecided):
            yield grant
        elif grant.role is UNKNOWN:
            yield Undecided(grant.path)
        elif grant.role in _GOOGLE_ROLES and not grant.conditional:
            yield Finding(grant.path, f"gives {grant.role!r}, by which whoever has it gets every other right")
