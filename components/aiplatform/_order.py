"""Order that no property tells."""

import asyncio
from typing import TypeVar, cast

import pulumi
from pulumi import Output

T = TypeVar("T")


def after(value: Output[T], *resources: pulumi.Resource) -> Output[T]:
    """The same value, for those that must come after `resources`: whoever takes it is made once they are
    there, and is gone before they go.

    Output.all would say as much, but in a preview the value would be unknown whenever one of them is new, and
    a new route would look like the replacement of every node group.
    """

    async def all_resources() -> set[pulumi.Resource]:
        return {*await value.resources(), *resources}

    async def same() -> T:
        return cast(T, await value.future(with_unknowns=True))

    return Output(
        asyncio.ensure_future(all_resources()),
        asyncio.ensure_future(same()),
        value.is_known(),
        value.is_secret(),
    )
