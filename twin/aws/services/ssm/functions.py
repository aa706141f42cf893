"""Systems Manager's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.provider_interface import Props


class GetParameter(AwsFunction):
    token = "aws:ssm/getParameter:getParameter"
    service = "ssm"
    title = "SSM Parameter"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        decrypt = arguments.get("withDecryption")
        params = {"Name": arguments["name"], "WithDecryption": True if decrypt is None else decrypt}
        reported = context.call("ssm", "GetParameter", params)["Parameter"]
        outputs = {
            "id": reported["Name"],
            "name": reported["Name"],
            "arn": reported["ARN"],
            "type": reported["Type"],
            "value": reported["Value"],
            "version": reported.get("Version", 1),
            "region": context.region,
            "withDecryption": params["WithDecryption"],
        }
        return {
            **outputs,
            **({"insecureValue": reported["Value"]} if reported["Type"] != "SecureString" else {}),
        }
