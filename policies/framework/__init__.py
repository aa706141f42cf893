"""The API for policies: `from ..framework import Policy, Resource, Violation`."""

from .policy import Option, Options, Outcome, Policy, Violation, any_of, check_each
from .properties import Deferred, Entry, Properties, describe
from .resource import Resource, Stack
from .values import UNKNOWN, contains_unknown

__all__ = [
    "UNKNOWN",
    "Deferred",
    "Entry",
    "Option",
    "Options",
    "Outcome",
    "Policy",
    "Properties",
    "Resource",
    "Stack",
    "Violation",
    "any_of",
    "check_each",
    "contains_unknown",
    "describe",
]
