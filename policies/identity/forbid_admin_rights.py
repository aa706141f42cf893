"""Nothing of a program administers an account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided, each
from ..pack.principals import PROJECT_BINDINGS, members

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
        for path, arn in each(resource.get(key), key):
            yield from _judged(path, arn)


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Administrator roles of service accounts on a project or above it."""
    role = resource.get("role")
    if role is UNKNOWN:
        yield Undecided("role")
        return
    # The basic roles are told by forbid_wildcard_actions, for whomever.
    if not isinstance(role, str) or not role.lower().endswith("admin") or resource.get("condition"):
        return
    for path, member in members(resource):
        if member is UNKNOWN:
            yield Undecided(path)
        elif isinstance(member, str) and member.startswith("serviceAccount:") and not _is_google_s(member):
            yield Finding(path, f"makes {member.partition(':')[2]!r} {role!r} of all that there is")


def _is_google_s(member: str) -> bool:
    """Whether it is an agent by which a service of Google acts."""
    return "@gcp-sa-" in member or "-robot.iam.gserviceaccount.com" in member or ".google.com.iam." in member
