"""A function of the AWS provider, and the table of all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from twin.aws import services
from twin.aws.api_server.errors import cloud_error
from twin.aws.context import AwsContext
from twin.core import registry
from twin.core.normalization import without_none
from twin.provider_interface import CloudError, Context, FunctionType, Props


class AwsFunction(FunctionType):
    """One function. `answer` makes its calls; errors become the provider's words."""

    service: ClassVar[str] = "ec2"
    title: ClassVar[str]
    """As the provider's errors call it (`EC2 Availability Zones`)."""

    def invoke(self, context: Context, arguments: Props) -> Props:
        assert isinstance(context, AwsContext)  # noqa: S101 - reports the type checker
        context = context.in_region(arguments.get("region"))
        try:
            answer = self.answer(context, arguments)
        except (ClientError, BotoCoreError) as error:
            raise cloud_error(f"reading {self.title}", self.service, error) from error
        return {**without_none(arguments), **answer}

    @abstractmethod
    def answer(self, context: AwsContext, arguments: Props) -> Props:
        """The results next to the arguments, which are part of every result."""

    def only(self, matches: Sequence[Any], what: str) -> Any:
        """The one match; none or several are errors, in the provider's words."""
        if not matches:
            raise CloudError(f"no matching {what} found")
        if len(matches) > 1:
            raise CloudError(
                f"multiple {what}s matched; use additional constraints to reduce matches to a single {what}"
            )
        return matches[0]


def filters(arguments: Props, **also: Any) -> list[Props]:
    """EC2's filters from a function's `filters`, `tags` and named arguments."""
    filters: list[Props] = [
        {"Name": filter_["name"], "Values": list(filter_["values"])}
        for filter_ in arguments.get("filters") or []
    ]
    filters += [
        {"Name": f"tag:{key}", "Values": [value]} for key, value in (arguments.get("tags") or {}).items()
    ]
    filters += [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in also.items() if value]
    return filters


@cache
def table() -> dict[str, AwsFunction]:
    """All functions by token; one in any service's folder is found."""
    for _ in services.modules("functions"):
        pass
    return registry.by_token(AwsFunction)
