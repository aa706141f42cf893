"""Arguments of objectives and of alerts."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from aiplatform._shared.args import between, length, matches
from aiplatform._shared.kubernetes.names import DNS_LABEL

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True)
class Slo:
    """A service level objective. Alerts on its burn rate, its error budget and its dashboard follow from
    it."""

    name: Annotated[str, DNS_LABEL]
    """Its name, a DNS label; each objective has a different one."""
    indicator: str
    """What is measured, by the name of an indicator (docs/alerts.md)."""
    objective_percent: Annotated[float, between(1, 100, "percent: 99.5, and not the fraction 0.995")]
    """The share of good events, percent, below 100: `99.5`."""
    owner: Annotated[str, length(1, 63, "characters")]
    """The team that is responsible: the label `owner` of its alerts, by which routes send them."""
    window_days: Annotated[int, between(1, 90, "days")] = 30
    """The time over which the objective applies, days, 3 to 90. Default 30."""
    latency_seconds: float | None = None
    """Indicators of latency, and required there: how long a good event takes at most. A bound of a bucket of
    the indicator's histogram."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """Labels of the series that count, by name: `cluster_queue: training`. Default: all series of the
    indicator."""


@dataclass(frozen=True)
class CustomRule:
    """An alert of the environment itself, in addition to the platform's."""

    alert: Annotated[str, matches(r"[A-Z][A-Za-z0-9]{2,63}", "a name in CamelCase such as QueueIsFull")]
    """Its name; no other alert has it."""
    expression: Annotated[str, length(1, 4096, "characters")]
    """The PromQL expression. Every series of its result is an alert."""
    summary: Annotated[str, length(1, 256, "characters")]
    """What happened, in one line. Templates of Prometheus (`{{ $labels.namespace }}`) are accepted."""
    severity: Severity = "warning"
    """`critical`: needs action at once. `warning` (default): on the next working day. `info`: no
    notification."""
    for_minutes: Annotated[int, between(0, 1440, "minutes")] = 5
    """How long the expression must have a result before the alert fires, minutes. Default 5."""
    runbook_url: str | None = None
    """The address of its runbook. Default: none."""
