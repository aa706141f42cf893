"""Evaluation of policies against resources and stacks."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .enforcement import Enforcement, Exemption
from .policy import Level, Options, Outcome, Policy, Profile, Rule, Violation
from .properties import Deferred
from .resource import Resource, Stack, matches


@dataclass(frozen=True)
class Diagnostic:
    """A violation as it is reported: with its policy, its resource and how it is enforced."""

    policy: Policy
    level: Level
    path: str
    problem: str
    urn: str
    name: str
    """The resource's logical name; empty for the stack as a whole."""
    exempt: Exemption | None = None
    """The exemption by which it is not enforced."""
    failed: bool = False
    """Whether the policy itself failed; then this is no violation of the resource."""


@dataclass(frozen=True)
class Evaluation:
    """The result for one resource or stack."""

    diagnostics: Sequence[Diagnostic] = ()
    deferred: Sequence[tuple[Policy, str]] = ()
    """(policy, property path) of the checks that an unknown value defers to `up`."""


@dataclass(frozen=True)
class _Enabled:
    policy: Policy
    level: Level
    options: Options


@dataclass(frozen=True)
class Evaluator:
    """The policies of a run, with the enforcement of its profile and configuration. Where these change, a new
    evaluator replaces it."""

    policies: Sequence[Policy]
    enforcement: Enforcement
    exemptions: Sequence[Exemption] = ()
    profile: Profile = "prod"
    origin: str = "the default"
    """Where the profile comes from."""
    teardown: bool = False
    """Whether the environment is about to be deleted: its file has `teardown`."""
    overrides: Mapping[str, Level] = field(default_factory=dict[str, Level])
    """Policy -> its level by the engine's configuration."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Policy -> its options by the engine's configuration."""

    def level(self, policy: Policy) -> Level:
        """Return the enforcement level of a policy."""
        if policy.id in self.overrides:
            return self.overrides[policy.id]
        level = self.enforcement.level(policy, self.profile)
        return "advisory" if self.teardown and policy.teardown_exempt and level == "mandatory" else level

    @cached_property
    def disabled(self) -> Sequence[Policy]:
        """The policies that are not evaluated."""
        return [policy for policy in self.policies if self.level(policy) == "disabled"]

    def options_of(self, policy: Policy) -> Options:
        """Return the options of a policy."""
        return {**self.enforcement.options_of(policy, self.profile), **self.options.get(policy.id, {})}

    def evaluate(self, resource: Resource) -> Evaluation:
        """Apply every rule for resources of this type."""
        diagnostics: list[Diagnostic] = []
        deferred: list[tuple[Policy, str]] = []
        for enabled, rule in self._rules(resource.type):
            self._apply(enabled, rule, resource, diagnostics, deferred)
        return Evaluation(diagnostics, deferred)

    def evaluate_stack(self, stack: Stack) -> Evaluation:
        """Apply every rule for a whole program."""
        diagnostics: list[Diagnostic] = []
        deferred: list[tuple[Policy, str]] = []
        for enabled in self._enabled:
            for rule in enabled.policy.stack_rules:
                self._apply(enabled, rule, stack, diagnostics, deferred)
        return Evaluation(diagnostics, deferred)

    @cached_property
    def _enabled(self) -> Sequence[_Enabled]:
        policies = (_Enabled(policy, self.level(policy), self.options_of(policy)) for policy in self.policies)
        return [enabled for enabled in policies if enabled.level != "disabled"]

    @cached_property
    def _rules_by_type(self) -> dict[str, Sequence[tuple[_Enabled, Rule]]]:
        return {}

    def _rules(self, token: str) -> Sequence[tuple[_Enabled, Rule]]:
        """Return the rules for a type. Cached: a program has hundreds of resources of few types."""
        if token not in self._rules_by_type:
            self._rules_by_type[token] = [
                (enabled, rule)
                for enabled in self._enabled
                for types, rule in enabled.policy.resource_rules
                if matches(token, types)
            ]
        return self._rules_by_type[token]

    def _apply(
        self,
        enabled: _Enabled,
        rule: Rule,
        subject: Resource | Stack,
        diagnostics: list[Diagnostic],
        deferred: list[tuple[Policy, str]],
    ) -> None:
        policy = enabled.policy
        try:
            outcomes: Iterable[Outcome] | None = rule(subject, enabled.options)
            # What is reported before an unknown value ends the rule is certain.
            for outcome in outcomes or ():
                if isinstance(outcome, Deferred):
                    deferred.append((policy, outcome.path))
                else:
                    _add(self._diagnostic(enabled, outcome, subject), diagnostics)
        except Deferred as unknown:
            deferred.append((policy, unknown.path))
        # An exception is a defect of the policy: it is reported as one, and never counts as passed.
        except Exception as error:  # noqa: BLE001
            resource = subject if isinstance(subject, Resource) else None
            diagnostics.append(_failure(policy, error, resource))

    def _diagnostic(self, enabled: _Enabled, violation: Violation, subject: Resource | Stack) -> Diagnostic:
        policy = enabled.policy
        resource = violation.resource or (subject if isinstance(subject, Resource) else None)
        urn, name = (resource.urn, resource.name) if resource else ("", "")
        exempt = next((entry for entry in self.exemptions if entry.covers(policy.id, name, urn)), None)
        return Diagnostic(policy, enabled.level, violation.path, violation.problem, urn, name, exempt)


def _add(diagnostic: Diagnostic, diagnostics: list[Diagnostic]) -> None:
    """Add a violation, unless another rule of its policy has reported the same."""
    if not any(
        other.policy is diagnostic.policy
        and (other.urn, other.path, other.problem) == (diagnostic.urn, diagnostic.path, diagnostic.problem)
        for other in diagnostics
    ):
        diagnostics.append(diagnostic)


def _failure(policy: Policy, error: Exception, resource: Resource | None) -> Diagnostic:
    urn, name = (resource.urn, resource.name) if resource else ("", "")
    # The last line in the policy's file, not in a helper's.
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if policy.id.endswith(f".{Path(frame.filename).stem}")
    ]
    line = f" (line {frames[-1].lineno} of {policy.id.replace('.', '/')}.py)" if frames else ""
    problem = f"the policy itself failed: {type(error).__name__}: {error}{line}"
    return Diagnostic(policy, "mandatory", "", problem, urn, name, failed=True)
