"""Permissions to change or read something name the resources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ..framework import Entry, Outcome, Policy, Resource, Violation, check_each
from ..framework.policy_documents import (
    IDENTITY_POLICIES,
    Statement,
    allowed_statements,
    is_every_action,
    matched_action,
)

POLICY = Policy(
    title="No wildcard resources for writing or for reading data",
    severity="high",
    description="An action that changes something, or that reads data, secrets or keys, is allowed for the "
    "intended buckets, tables, keys and queues. With `*` it applies to every resource of the account, "
    "including future ones. Actions that list and describe may have `*`: many support no resource.",
    remediation="Name the ARNs, or add a condition on the resource's tag or account (aws:ResourceTag/..., "
    "aws:ResourceAccount).",
    frameworks=("NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

# Verbs of actions that read no data.
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
# Exceptions: they read data, secrets or keys, or act as another identity.
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
# Actions that support no resource, by the Service Authorization Reference.
_WITHOUT_RESOURCE: Final = (
    "cloudwatch:putmetricdata",
    "logs:createlogdelivery",
    "logs:deletelogdelivery",
    "logs:putresourcepolicy",
    "logs:updatelogdelivery",
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
# The ARN of everything in which a service stores data. Other ARNs with a wildcard are required by an action
# (EC2's `network-interface/*`), or contain nothing to read (the log groups that are written to).
_EVERYTHING: Final = re.compile(
    r"arn:[^:]*:(s3:::|(kms|secretsmanager|ssm|dynamodb|sqs|sns|kinesis|lambda|rds-db):[^:]*:[^:]*:([a-z-]+[:/])?)"
    r"\*(/\*)?"
)
# identity.scope_impersonation covers these.
_IMPERSONATION: Final = ("iam:passrole", "sts:assumerole")
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


def _writes_or_reads_data(action: Any) -> bool:
    name = str(action).lower()
    if is_every_action(action):
        return False  # identity.forbid_wildcard_actions reports it.
    if matched_action(name, _READS_DATA):
        return True
    if name in _WITHOUT_RESOURCE or name in _IMPERSONATION:
        return False
    return ":" in name and not name.partition(":")[2].startswith(_HARMLESS)


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Statements that allow more than listing on `*`."""
    yield from check_each(allowed_statements(resource), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    if not statement.is_limited_by(*_ON_RESOURCES):
        actions = [entry.body for entry in statement.strings("Action") if _writes_or_reads_data(entry.body)]
        yield from check_each(statement.entries("Resource"), _check_resource, statement, actions)


def _check_resource(entry: Entry, statement: Statement, actions: list[str]) -> Iterator[Outcome]:
    if not actions:
        statement.fully_known("Action")
        return
    arn = str(entry.known())
    if arn == "*" or _EVERYTHING.fullmatch(arn):
        statement.require_known_conditions()
        more = f" and {len(actions) - 1} more" if len(actions) > 1 else ""
        yield Violation(entry.path, f"allows {actions[0]!r}{more} on {arn!r}, every one of the account")
