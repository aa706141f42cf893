"""Services act only for resources of the account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.policy_documents import RESOURCE_POLICIES, Principal, Statement, allowed_statements

POLICY = Policy(
    title="Services act only for the account",
    severity="high",
    description="A service that may assume a role, write to a bucket or call a function does so for every "
    "caller, including other accounts, unless a condition names the source (the confused deputy problem). "
    "This applies only to services for which AWS documents that they send the source.",
    remediation="Add a condition on aws:SourceAccount or aws:SourceArn (aws:SourceOrgID for an "
    "organization); on a Lambda permission set sourceAccount or sourceArn.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 AC-6", "SOC 2 CC6.1"),
)

# Services whose guides have these keys in the trust policy of a role ("Cross-service confused deputy
# prevention"). EC2 and Lambda use a role of their account by iam:PassRole, and send no source.
_ASSUME_ROLES: Final = (
    "bedrock.amazonaws.com",
    "codebuild.amazonaws.com",
    "datasync.amazonaws.com",
    "eks.amazonaws.com",
    "firehose.amazonaws.com",
    "lakeformation.amazonaws.com",
    "logs.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "sagemaker.amazonaws.com",
    "scheduler.amazonaws.com",
    "states.amazonaws.com",
    "transfer.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
# Services that write to queues, topics and buckets for a resource of an account.
_WRITE: Final = (
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "events.amazonaws.com",
    "logging.s3.amazonaws.com",
    "s3.amazonaws.com",
    "ses.amazonaws.com",
    "sns.amazonaws.com",
)
_SOURCES: Final = (
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:requesttag/",
    "sts:externalid",
)
_WRITTEN: Final[Mapping[str, str]] = {
    token: path
    for token, path in RESOURCE_POLICIES.items()
    if token.startswith(("aws:s3/bucket", "aws:sqs/", "aws:sns/"))
}


@POLICY.on("aws:iam/role:Role")
def on_roles(resource: Resource) -> Iterator[Outcome]:
    """Roles that a service assumes for every account."""
    documents = allowed_statements(resource, "assumeRolePolicy")
    yield from check_each(documents, _check_statement, _ASSUME_ROLES, "assumes this role")


@POLICY.on(*_WRITTEN)
def on_resources(resource: Resource) -> Iterator[Outcome]:
    """Queues, topics and buckets that a service writes to for every account."""
    documents = allowed_statements(resource, _WRITTEN[resource.type])
    yield from check_each(documents, _check_statement, _WRITE, "writes here")


def _check_statement(statement: Statement, services: tuple[str, ...], does: str) -> Iterator[Outcome]:
    if not statement.is_limited_by(*_SOURCES):
        yield from check_each(statement.principals, _check_principal, statement, services, does)


def _check_principal(
    principal: Principal, statement: Statement, services: tuple[str, ...], does: str
) -> Iterator[Outcome]:
    service = Entry(principal.path, principal.value).known()
    if principal.kind == "Service" and service in services:
        statement.require_known_conditions()
        yield Violation(principal.path, f"{service!r} {does} for callers of any account")


@POLICY.on("aws:lambda/permission:Permission")
def on_functions(resource: Resource) -> Iterator[Outcome]:
    """Functions that a service calls for every account."""
    principal = str(resource.known("principal"))
    stated = {
        key for key in ("sourceAccount", "sourceArn", "principalOrgId") if resource.raw(key) is not None
    }
    if principal.endswith(".amazonaws.com") and not stated:
        yield Violation("sourceArn", f"is not set, so that {principal!r} calls the function for any account")
    # A bucket's arn has no account (Lambda, AddPermission: SourceAccount).
    elif principal == "s3.amazonaws.com" and stated == {"sourceArn"}:
        yield Violation(
            "sourceAccount",
            "is not set: a bucket of another account calls the function, once it has this one's name",
        )
