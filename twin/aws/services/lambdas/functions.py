"""Lambda's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.provider_interface import CloudError, Props


class GetInvocation(AwsFunction):
    """A call each time that it is asked, in a preview too."""

    token = "aws:lambda/getInvocation:getInvocation"
    service = "lambda"
    title = "Lambda Invocation"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        name, qualifier = arguments["functionName"], arguments.get("qualifier") or "$LATEST"
        params: Props = {"FunctionName": name, "Qualifier": qualifier, "Payload": arguments["input"]}
        if arguments.get("tenantId"):
            params["TenantId"] = arguments["tenantId"]
        reported = context.call("lambda", "Invoke", {**params, "InvocationType": "RequestResponse"})
        result = reported["Payload"].read().decode()
        if reported.get("FunctionError"):
            raise CloudError(f"Lambda function ({name}) returned error: ({result})")
        return {
            "id": f"{name}_{qualifier}",
            "qualifier": qualifier,
            "result": result,
            "region": context.region,
        }
