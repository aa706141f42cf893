"""Nothing of a program administers an account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each
from ..pack.principals import PROJECT_BINDINGS, Grant, grants
from ..pack.statements import IDENTITY_POLICIES, Statement, identity_statements

POLICY = Policy(
    title="No administrator rights",
    severity="critical",
    description="AWS's policies for administrators and those called FullAccess hold for everything in an "
    "account, and so do administrator roles on a Google Cloud project. A workload with one is "
    "as good as the account's owner for who takes it over.",
    remediation="Write a policy with the actions and resources that are needed, or take a narrower "
    "managed policy; on Google Cloud grant a narrower role, on the resource.",
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


# Service accounts, and the pods and jobs of a workload identity pool that have rights without one.
_WORKLOADS: Final = (
    "serviceAccount:",
    "principal://iam.googleapis.com/projects/",
    "principalSet://iam.googleapis.com/projects/",
)


def _is_too_much(arn: str) -> bool:
    if ":iam::aws:policy/" not in arn:
        return False
    name = arn.partition(":policy/")[2].removeprefix("service-role/").removeprefix("aws-service-role/")
    return name in _ADMINISTRATORS or name.endswith("FullAccess")


def _judged(path: str, arn: Any) -> Iterator[Judgement]:
    if arn is UNKNOWN:
        yield Undecided(path)
    elif isinstance(arn, str) and _is_too_much(arn):
        yield Finding(path, f"attaches {arn.partition(':policy/')[2]!r}")


@POLICY.on(
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "aws:iam/role:Role",
)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Managed policies of AWS that are attached."""
    if resource.get("policyArn") is not None:
        yield from _judged("policyArn", resource.get("policyArn"))
    for key in ("managedPolicyArns", "policyArns"):
        if resource.get(key) is UNKNOWN:
            yield Undecided(key)
        for path, arn in each(resource.get(key), key):
            yield from _judged(path, arn)


@POLICY.on(*IDENTITY_POLICIES)
def on_documents(resource: Resource) -> Iterator[Judgement]:
    """A policy of one's own that is what AdministratorAccess is."""
    for statement in identity_statements(resource):
        if isinstance(statement, Undecided):
            yield statement
        elif _is_everything(statement):
            yield Finding(statement.path, "allows every action on everything, as AdministratorAccess does")


def _is_everything(statement: Statement) -> bool:
    actions = _has(statement, "Action", "*") or _has(statement, "Action", "*:*")
    return statement.allows and not statement.conditions and actions and _has(statement, "Resource", "*")


def _has(statement: Statement, key: str, value: str) -> bool:
    return any(said == value for _, said in statement.listed(key))


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Administrator roles of workloads on a project or above it."""
    for grant in grants(resource):
        if isinstance(grant, Undecided):
            yield grant
        elif grant.role is UNKNOWN:
            yield Undecided(grant.path)
        # The basic roles are told by forbid_wildcard_actions, for whomever.
        elif str(grant.role).lower().endswith("admin") and not grant.conditional:
            yield from _administrators(grant)


def _administrators(grant: Grant) -> Iterator[Judgement]:
    for path, member in grant.members:
        if member is UNKNOWN:
            yield Undecided(path)
        elif isinstance(member, str) and member.startswith(_WORKLOADS) and not _is_google_s(member):
            yield Finding(path, f"makes {member.partition(':')[2]!r} {grant.role!r} of all that there is")


def _is_google_s(member: str) -> bool:
    """Whether it is an agent by which a service of Google acts."""
    return "@gcp-sa-" in member or "-robot.iam.gserviceaccount.com" in member or ".google.com.iam." in member
