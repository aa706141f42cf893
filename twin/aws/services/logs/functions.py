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
        found = _groups(context, arguments.get("logGroupNamePrefix"))
        return {
            "id": context.region,
            "arns": [each["arn"].removesuffix(":*") for each in found],
            "logGroupNames": [each["logGroupName"] for each in found],
            "region": context.region,
        }


class GetLogGroup(AwsFunction):
    token = "aws:cloudwatch/getLogGroup:getLogGroup"
    service = "logs"
    title = "CloudWatch Logs Log Group"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name = arguments["name"]
        found = next((each for each in _groups(context, name) if each["logGroupName"] == name), None)
        if found is None:
            raise CloudError(f"reading CloudWatch Logs Log Group ({name}): couldn't find resource")
        arn = found["arn"].removesuffix(":*")
        tags = context.call("logs", "ListTagsForResource", {"resourceArn": arn}).get("tags", {})
        return {
            "id": name,
            "arn": arn,
            "creationTime": found["creationTime"],
            "deletionProtectionEnabled": bool(found.get("deletionProtectionEnabled", False)),
            "kmsKeyId": found.get("kmsKeyId", ""),
            "logGroupClass": found.get("logGroupClass", "STANDARD"),
            "region": context.region,
            "retentionInDays": found.get("retentionInDays", 0),
            "tags": tags,
        }


def _groups(context: AwsContext, prefix: str | None) -> list[dict[str, Any]]:
    params: Props = {"logGroupNamePrefix": prefix} if prefix else {}
    found: list[dict[str, Any]] = []
    while True:
        answer = context.call("logs", "DescribeLogGroups", params)
        found += answer["logGroups"]
        if not answer.get("nextToken"):
            return found
        params["nextToken"] = answer["nextToken"]
