"""What a function may do, as statements of its role's policy."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pulumi import Output

from aiplatform._shared.aws.policy_documents import Statement, allow
from aiplatform.function.args import FunctionSettings
from aiplatform.function.aws.context import Context
from aiplatform.function.sources import FunctionObjects

_CREATE: Final = ("ec2:CreateNetworkInterface",)
_CHANGE: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_FIND: Final = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")
"""What Lambda needs in a VPC ("Giving Lambda functions access to resources in an Amazon VPC"): to find
interfaces on all resources, the others on all ids."""


def statements(context: Context, key: Any) -> Output[list[Statement]]:
    """Return the statements. key: the arn of the function's key, or None."""
    settings = context.settings
    entries = [*settings.reads, *settings.writes]
    return Output.all(
        key,
        *(settings.bucket(entry) for entry in entries),
        *(settings.key(entry) for entry in entries),
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
        created = [
            account.arn("ec2", f"{kind}/*") for kind in ("network-interface", "security-group", "subnet")
        ]
        yield allow(_CREATE, created, sid="CreateInterfaces")
        yield allow(_CHANGE, account.arn("ec2", "network-interface/*"), sid="ChangeInterfaces")
        yield allow(_FIND, "*", sid="FindInterfaces")
        # Lambda needs them to start the function; its code does not.
        yield {
            "Sid": "InterfacesByLambdaAlone",
            "Effect": "Deny",
            "Action": [*_CREATE, *_CHANGE, *_FIND],
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": [context.function_arn]}},
        }
