"""What the engine tells of policies while it previews: its stream of events, a JSON object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

SEVERITIES: Final = ("critical", "high", "medium", "low")
SAID: Final = "guardrails: "
"""How the lines begin that the pack itself says (policies/framework/run_log.py)."""
_FAILED: Final = "preview failed"
_WAITS: Final = "known only at `up`, and evaluated there: "
_MEND: Final = re.compile(r"\nTo fix it: (?P<how>.*?) \((?P<page>[^()\s]+)\)\s*\Z", re.DOTALL)
_COUNTED: Final = re.compile(r"(\w+\.\w+) \((\d+)\)")
_PATH: Final = re.compile(r"(?P<path>[\w$/.\-]+(\[[^\]\n]*\]|\.[\w$/\-]+)*): ")


@dataclass(frozen=True)
class Violation:
    """One fault that a policy found."""

    policy: str
    severity: str
    mandatory: bool
    urn: str
    """Of the resource; the stack's where it is about the program as a whole."""
    path: str
    """The property path; empty for the resource as a whole."""
    problem: str
    remediation: str
    page: str
    excepted: str = ""
    """The engine's own exception by which it stops nothing (`exceptions` of the configuration), with its
    reason."""

    @property
    def resource(self) -> str:
        """The resource's logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def kind(self) -> str:
        """The resource's type."""
        return self.urn.split("::")[-2].rpartition("$")[2] if self.urn.count("::") >= 3 else ""


@dataclass
class Judgement:
    """All that a preview told."""

    violations: list[Violation] = field(default_factory=list[Violation])
    said: list[str] = field(default_factory=list[str])
    """Lines of the pack itself: the profile, what is exempt, what waits for `up`."""
    policies: set[str] = field(default_factory=set[str])
    """The policies that judged anything."""
    waiting: dict[str, int] = field(default_factory=dict[str, int])
    """Policy -> how many judgements wait for `up`."""
    errors: list[str] = field(default_factory=list[str])
    """What went wrong beside policies."""
    finished: bool = False
    """Whether the engine came to its end."""

    @property
    def mandatory(self) -> list[Violation]:
        """Those that stop an update."""
        return [each for each in self.violations if each.mandatory]

    @property
    def wrong(self) -> list[str]:
        """What went wrong beside faults: of a mandatory one the engine says that the preview failed, too."""
        return [each for each in self.errors if not (self.mandatory and each == _FAILED)]

    @property
    def complete(self) -> bool:
        """Whether the engine came to its end with nothing wrong but faults."""
        return self.finished and not self.wrong


def read(lines: Iterable[str]) -> Judgement:
    """From the engine's stream. Lines that are no event are left alone."""
    found = Judgement()
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            _take(cast("Mapping[str, Any]", event), found)
    return found


def _take(event: Mapping[str, Any], found: Judgement) -> None:
    if violation := event.get("policyEvent"):
        found.violations.append(_violation(violation))
    for key in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
        if summary := event.get(key):
            found.policies |= {*(summary.get("passed") or ()), *(summary.get("failed") or ())}
    if diagnostic := event.get("diagnosticEvent"):
        _diagnostic(diagnostic, found)
    found.finished = found.finished or "summaryEvent" in event


def _diagnostic(diagnostic: Mapping[str, Any], found: Judgement) -> None:
    text = str(diagnostic.get("message", "")).strip()
    if text.startswith(SAID):
        said = text.removeprefix(SAID)
        found.said.append(said)
        if said.startswith(_WAITS):
            found.waiting |= {name: int(count) for name, count in _COUNTED.findall(said)}
    elif diagnostic.get("severity") == "error":
        found.errors.append(text)


def _violation(event: Mapping[str, Any]) -> Violation:
    message = str(event.get("message", "")).rstrip("\n")
    mend = _MEND.search(message)
    head = message[: mend.start()] if mend else message
    path = _PATH.match(head)
    excepted = "; ".join(f"{each['id']}: {each['reason']}" for each in event.get("exceptions") or ())
    return Violation(
        policy=str(event.get("policyName", "")),
        severity=str(event.get("severity") or "low"),
        mandatory=event.get("enforcementLevel") == "mandatory" and not excepted,
        urn=str(event.get("resourceUrn", "")),
        path=path["path"] if path else "",
        problem=head[path.end() :] if path else head,
        remediation=mend["how"] if mend else "",
        page=mend["page"] if mend else "",
        excepted=excepted,
    )
