"""CloudWatch Logs' functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.provider_interface import CloudError, Props


class GetLogGroups(AwsFunction):
    token = "aws:cloudwatch/getLogGroups:getLogGroups"
    service = "logs"
    title = "CloudWatch Logs Log Groups"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        groups = _groups(context, arguments.get("logGroupNamePrefix"))
        return {
            "id": context.region,
            "arns": [group["arn"].removesuffix(":*") for group in groups],
            "logGroupNames": [group["logGroupName"] for group in groups],
            "region": context.region,
        }


class GetLogGroup(AwsFunction):
    token = "aws:cloudwatch/getLogGroup:getLogGroup"
    service = "logs"
    title = "CloudWatch Logs Log Group"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["name"]
        group = next((item for item in _groups(context, name) if item["logGroupName"] == name), None)
        if group is None:
            raise CloudError(f"reading CloudWatch Logs Log Group ({name}): couldn't find resource")
        arn = group["arn"].removesuffix(":*")
        tags = context.call("logs", "ListTagsForResource", {"resourceArn": arn}).get("tags", {})
        return {
            "id": name,
            "arn": arn,
            "creationTime": group["creationTime"],
            "deletionProtectionEnabled": bool(group.get("deletionProtectionEnabled", False)),
            "kmsKeyId": group.get("kmsKeyId", ""),
            "logGroupClass": group.get("logGroupClass", "STANDARD"),
            "region": context.region,
            "retentionInDays": group.get("retentionInDays", 0),
            "tags": tags,
        }


def _groups(context: AwsContext, prefix: str | None) -> list[dict[str, Any]]:
    params: Props = {"logGroupNamePrefix": prefix} if prefix else {}
    return context.pages("logs", "DescribeLogGroups", params, "logGroups")
