"""A service acts for its own account alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import RESOURCE_POLICIES, is_undecided, narrowing, principals
from ..pack.statements import Statement, statements

POLICY = Policy(
    title="Services act for the own account alone",
    severity="high",
    description="A service that may become a role, write to a bucket or call a function does so for "
    "whoever asks it, also in another account, unless a condition says for whom: the confused "
    "deputy. Only services of which AWS documents that they send the source are asked for it.",
    remediation="Add a condition on aws:SourceAccount or aws:SourceArn (aws:SourceOrgID for an "
    "organization); on a Lambda permission set sourceAccount or sourceArn.",
    frameworks=("NIST 800-53 AC-3", "NIST 800-53 AC-6", "SOC 2 CC6.1"),
)

# Of roles: services whose guides have these keys in the trust policy ("Cross-service confused deputy
# prevention"). EC2 and Lambda take a role of their own account by iam:PassRole, and send no source.
_BECOME_ROLES: Final = (
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
# Of queues, topics and buckets: services that write there for a resource of somebody's.
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
_WRITTEN: Final = tuple(
    each for each in RESOURCE_POLICIES if each.startswith(("aws:s3/bucket", "aws:sqs/", "aws:sns/"))
)


@POLICY.on("aws:iam/role:Role")
def on_roles(resource: Resource) -> Iterator[Judgement]:
    """Roles that a service becomes for anybody."""
    for statement in statements(resource, "assumeRolePolicy"):
        yield from _judged(statement, _BECOME_ROLES, "becomes this role")


@POLICY.on(*_WRITTEN)
def on_resources(resource: Resource) -> Iterator[Judgement]:
    """Queues, topics and buckets that a service writes to for anybody."""
    for statement in statements(resource, RESOURCE_POLICIES[resource.type]):
        yield from _judged(statement, _WRITE, "comes here")


def _judged(statement: Statement | Undecided, services: tuple[str, ...], does: str) -> Iterator[Judgement]:
    if isinstance(statement, Undecided):
        yield statement
        return
    if not statement.allows or any(True for _ in narrowing(statement, *_SOURCES)):
        return
    for path, kind, service in principals(statement):
        if kind == "Service" and service in services:
            if is_undecided(statement):
                yield Undecided(f"{statement.path}.Condition")
            else:
                yield Finding(path, f"{service!r} {does} for whoever asks it, in any account")


@POLICY.on("aws:lambda/permission:Permission")
def on_functions(resource: Resource) -> Iterator[Judgement]:
    """Functions that a service calls for anybody."""
    principal = resource.get("principal")
    if principal is UNKNOWN:
        yield Undecided("principal")
    elif str(principal).endswith(".amazonaws.com"):
        sources = [resource.get(key) for key in ("sourceAccount", "sourceArn", "principalOrgId")]
        if all(source is None for source in sources):
            yield Finding(
                "sourceArn", f"is missing, so that {principal!r} calls the function for whoever asks it"
            )
