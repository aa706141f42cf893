"""What policies are made of: `from ..pack import Finding, Policy, Resource`."""

from .policy import Finding, Judgement, Option, Options, Policy, Undecided
from .resource import Resource, Stack
from .values import UNKNOWN, each, holds_unknown

__all__ = [
    "UNKNOWN",
    "Finding",
    "Judgement",
    "Option",
    "Options",
    "Policy",
    "Resource",
    "Stack",
    "Undecided",
    "each",
    "holds_unknown",
]
