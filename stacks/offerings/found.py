"""A problem that only the cloud can tell, by the key of the environment file."""

from __future__ import annotations

from aiplatform._shared.args import ArgumentError
from stacks import judgement

Found = tuple[str, str]
"""The dotted key of the environment file, and what is wrong with it."""


def placed(topic: str, error: ArgumentError) -> list[Found]:
    """A component's problems by the keys that caused them."""
    return [(judgement.key_of(topic, problem.path), problem.reason) for problem in error.problems]
