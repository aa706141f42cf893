"""Systems Manager's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

import re
from typing import Final

from botocore.exceptions import ClientError

from twin.aws.context import AwsContext
from twin.aws.eks.versions import AMI_TYPES, VERSIONS, release_version
from twin.aws.errors import code_of
from twin.aws.functions.base import AwsFunction
from twin.resource import Props

_AL2023: Final = re.compile(
    r"/aws/service/eks/optimized-ami/(?P<version>1\.\d+)/amazon-linux-2023/(?P<architecture>x86_64|arm64)/"
    r"(?P<variant>standard|nvidia|neuron)/recommended/release_version"
)


def published_release(name: str) -> str | None:
    """The image release that a public EKS parameter names, or None for another parameter.

    Names: https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html
    """
    match = _AL2023.fullmatch(name)
    if not match:
        return None
    architecture = "ARM_64" if match["architecture"] == "arm64" else "x86_64"
    kind = f"AL2023_{architecture}_{match['variant'].upper()}"
    if kind not in AMI_TYPES or match["version"] not in VERSIONS:
        return None
    return release_version(match["version"], kind)


class GetParameter(AwsFunction):
    token = "aws:ssm/getParameter:getParameter"
    service = "ssm"
    title = "SSM Parameter"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        decrypt = arguments.get("withDecryption")
        given = {"Name": arguments["name"], "WithDecryption": True if decrypt is None else decrypt}
        try:
            told = context.call("ssm", "GetParameter", given)["Parameter"]
        except ClientError as error:
            # AWS publishes the newest images as parameters; not every API front has all of them.
            release = published_release(arguments["name"]) if code_of(error) == "ParameterNotFound" else None
            if release is None:
                raise
            arn = f"arn:{context.partition}:ssm:{context.region}::parameter{arguments['name']}"
            told = {"Name": arguments["name"], "ARN": arn, "Type": "String", "Value": release, "Version": 1}
        found = {
            "id": told["Name"],
            "name": told["Name"],
            "arn": told["ARN"],
            "type": told["Type"],
            "value": told["Value"],
            "version": told.get("Version", 1),
            "region": context.region,
            "withDecryption": given["WithDecryption"],
        }
        return {**found, **({"insecureValue": told["Value"]} if told["Type"] != "SecureString" else {})}
