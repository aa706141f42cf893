"""Results of policies, from the engine's stream of events: one JSON object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

SEVERITIES: Final = ("critical", "high", "medium", "low")
PREFIX: Final = "guardrails: "
"""Prefix of the messages that the pack itself logs (policies/framework/run_log.py), apart from violations."""
_FAILED: Final = "preview failed"
_DEFERRED: Final = re.compile(r"(?:known only at|deferred to) `up`[^:]*: ")
_REMEDIATION: Final = re.compile(r"\nTo \w+ it: (?P<how>.*?) \((?P<page>[^()\s]+)\)\s*\Z", re.DOTALL)
_COUNTED: Final = re.compile(r"(\w+\.\w+) \((\d+)\)")
_PATH: Final = re.compile(r"(?P<path>[\w$/.\-]+(\[[^\]\n]*\]|\.[\w$/\-]+)*): ")


@dataclass(frozen=True)
class Violation:
    """One violation of a policy."""

    policy: str
    severity: str
    mandatory: bool
    urn: str
    """Of the resource; of the stack where the program as a whole violates the policy."""
    path: str
    """The property path; empty for the resource as a whole."""
    problem: str
    remediation: str
    page: str
    excepted: str = ""
    """Id and reason of the engine's exception (`exceptions` of the configuration) that makes it advisory."""

    @property
    def resource(self) -> str:
        """The resource's logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def kind(self) -> str:
        """The resource's type."""
        return self.urn.split("::")[-2].rpartition("$")[2] if self.urn.count("::") >= 3 else ""


@dataclass
class Evaluation:
    """The results of all policies in one preview."""

    violations: list[Violation] = field(default_factory=list[Violation])
    messages: list[str] = field(default_factory=list[str])
    """Messages of the pack itself: the profile, exemptions, what is deferred to `up`."""
    policies: set[str] = field(default_factory=set[str])
    """The policies that evaluated at least one resource."""
    deferred: dict[str, int] = field(default_factory=dict[str, int])
    """Policy -> number of its evaluations that are deferred to `up`, where all values are known."""
    errors: list[str] = field(default_factory=list[str])
    """All errors of the engine."""
    finished: bool = False
    """Whether the engine finished the preview."""

    @property
    def mandatory(self) -> list[Violation]:
        """The violations that stop an update."""
        return [violation for violation in self.violations if violation.mandatory]

    @property
    def failures(self) -> list[str]:
        """Errors apart from violations. For a mandatory one the engine also reports a failed preview."""
        return [error for error in self.errors if not (self.mandatory and error == _FAILED)]

    @property
    def causes(self) -> list[str]:
        """The errors without the engine's report that the preview failed, where there are others."""
        return [error for error in self.errors if error != _FAILED] or self.errors

    @property
    def complete(self) -> bool:
        """Whether the engine finished without errors apart from violations."""
        return self.finished and not self.failures

    def add(self, other: Evaluation) -> None:
        """Add the results of another stack of the environment."""
        self.violations += other.violations
        self.messages += (message for message in other.messages if message not in self.messages)
        self.policies |= other.policies
        for policy, count in other.deferred.items():
            self.deferred[policy] = self.deferred.get(policy, 0) + count
        self.errors += other.errors
        self.finished = self.finished and other.finished


def read(lines: Iterable[str]) -> Evaluation:
    """Return the results in the engine's stream. Lines that are not events are ignored."""
    evaluation = Evaluation()
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            _add(cast("Mapping[str, Any]", event), evaluation)
    return evaluation


def _add(event: Mapping[str, Any], evaluation: Evaluation) -> None:
    if violation := event.get("policyEvent"):
        evaluation.violations.append(_violation(violation))
    for key in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
        if summary := event.get(key):
            evaluation.policies |= {*(summary.get("passed") or ()), *(summary.get("failed") or ())}
    if diagnostic := event.get("diagnosticEvent"):
        _add_diagnostic(diagnostic, evaluation)
    evaluation.finished = evaluation.finished or "summaryEvent" in event


def _add_diagnostic(diagnostic: Mapping[str, Any], evaluation: Evaluation) -> None:
    text = str(diagnostic.get("message", "")).strip()
    if text.startswith(PREFIX):
        message = text.removeprefix(PREFIX)
        evaluation.messages.append(message)
        if _DEFERRED.match(message):
            evaluation.deferred |= {name: int(count) for name, count in _COUNTED.findall(message)}
    elif diagnostic.get("severity") == "error":
        evaluation.errors.append(text)


def _violation(event: Mapping[str, Any]) -> Violation:
    message = str(event.get("message", "")).rstrip("\n")
    remediation = _REMEDIATION.search(message)
    head = message[: remediation.start()] if remediation else message
    path = _PATH.match(head)
    excepted = "; ".join(
        f"{exception['id']}: {exception['reason']}" for exception in event.get("exceptions") or ()
    )
    return Violation(
        policy=str(event.get("policyName", "")),
        severity=str(event.get("severity") or "low"),
        mandatory=event.get("enforcementLevel") == "mandatory" and not excepted,
        urn=str(event.get("resourceUrn", "")),
        path=path["path"] if path else "",
        problem=head[path.end() :] if path else head,
        remediation=remediation["how"] if remediation else "",
        page=remediation["page"] if remediation else "",
        excepted=excepted,
    )
