"""Order that no property tells."""

import asyncio
from typing import Any, TypeVar, cast

import pulumi
from pulumi import Input, Output

T = TypeVar("T")


def waiting_for(value: Input[Any]) -> Output[list[pulumi.Resource]]:
    """For `depends_on`: to come after all that a value comes from, by no property of one's own. What is
    replaced takes along whoever has a property of it, and leaves who merely waits."""
    return Output.from_input(value).apply(lambda _: [])


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
