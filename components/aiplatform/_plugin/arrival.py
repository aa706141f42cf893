"""Outputs as they arrive over the wire, resolved as far as they are known.

The engine passes outputs of other resources to the plugin after they have settled: with a value, or without
one in a preview. Pulumi's server wraps both in an Output, which no code can look into. Here they keep their
value, so that a list or an object from another component or a stack reference is read like a literal one.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from google.protobuf import struct_pb2
from pulumi import Output, Resource
from pulumi.output import Unknown, contains_unknowns
from pulumi.provider.server import ProviderServicer


@dataclass(frozen=True)
class Arrived:
    """An output that has settled. value: without the parts that are unknown, which are Unknown."""

    value: Any
    secret: bool = False
    resources: frozenset[Resource] = frozenset()

    @property
    def known(self) -> bool:
        """Whether all of it is known."""
        return not contains_unknowns(self.value)

    @property
    def entries(self) -> Any:
        """The entries of a list or object, each with the same dependencies; None for other values."""
        value = cast(object, self.value)
        if isinstance(value, Mapping):
            return {key: self._entry(entry) for key, entry in cast("Mapping[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._entry(entry) for entry in cast("list[Any]", value)]
        return None

    def _entry(self, value: Any) -> "Arrived":
        return Arrived(value, self.secret, self.resources)

    def output(self) -> Output[Any]:
        """Return it as the output that it was."""
        return Output(_done(set(self.resources)), _done(self.value), _done(self.known), _done(self.secret))


def _done(value: Any) -> "asyncio.Future[Any]":
    future: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
    future.set_result(value)
    return future


async def resolved(value: Any) -> Any:
    """Return a value with an Arrived in place of each Output or unknown value in it."""
    if isinstance(value, Output):
        output = cast("Output[Any]", value)
        inner = await output.future(with_unknowns=True)
        known = await output.is_known() or contains_unknowns(inner)
        return Arrived(
            inner if known else Unknown(), await output.is_secret(), frozenset(await output.resources())
        )
    if isinstance(value, Unknown):
        return Arrived(value)
    if isinstance(value, list):
        return [await resolved(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: await resolved(entry) for key, entry in cast("dict[str, Any]", value).items()}
    return value


class Servicer(ProviderServicer):
    """Pulumi's gRPC server of a provider, which resolves outputs before a component is constructed."""

    @staticmethod
    async def _construct_inputs(inputs: struct_pb2.Struct, input_dependencies: Any) -> dict[str, Any]:
        arrived = await ProviderServicer._construct_inputs(inputs, input_dependencies)
        return {key: await resolved(value) for key, value in arrived.items()}
