"""No workload has administrator permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.google_bindings import PROJECT_BINDINGS, Grant, grants
from ..framework.policy_documents import IDENTITY_POLICIES, Statement, allowed_statements

POLICY = Policy(
    title="No administrator permissions",
    severity="critical",
    description="AWS's policies for administrators and its FullAccess policies apply to every resource of "
    "an account, as administrator roles on a Google Cloud project do. A workload with one of them gives the "
    "whole account to an attacker. The basic roles owner and editor are Google Cloud's AdministratorAccess, "
    "for people as well: thousands of permissions in every service.",
    remediation="Write a policy with the required actions and resources, or use a narrower managed policy; "
    "on Google Cloud grant a narrower role, on the resource.",
    frameworks=("CIS AWS 1.16", "CIS GCP 1.5", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_ADMINISTRATORS: Final = (
    "AdministratorAccess",
    "AdministratorAccess-Amplify",
    "AdministratorAccess-AWSElasticBeanstalk",
    "IAMFullAccess",
    "PowerUserAccess",
    "job-function/SystemAdministrator",
    "job-function/DatabaseAdministrator",
    "job-function/NetworkAdministrator",
)
_BASIC: Final = ("roles/owner", "roles/editor", "roles/admin", "roles/writer")
"""The basic roles of Google Cloud that change resources; the last two are the successors of the first."""
# Service accounts, and the pods and jobs of a workload identity pool that have roles without one.
_WORKLOADS: Final = (
    "serviceAccount:",
    "principal://iam.googleapis.com/projects/",
    "principalSet://iam.googleapis.com/projects/",
)


@POLICY.on(
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "aws:iam/role:Role",
)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Attached managed policies of AWS."""
    for key in ("policyArn", "managedPolicyArns", "policyArns"):
        yield from check_each(resource.entries(key), _check_attached)


def _check_attached(entry: Entry) -> Iterator[Outcome]:
    arn = str(entry.known())
    if ":iam::aws:policy/" not in arn:
        return
    path = arn.partition(":policy/")[2]
    name = path.removeprefix("service-role/").removeprefix("aws-service-role/")
    if name in _ADMINISTRATORS or name.endswith("FullAccess"):
        yield Violation(entry.path, f"attaches {path!r}")


@POLICY.on(*IDENTITY_POLICIES)
def on_documents(resource: Resource) -> Iterator[Outcome]:
    """Policies with the permissions of AdministratorAccess."""
    yield from check_each(allowed_statements(resource), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    every_action = any(entry.raw() in ("*", "*:*") for entry in statement.entries("Action"))
    every_resource = any(entry.raw() == "*" for entry in statement.entries("Resource"))
    if every_action and every_resource and not statement.conditions:
        statement.known("Condition")
        yield Violation(statement.path, "allows every action on every resource, as AdministratorAccess does")
    if not statement.conditions:
        if every_action:
            statement.fully_known("Resource")
        elif every_resource:
            statement.fully_known("Action")


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Basic roles, and administrator roles of workloads, on a project, a folder or an organization."""
    yield from check_each(grants(resource), _check_grant)


def _check_grant(grant: Grant) -> Iterator[Outcome]:
    if grant.role in _BASIC:
        problem = (
            f"gives {grant.role!r}, thousands of permissions in every service, as AdministratorAccess does"
        )
        yield Violation(grant.path, problem)
    elif str(grant.role).lower().endswith("admin") and not grant.conditional:
        yield from check_each(grant.members, _check_member, grant)


def _check_member(entry: Entry, grant: Grant) -> Iterator[Outcome]:
    member = str(entry.known())
    if member.startswith(_WORKLOADS) and not _is_service_agent(member):
        yield Violation(entry.path, f"gives {grant.role!r} on every resource to {member.partition(':')[2]!r}")


def _is_service_agent(member: str) -> bool:
    """Return whether a member is the service agent of a Google Cloud service."""
    return "@gcp-sa-" in member or "-robot.iam.gserviceaccount.com" in member or ".google.com.iam." in member
