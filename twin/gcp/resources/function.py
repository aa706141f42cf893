"""A function of the Google provider, and the table of all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from twin.checks.sdk import sdk
from twin.core import registry
from twin.gcp import services
from twin.gcp.api_server import discovery
from twin.gcp.apis import APIS
from twin.gcp.context import GcpContext
from twin.gcp.http_client import Refusal
from twin.gcp.resources.fields import Fields, Shape
from twin.gcp.resources.links import last_of
from twin.provider_interface import CloudError, Context, FunctionType, Props


class GcpFunction(FunctionType):
    """One function. `answer` makes its calls; refusals become the provider's words."""

    title: ClassVar[str]
    """As the provider's errors call it (`Project`)."""
    fields: ClassVar[Fields] = {}
    """What differs between the result's properties and the API's fields."""

    def invoke(self, context: Context, arguments: Props) -> Props:
        assert isinstance(context, GcpContext)  # noqa: S101 - states the type checker
        try:
            answer = self.answer(context, arguments)
        except Refusal as error:
            raise CloudError(
                f"Error when reading or editing {self.title}: {error.words}",
                code=error.reason or error.status,
            ) from error
        parameters = {name: value for name, value in arguments.items() if value is not None}
        return {**parameters, **answer}

    @abstractmethod
    def answer(self, context: GcpContext, arguments: Props) -> Props:
        """The results next to the arguments, which are part of every result."""

    def answered(self, api: str, schema: str, item: Props) -> Props:
        """The result's properties that an API's resource states."""
        function = sdk("pulumi_gcp").function(self.token)
        document = discovery.document(api, APIS[api].version)
        shape = Shape(sdk("pulumi_gcp"), document.schemas if document else {}, schema, self.fields)
        return shape.decode(function.result if function else {}, item)


def project(context: GcpContext, arguments: Props) -> str:
    """The project asked for, or the provider's."""
    project = last_of(arguments.get("project")) or context.project
    if not project:
        raise CloudError("project: required field is not set", path="project")
    return str(project)


def region(context: GcpContext, arguments: Props) -> str:
    """The region asked for, or the provider's."""
    region = last_of(arguments.get("region")) or context.region or context.zone.rpartition("-")[0]
    if not region:
        raise CloudError(
            "Cannot determine region: set in this resource, or set provider-level 'region' or 'zone'.",
            path="region",
        )
    return str(region)


def pages(context: GcpContext, method: str, params: Props, key: str = "items") -> Iterator[Props]:
    """Every item of a list."""
    token: Any = None
    while True:
        answer = context.call(method, {**params, "pageToken": token})
        yield from answer.get(key, [])
        token = answer.get("nextPageToken")
        if not token:
            return


@cache
def table() -> dict[str, GcpFunction]:
    """All functions by token; one in any service's folder is found."""
    for _ in services.modules("functions"):
        pass
    return registry.by_token(GcpFunction)
