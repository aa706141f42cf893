"""Rules of Prometheus as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "info", "none"]
"""`critical`: needs action at once. `warning`: on the next working day. `info`: no notification. `none`: the
alert that always fires."""


@dataclass(frozen=True)
class Alert:
    """An alert. Its runbook is docs/runbooks/<name>.md."""

    name: str
    severity: Severity
    expression: str
    """PromQL. Every series of the result is an alert."""
    summary: str
    """What happened, in one line."""
    description: str
    """What it means for users of the platform, with the values of the series."""
    pending: str = "5m"
    """How long the expression must have a result before the alert fires. `0s`: at once."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels in addition to `severity`."""
    runbook_url: str | None = None
    """The address of the runbook, where it is not one of the platform. Empty: it has none."""

    def as_spec(self, runbooks: str) -> dict[str, Any]:
        """Return the rule of a PrometheusRule. runbooks: the address of the platform's runbooks."""
        runbook = f"{runbooks}/{self.name}.md" if self.runbook_url is None else self.runbook_url
        return {
            "alert": self.name,
            "expr": self.expression,
            **({} if self.pending == "0s" else {"for": self.pending}),
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {
                "summary": self.summary,
                **({"description": self.description} if self.description else {}),
                **({"runbook_url": runbook} if runbook else {}),
            },
        }


@dataclass(frozen=True)
class Recording:
    """A series that Prometheus computes from others."""

    series: str
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def as_spec(self, runbooks: str) -> dict[str, Any]:
        """Return the rule of a PrometheusRule."""
        return {
            "record": self.series,
            "expr": self.expression,
            **({"labels": dict(self.labels)} if self.labels else {}),
        }


@dataclass(frozen=True)
class RuleGroup:
    """Rules of one subject. Prometheus evaluates them in their order."""

    name: str
    rules: tuple[Alert | Recording, ...]
    runbooks: str
    """The address of the platform's runbooks."""

    def as_spec(self) -> dict[str, Any]:
        """Return the group of a PrometheusRule."""
        return {"name": self.name, "rules": [rule.as_spec(self.runbooks) for rule in self.rules]}

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts."""
        return tuple(rule for rule in self.rules if isinstance(rule, Alert))
