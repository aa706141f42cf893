"""Secrets Manager's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from typing import Final

from twin.aws.context import AwsContext
from twin.aws.resources.function import AwsFunction
from twin.provider_interface import Props

_ARGUMENTS: Final = {
    "passwordLength": "PasswordLength",
    "excludeCharacters": "ExcludeCharacters",
    "excludeNumbers": "ExcludeNumbers",
    "excludePunctuation": "ExcludePunctuation",
    "excludeUppercase": "ExcludeUppercase",
    "excludeLowercase": "ExcludeLowercase",
    "includeSpace": "IncludeSpace",
    "requireEachIncludedType": "RequireEachIncludedType",
}


class GetRandomPassword(AwsFunction):
    """Another password each time that it is asked: who keeps it, keeps it from changing."""

    token = "aws:secretsmanager/getRandomPassword:getRandomPassword"
    service = "secretsmanager"
    title = "Secrets Manager Random Password"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        params = {api: arguments[name] for name, api in _ARGUMENTS.items() if arguments.get(name) is not None}
        reported = context.call("secretsmanager", "GetRandomPassword", params)["RandomPassword"]
        outputs = {name: arguments[name] for name in _ARGUMENTS if arguments.get(name) is not None}
        return {**outputs, "id": reported, "randomPassword": reported, "region": context.region}
