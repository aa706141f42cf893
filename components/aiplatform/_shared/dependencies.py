"""Dependencies that no property of a resource expresses."""

import asyncio
from typing import Any, TypeVar, cast

import pulumi
from pulumi import Input, Output

T = TypeVar("T")
Dependency = Input[pulumi.Resource]
"""What a resource can depend on: another one, or an output with the resources that it depends on itself."""


def dependencies_of(value: Input[Any]) -> Output[list[pulumi.Resource]]:
    """Return a value for `depends_on`: the resources that `value` depends on.

    A resource that is replaced also replaces those with a property of it, but not those that only depend on
    it.
    """
    return Output.from_input(value).apply(lambda _: [])


def after(value: Output[T], *resources: Dependency) -> Output[T]:
    """Return the same value with additional dependencies: a resource with it as a property is created after
    `resources` and deleted before them.

    With Output.all the value would be unknown in a preview whenever one of the resources is new, and a new
    route would show as the replacement of every node group.
    """

    async def all_resources() -> set[pulumi.Resource]:
        resolved = {*await value.resources()}
        for resource in resources:
            if isinstance(resource, pulumi.Resource):
                resolved |= {resource}
            else:
                resolved |= await Output.from_input(resource).resources()
        return resolved

    async def same() -> T:
        return cast(T, await value.future(with_unknowns=True))

    return Output(
        asyncio.ensure_future(all_resources()),
        asyncio.ensure_future(same()),
        value.is_known(),
        value.is_secret(),
    )
