"""Secrets Manager's functions."""

# ruff: noqa: S105 - a token names a function

from __future__ import annotations

from typing import Final

from twin.aws.context import AwsContext
from twin.aws.resources.fields import pascal, to_api
from twin.aws.resources.function import AwsFunction
from twin.provider_interface import Props

_ARGUMENTS: Final = {
    **pascal("passwordLength", "excludeCharacters", "excludeNumbers", "excludePunctuation"),
    **pascal("excludeUppercase", "excludeLowercase", "includeSpace", "requireEachIncludedType"),
}


class GetRandomPassword(AwsFunction):
    """Another password each time that it is asked: who keeps it, keeps it from changing."""

    token = "aws:secretsmanager/getRandomPassword:getRandomPassword"
    service = "secretsmanager"
    title = "Secrets Manager Random Password"

    def answer(self, context: AwsContext, arguments: Props) -> Props:
        params = to_api(_ARGUMENTS, arguments)
        reported = context.call("secretsmanager", "GetRandomPassword", params)["RandomPassword"]
        outputs = {name: arguments[name] for name in _ARGUMENTS if arguments.get(name) is not None}
        return {**outputs, "id": reported, "randomPassword": reported, "region": context.region}
