"""What a policy is: its metadata, and the rules that it applies."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .resource import Resource, Stack

Severity = Literal["low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("low", "medium", "high", "critical")
Level = Literal["advisory", "mandatory", "disabled"]
LEVELS: Final[tuple[Level, ...]] = ("advisory", "mandatory", "disabled")
Profile = Literal["dev", "staging", "prod"]
PROFILES: Final[tuple[Profile, ...]] = ("dev", "staging", "prod")

Options = Mapping[str, Any]
"""A policy's own configuration, with its defaults filled in."""


@dataclass(frozen=True)
class Finding:
    """A fault that a policy found."""

    path: str
    """The property path, `policy.Statement[0].Action`; empty for the resource as a whole."""
    problem: str
    """What is there and why it is wrong, in one sentence without its full stop."""
    resource: Resource | None = None
    """Of a stack's policy: the resource that it is about."""


@dataclass(frozen=True)
class Undecided:
    """What a policy cannot judge before something has been made. It is judged at `up`."""

    path: str
    """The property path whose value is not known yet."""


Judgement = Finding | Undecided
ResourceRule = Callable[[Resource], Iterator[Judgement]] | Callable[[Resource, Options], Iterator[Judgement]]
StackRule = Callable[[Stack], Iterator[Judgement]] | Callable[[Stack, Options], Iterator[Judgement]]
Rule = Callable[..., Iterator[Judgement]]
"""Either, as one that takes options, too."""


@dataclass(frozen=True)
class Option:
    """A key of a policy's own configuration."""

    schema: Mapping[str, Any]
    """Its JSON schema, `{"type": "integer", "minimum": 1}`."""
    default: Any
    """What holds where nothing is said."""
    meaning: str
    """What it decides, one sentence."""


@dataclass
class Policy:
    """One rule of the platform. A policy is one file, and its path below policies/ its id."""

    title: str
    """What must hold, in a few words: `No wildcard actions`."""
    severity: Severity
    """How bad it is when it does not hold."""
    description: str
    """What must hold, and why."""
    remediation: str
    """What to change, one or two sentences."""
    frameworks: Sequence[str] = ()
    """Controls that it serves: `NIST 800-53 AC-6`, `CIS EKS 4.1.3`. Only those that really map."""
    options: Mapping[str, Option] = field(default_factory=dict[str, Option])
    """Its own configuration by key."""
    levels: Mapping[Profile, Level] = field(default_factory=dict[Profile, Level])
    """Where it is stricter or milder than its severity makes it in a profile, and only where it must be."""
    retiring: bool = False
    """Whether it is told and stops nothing while an environment's file says `teardown`: who retires it lifts
    what this policy demands."""
    id: str = ""
    """`identity.forbid_wildcard_actions`; given when it is found."""
    resource_rules: list[tuple[tuple[str, ...], Rule]] = field(
        default_factory=list[tuple[tuple[str, ...], Rule]]
    )
    stack_rules: list[Rule] = field(default_factory=list[Rule])

    def on(self, *types: str) -> Callable[[ResourceRule], ResourceRule]:
        """A decorator: judge every resource of these types alone; one that ends with `:` or `/` stands for
        all that begin with it (`aws:`). The rule takes the resource and, where it has options, these."""

        def kept(rule: ResourceRule) -> ResourceRule:
            self.resource_rules.append((types, _with_options(rule)))
            return rule

        return kept

    def on_stack(self, rule: StackRule) -> StackRule:
        """A decorator: judge the whole of a program."""
        self.stack_rules.append(_with_options(rule))
        return rule


def _with_options(rule: Callable[..., Iterator[Judgement]]) -> Callable[..., Iterator[Judgement]]:
    """The rule as one that takes options, too; most have none."""
    if len(inspect.signature(rule).parameters) > 1:
        return rule

    def asked(subject: Resource | Stack, _options: Options) -> Iterator[Judgement]:
        return rule(subject)

    return asked
