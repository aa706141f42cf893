"""What a policy consists of: its metadata, and the rules that it applies."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar

from .properties import Deferred
from .resource import Resource, Stack

T = TypeVar("T")
P = ParamSpec("P")

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("low", "medium", "high", "critical")
Level = Literal["advisory", "mandatory", "disabled"]
LEVELS: Final[tuple[Level, ...]] = ("advisory", "mandatory", "disabled")
Profile = Literal["dev", "staging", "prod"]
PROFILES: Final[tuple[Profile, ...]] = ("dev", "staging", "prod")

Options = Mapping[str, Any]
"""The configuration of a policy, with its defaults."""


@dataclass(frozen=True)
class Violation:
    """A violation of a policy."""

    path: str
    """The property path, `policy.Statement[0].Action`; empty for the resource as a whole."""
    problem: str
    """What the value is and why that is wrong, in one sentence without its full stop."""
    resource: Resource | None = None
    """The resource, for a rule of the stack. `check_each` sets it."""


Outcome = Violation | Deferred
ResourceRule = Callable[[Resource], Iterator[Outcome]] | Callable[[Resource, Options], Iterator[Outcome]]
StackRule = Callable[[Stack], Iterator[Outcome]] | Callable[[Stack, Options], Iterator[Outcome]]
Rule = Callable[..., Iterator[Outcome]]
"""A rule of either kind, as a function that takes options."""


@dataclass(frozen=True)
class Option:
    """A configuration key of a policy."""

    schema: Mapping[str, Any]
    """Its JSON schema, `{"type": "integer", "minimum": 1}`."""
    default: Any
    """The value where none is configured."""
    meaning: str
    """What it decides, one sentence."""


@dataclass
class Policy:
    """A rule of the platform. Each policy is one file; its path below policies/ is its id."""

    title: str
    """What is required, in a few words: `No wildcard actions`."""
    severity: Severity
    """How severe a violation is."""
    description: str
    """What is required, and why."""
    remediation: str
    """What to change, one or two sentences."""
    frameworks: Sequence[str] = ()
    """The controls that it implements: `NIST 800-53 AC-6`, `CIS EKS 4.1.3`. Only those that really match."""
    options: Mapping[str, Option] = field(default_factory=dict[str, Option])
    """Its configuration keys."""
    levels: Mapping[Profile, Level] = field(default_factory=dict[Profile, Level])
    """Enforcement levels by profile that differ from those of its severity."""
    teardown_exempt: bool = False
    """Whether it is only advisory while an environment's file has `teardown`, because the environment cannot
    be deleted while the policy is satisfied."""
    id: str = ""
    """`identity.forbid_wildcard_actions`; set by `discovery`."""
    resource_rules: list[tuple[tuple[str, ...], Rule]] = field(
        default_factory=list[tuple[tuple[str, ...], Rule]]
    )
    stack_rules: list[Rule] = field(default_factory=list[Rule])

    def on(self, *types: str) -> Callable[[ResourceRule], ResourceRule]:
        """Register the decorated function as a rule for each resource of these types; one that ends with `:`
        or `/` matches all that begin with it (`aws:`). The rule takes the resource, and the options where
        the policy has any."""

        def register(rule: ResourceRule) -> ResourceRule:
            self.resource_rules.append((types, _with_options(rule)))
            return rule

        return register

    def on_stack(self, rule: StackRule) -> StackRule:
        """Register the decorated function as a rule for the whole program."""
        self.stack_rules.append(_with_options(rule))
        return rule


def _with_options(rule: Callable[..., Iterator[Outcome]]) -> Rule:
    """Return the rule as a function that takes options; most take none."""
    if len(inspect.signature(rule).parameters) > 1:
        return rule

    def without_options(subject: Resource | Stack, _options: Options) -> Iterator[Outcome]:
        return rule(subject)

    return without_options


def check_each(
    candidates: Iterable[T | Deferred],
    check: Callable[Concatenate[T, P], Iterable[Outcome]],
    *arguments: P.args,
    **keywords: P.kwargs,
) -> Iterator[Outcome]:
    """Apply a check to each candidate, and yield its outcomes.

    The check of a candidate that meets an unknown value is deferred; the others are still checked. A plain
    `for` loop would end there. A violation by a candidate that is a resource is a violation of that resource.
    """
    try:
        for candidate in candidates:
            if isinstance(candidate, Deferred):
                yield candidate
                continue
            try:
                for outcome in check(candidate, *arguments, **keywords):
                    yield _attributed(outcome, candidate)
            except Deferred as deferred:
                yield deferred
    except Deferred as deferred:  # of the candidates: the list itself is unknown
        yield deferred


def _attributed(outcome: Outcome, candidate: object) -> Outcome:
    if isinstance(candidate, Resource) and isinstance(outcome, Violation):
        return replace(outcome, resource=outcome.resource or candidate)
    return outcome


def any_of(
    candidates: Iterable[T | Deferred],
    test: Callable[Concatenate[T, P], bool],
    *arguments: P.args,
    **keywords: P.kwargs,
) -> bool:
    """Return whether a test is true for a candidate, whatever is unknown about the others. Raises Deferred
    where it is true for none and unknown for one."""
    first: Deferred | None = None
    try:
        for candidate in candidates:
            try:
                if isinstance(candidate, Deferred):
                    raise candidate
                if test(candidate, *arguments, **keywords):
                    return True
            except Deferred as deferred:
                first = first or deferred
    except Deferred as deferred:
        first = first or deferred
    if first is not None:
        raise first
    return False
