"""Rules of an objective: multi-window, multi-burn-rate alerts, and its error budget.

Windows, budgets and thresholds are those of Google's SRE Workbook, chapter 5 "Alerting on SLOs" (method 6),
with the fourth window and the times that an alert is pending of kubernetes-mixin's kube-apiserver-slos.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiplatform.observability.rule_types import Alert, Recording, Severity
from aiplatform.observability.settings import Slo
from aiplatform.observability.slos import indicators

_HOURS: Final = {"5m": 1 / 12, "30m": 0.5, "1h": 1, "2h": 2, "6h": 6, "1d": 24, "3d": 72}


@dataclass(frozen=True)
class Tier:
    """An alert: the part of the error budget that is spent within its long window. The short window ends the
    alert soon after the errors end."""

    long: str
    short: str
    budget: float
    severity: Severity
    pending: str


TIERS: Final = (
    Tier("1h", "5m", 0.02, "critical", "2m"),
    Tier("6h", "30m", 0.05, "critical", "15m"),
    Tier("1d", "2h", 0.1, "warning", "1h"),
    Tier("3d", "6h", 0.1, "warning", "3h"),
)
_FEWEST_EVENTS: Final = 10
"""Events within a long window below which an alert does not fire: a single bad one in a quiet hour would be
all of them (the workbook, "Low-Traffic Services and Error Budget Alerting")."""
LONGEST_WINDOW_DAYS: Final = 3
"""The longest window of an alert, days."""


def rules(slo: Slo) -> Iterator[Alert | Recording]:
    """Return the rules of an objective.

    Windows longer than 5 minutes are computed from the recorded rates, weighted by events: counters with
    many series are read over 5 minutes only.
    """
    labels = {"slo": slo.name, "owner": slo.owner}
    selector = f'{{slo="{slo.name}"}}'
    budget = error_budget(slo)
    yield Recording("slo:objective:ratio", f"vector({1 - budget:.10g})", labels)
    yield Recording("slo:events:rate5m", indicators.all_events(slo), labels)
    yield Recording("slo:bad_events:rate5m", indicators.bad_events(slo), labels)
    for window in _HOURS:
        yield Recording(f"slo:error_ratio:rate{window}", _ratio(selector, window), labels)
    yield Recording(
        "slo:error_budget:remaining_ratio",
        f"1 - {_ratio(selector, f'{slo.window_days}d')} / {budget:.10g}",
        labels,
    )
    yield from _alerts(slo, selector, labels)


def error_budget(slo: Slo) -> float:
    """Return the share of events that may be bad."""
    return 1 - slo.objective_percent / 100


def burn_rate(tier: Tier, window_days: int) -> float:
    """Return how many times faster than evenly the budget is spent. Below 1 it lasts for the window, and an
    alert would be none: for windows shorter than 30 days the longer tiers have 1."""
    return max(1.0, tier.budget * window_days * 24 / _HOURS[tier.long])


def _alerts(slo: Slo, selector: str, labels: dict[str, str]) -> Iterator[Alert]:
    for tier in TIERS:
        rate = burn_rate(tier, slo.window_days)
        if rate * error_budget(slo) >= 1:
            # Not even errors alone exceed it.
            if tier is not TIERS[-1]:
                continue
            # An objective has one alert at least.
            rate = 1.0
        threshold = rate * error_budget(slo)
        events = f"avg_over_time(slo:events:rate5m{selector}[{tier.long}]) * {_HOURS[tier.long] * 3600:g}"
        windows = (
            f"slo:error_ratio:rate{window}{selector} > {threshold:.10g}" for window in (tier.long, tier.short)
        )
        yield Alert(
            name="SloErrorBudgetBurn",
            severity=tier.severity,
            expression=" and on (slo) ".join((*windows, f"{events} >= {_FEWEST_EVENTS}")),
            summary=f"objective {slo.name}: its error budget is spent {rate:.3g} times too fast",
            description=(
                f"{{{{ $value | humanizePercentage }}}} of the events of the last {tier.long} were bad; "
                f"{slo.objective_percent:g} % must be good within {slo.window_days} days."
            ),
            pending=tier.pending,
            labels={**labels, "long_window": tier.long},
        )


def _ratio(selector: str, window: str) -> str:
    bad, events = (
        f"sum_over_time(slo:{name}:rate5m{selector}[{window}])" for name in ("bad_events", "events")
    )
    return (
        f"{bad} / {events}"
        if window != "5m"
        else f"slo:bad_events:rate5m{selector} / slo:events:rate5m{selector}"
    )


_ANY: Final = tuple(rules(Slo("any", "queue_wait", 99.9, "any", latency_seconds=1)))
ALERTS: Final = tuple(rule for rule in _ANY if isinstance(rule, Alert))
"""The alerts of an objective, for their names."""
SERIES: Final = tuple(rule.series for rule in _ANY if isinstance(rule, Recording))
"""The names of the series of an objective."""
