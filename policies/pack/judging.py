"""Applying the policies to resources and stacks."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .policy import Finding, Judgement, Level, Options, Policy, Profile, Rule, Undecided
from .resource import Resource, Stack, matches
from .strictness import Exemption, Strictness


@dataclass(frozen=True)
class Verdict:
    """What a policy says of one resource, and how much it weighs."""

    policy: Policy
    level: Level
    path: str
    problem: str
    urn: str
    name: str
    """The resource's logical name; empty for the stack as a whole."""
    exempt: Exemption | None = None
    """The exemption by which it does not count."""
    failed: bool = False
    """Whether the policy itself failed, and says nothing of the resource."""


@dataclass(frozen=True)
class Judged:
    """All that is said of one resource or stack."""

    verdicts: Sequence[Verdict] = ()
    undecided: Sequence[tuple[Policy, str]] = ()
    """(policy, property path) of what is judged only when it is known."""


@dataclass(frozen=True)
class _InForce:
    policy: Policy
    level: Level
    options: Options


@dataclass(frozen=True)
class Court:
    """The policies of one run, as strict as its profile and its configuration make them. Where these change,
    another court judges."""

    policies: Sequence[Policy]
    strictness: Strictness
    exemptions: Sequence[Exemption] = ()
    profile: Profile = "prod"
    origin: str = "nothing says another"
    """Where the profile comes from."""
    retiring: bool = False
    """Whether the environment is about to go: its file says `teardown`."""
    overrides: Mapping[str, Level] = field(default_factory=dict[str, Level])
    """Policy -> the level that the engine's configuration gives it."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Policy -> the keys that the engine's configuration gives it."""

    def level(self, policy: Policy) -> Level:
        """How strict a policy is here."""
        if policy.id in self.overrides:
            return self.overrides[policy.id]
        level = self.strictness.level(policy, self.profile)
        return "advisory" if self.retiring and policy.retiring and level == "mandatory" else level

    @cached_property
    def disabled(self) -> Sequence[Policy]:
        """The policies that judge nothing here."""
        return [policy for policy in self.policies if self.level(policy) == "disabled"]

    def options_of(self, policy: Policy) -> Options:
        """A policy's configuration here."""
        return {**self.strictness.of(policy, self.profile), **self.options.get(policy.id, {})}

    def judge(self, resource: Resource) -> Judged:
        """Apply every rule for resources of this type."""
        found: list[Verdict] = []
        undecided: list[tuple[Policy, str]] = []
        for each, rule in self._rules(resource.type):
            self._collect(each, rule, resource, found, undecided)
        return Judged(found, undecided)

    def judge_stack(self, stack: Stack) -> Judged:
        """Apply every rule for the whole of a program."""
        found: list[Verdict] = []
        undecided: list[tuple[Policy, str]] = []
        for each in self._in_force:
            for rule in each.policy.stack_rules:
                self._collect(each, rule, stack, found, undecided)
        return Judged(found, undecided)

    @cached_property
    def _in_force(self) -> Sequence[_InForce]:
        judging = [_InForce(each, self.level(each), self.options_of(each)) for each in self.policies]
        return [each for each in judging if each.level != "disabled"]

    @cached_property
    def _by_type(self) -> dict[str, Sequence[tuple[_InForce, Rule]]]:
        return {}

    def _rules(self, token: str) -> Sequence[tuple[_InForce, Rule]]:
        """The rules for a type; looked up once, as a program has hundreds of resources of few types."""
        if token not in self._by_type:
            self._by_type[token] = [
                (each, rule)
                for each in self._in_force
                for types, rule in each.policy.resource_rules
                if matches(token, types)
            ]
        return self._by_type[token]

    def _collect(
        self,
        judging: _InForce,
        rule: Rule,
        subject: Resource | Stack,
        found: list[Verdict],
        undecided: list[tuple[Policy, str]],
    ) -> None:
        policy = judging.policy
        try:
            for judgement in _asked(rule, subject, judging.options):
                if isinstance(judgement, Undecided):
                    undecided.append((policy, judgement.path))
                else:
                    found.append(self._verdict(judging, judgement, subject))
        # Whatever a policy raises is a fault of the policy: told as one, and never taken for a pass.
        except Exception as error:  # noqa: BLE001
            about = subject if isinstance(subject, Resource) else None
            found.append(_failure(policy, error, about))

    def _verdict(self, judging: _InForce, finding: Finding, subject: Resource | Stack) -> Verdict:
        policy = judging.policy
        about = finding.resource or (subject if isinstance(subject, Resource) else None)
        urn, name = (about.urn, about.name) if about else ("", "")
        exempt = next((each for each in self.exemptions if each.covers(policy.id, name, urn)), None)
        return Verdict(policy, judging.level, finding.path, finding.problem, urn, name, exempt)


def _asked(rule: Rule, subject: Resource | Stack, options: Options) -> Iterator[Judgement]:
    answer: Iterable[Judgement] | None = rule(subject, options)
    yield from answer or ()


def _failure(policy: Policy, error: Exception, about: Resource | None) -> Verdict:
    urn, name = (about.urn, about.name) if about else ("", "")
    # The last line that is the policy's own, not a helper's.
    own = [each for each in traceback.extract_tb(error.__traceback__) if policy.id.endswith(_stem(each))]
    line = f" (line {own[-1].lineno} of {policy.id.replace('.', '/')}.py)" if own else ""
    told = f"the policy itself failed: {type(error).__name__}: {error}{line}"
    return Verdict(policy, "mandatory", "", told, urn, name, failed=True)


def _stem(frame: traceback.FrameSummary) -> str:
    return f".{Path(frame.filename).stem}"
