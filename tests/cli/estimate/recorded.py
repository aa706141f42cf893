"""The estimates of the environments, from what their program registers in tests."""

from __future__ import annotations

from functools import cache

from cli.estimate import estimate, table
from cli.estimate.resources import Resource
from cli.estimate.usage import Usage
from tests.components.recording import Registered
from tests.stacks.environments import built, settings_of


def resource(registered: Registered) -> Resource:
    """Return a registration as a preview has it."""
    return Resource(registered.urn, registered.type, registered.name, registered.parent, registered.inputs)


@cache
def estimated(stack: str) -> estimate.Estimate:
    """Return the estimate of an environment by list prices."""
    environment = settings_of(stack).environment
    return estimate.make(
        stack,
        environment.region,
        map(resource, built(stack).recording.resources),
        table.load(environment.cloud),
        Usage(environment.profile),
    )
