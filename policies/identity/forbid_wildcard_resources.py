"""Rights to change or read something name the thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import narrowing
from ..pack.statements import IDENTITY_POLICIES, Statement, identity_statements, is_every_action, stands_for

POLICY = Policy(
    title="No wildcard resources for what changes or reads data",
    severity="high",
    description="An action that changes something, or that reads data, secrets or keys, is given for the "
    "buckets, tables, keys and queues that are meant. On `*` it holds for all of the account, "
    "also for what comes later. Actions that list and describe may stand with `*`: many know "
    "no resource.",
    remediation="Name the ARNs, or add a condition on the resource's tag or account (aws:ResourceTag/..., "
    "aws:ResourceAccount).",
    frameworks=("NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

# What reads no data by its verb.
_HARMLESS: Final = (
    "get",
    "list",
    "describe",
    "batchget",
    "search",
    "lookup",
    "view",
    "query",
    "scan",
    "head",
)
# What does so all the same: it reads data, secrets or keys, or acts as another.
_READS_DATA: Final = (
    "s3:getobject",
    "s3:getobjectversion",
    "secretsmanager:getsecretvalue",
    "secretsmanager:batchgetsecretvalue",
    "ssm:getparameter",
    "ssm:getparameters",
    "ssm:getparametersbypath",
    "dynamodb:getitem",
    "dynamodb:batchgetitem",
    "dynamodb:query",
    "dynamodb:scan",
    "kinesis:getrecords",
    "rds-db:connect",
)
# What knows no resource, by the Service Authorization Reference.
_WITHOUT_RESOURCE: Final = (
    "cloudwatch:putmetricdata",
    "xray:puttelemetryrecords",
    "xray:puttracesegments",
    "ec2:createtags",
    "sts:getcalleridentity",
    "ssmmessages:createcontrolchannel",
    "ssmmessages:createdatachannel",
    "ssmmessages:opencontrolchannel",
    "ssmmessages:opendatachannel",
    "ec2messages:acknowledgemessage",
    "ec2messages:deletemessage",
    "ec2messages:failmessage",
    "ec2messages:sendreply",
    "ssm:updateinstanceinformation",
    "ssm:putcomplianceitems",
    "ssm:putinventory",
    "ssm:putconfigurepackageresult",
)
# The ARN of all that a service holds data in. Others have forms that an action asks for (EC2's
# `network-interface/*`), or hold nothing to read (the log groups that are written to).
_EVERYTHING: Final = re.compile(
    r"arn:[^:]*:(s3:::|(kms|secretsmanager|ssm|dynamodb|sqs|sns|kinesis|lambda|rds-db):[^:]*:[^:]*:([a-z-]+[:/])?)"
    r"\*(/\*)?"
)
# Who becomes whom is for another policy.
_JUDGED_ELSEWHERE: Final = ("iam:passrole", "sts:assumerole")
_ON_RESOURCES: Final = (
    "aws:resourcetag/",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:requesttag/",
    "ec2:resourcetag/",
    "ec2:subnet",
    "ec2:vpc",
    "ecs:cluster",
    "eks:clusterid",
    "kms:viaservice",
    "kms:resourcealiases",
    "secretsmanager:resourcetag/",
    "cloudwatch:namespace",
)


def _counts(action: Any) -> bool:
    name = str(action).lower()
    if is_every_action(action):
        return False  # Told by forbid_wildcard_actions.
    if stands_for(name, _READS_DATA):
        return True
    if name in _WITHOUT_RESOURCE or name in _JUDGED_ELSEWHERE:
        return False
    return ":" in name and not name.partition(":")[2].startswith(_HARMLESS)


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Statements that allow more than listing on `*`."""
    for statement in identity_statements(resource):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows:
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    actions = [
        action for _, action in statement.listed("Action") if action is not UNKNOWN and _counts(action)
    ]
    if not actions or any(True for _ in narrowing(statement, *_ON_RESOURCES)):
        return
    for path, said in statement.listed("Resource"):
        if isinstance(said, str) and (said == "*" or _EVERYTHING.fullmatch(said)):
            more = f" and {len(actions) - 1} more" if len(actions) > 1 else ""
            yield Finding(path, f"allows {actions[0]!r}{more} on {said!r}, all that the account has")
