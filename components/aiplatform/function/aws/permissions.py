"""What a function may do, as statements of its role's policy."""

from collections.abc import Iterator, Sequence
from typing import Any

from pulumi import Output

from aiplatform._shared.aws.policy_documents import Statement, allow
from aiplatform.function.args import FunctionSettings
from aiplatform.function.aws.context import Context
from aiplatform.function.sources import FunctionObjects

_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda needs in a VPC ("Giving Lambda functions access to resources in an Amazon VPC")."""


def statements(context: Context, key: Any) -> Output[list[Statement]]:
    """Return the statements. key: the arn of the function's key, or None."""
    settings = context.settings
    entries = [*settings.reads, *settings.writes]
    return Output.all(
        key,
        *(settings.bucket(entry) for entry in entries),
        *(entry.kms_key for entry in entries),
    ).apply(lambda known: [*_statements(context, known[0], _objects(context, settings, known[1:]))])


def _objects(
    context: Context, settings: FunctionSettings, known: Sequence[Any]
) -> Iterator[tuple[str, str, str | None]]:
    """Return (`Read` or `Write`, arn of the objects, arn of their key)."""
    entries: list[FunctionObjects] = [*settings.reads, *settings.writes]
    for index, entry in enumerate(entries):
        kind = "Read" if index < len(settings.reads) else "Write"
        arn = f"arn:{context.account.partition}:s3:::{known[index]}/{entry.prefix}*"
        yield kind, arn, known[len(entries) + index]


def _statements(
    context: Context, key: str | None, objects: Iterator[tuple[str, str, str | None]]
) -> Iterator[Statement]:
    settings, account = context.settings, context.account
    group = account.arn("logs", f"log-group:{context.log_group}:*")
    yield allow(["logs:CreateLogStream", "logs:PutLogEvents"], group, sid="WriteLogs")
    if settings.event is not None:
        queue = account.arn("sqs", context.dead_letters)
        yield allow(["sqs:SendMessage"], queue, sid="SendDeadLetters")
    if key is not None:
        yield allow(["kms:Decrypt", "kms:GenerateDataKey"], key, sid="UseKey")
    if settings.tracing:
        # X-Ray has no resources for these ("Actions, resources, and condition keys for AWS X-Ray").
        yield allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*", sid="Trace")
    named = list(objects)
    for kind, action, use in (
        ("Read", "s3:GetObject", ["kms:Decrypt"]),
        ("Write", "s3:PutObject", ["kms:Decrypt", "kms:GenerateDataKey"]),
    ):
        arns = sorted({arn for its, arn, _ in named if its == kind})
        keys = sorted({arn for its, _, arn in named if its == kind and arn is not None})
        if arns:
            yield allow([action], arns, sid=f"{kind}Objects")
        if keys:
            yield allow(use, keys, context.via_service("s3"), sid=f"{kind}ByKey")
    if settings.network is not None:
        yield allow(_INTERFACES, "*", sid="Interfaces")
        # Lambda needs them to start the function; its code does not.
        yield {
            "Sid": "InterfacesByLambdaAlone",
            "Effect": "Deny",
            "Action": list(_INTERFACES),
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": [context.function_arn]}},
        }
