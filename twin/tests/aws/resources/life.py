"""What every resource type must do: made, read again, changed and deleted."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from twin.aws.context import AwsContext
from twin.aws.resources.base import AwsResource
from twin.aws.resources.table import table
from twin.provider_interface import Props

_intents = itertools.count()


@dataclass
class Made:
    """A resource that a test made."""

    kind: AwsResource
    context: AwsContext
    id: str
    inputs: Props
    outputs: Props

    def read(self) -> Props | None:
        """What a refresh reads."""
        return self.kind.read(self.context, self.id, self.outputs)

    def update(self, **changes: Any) -> Props:
        """Change inputs; None takes one away."""
        wanted = {**self.inputs, **changes}
        self.inputs = {name: value for name, value in wanted.items() if value is not None}
        self.outputs = self.kind.update(self.context, self.id, self.outputs, self.inputs)
        return self.outputs

    def delete(self) -> None:
        """Delete it."""
        self.kind.delete(self.context, self.id, self.outputs)


def make(context: AwsContext, token: str, **inputs: Any) -> Made:
    """Check and create, as the core does."""
    kind = table()[token]
    arguments = {**kind.defaults, **inputs}
    failures = kind.check(context, arguments)
    assert not failures, f"{token} refuses inputs that AWS takes: {failures}"
    under = context.with_intent(f"test-{next(_intents)}")
    id, outputs = kind.create(under, arguments)
    resource = Made(kind, under, id, arguments, outputs)
    assert resource.read() == outputs, "a refresh right after a create must find nothing new"
    return resource


def refused(context: AwsContext, token: str, **inputs: Any) -> dict[str, str]:
    """The failures of Check by path."""
    kind = table()[token]
    return {failure.path: failure.reason for failure in kind.check(context, {**kind.defaults, **inputs})}
