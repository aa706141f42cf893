"""Service level objectives: what can be measured, and the rules that follow from an objective."""

from collections import Counter
from collections.abc import Iterator

from aiplatform._shared.args import Problem, nearest
from aiplatform.observability import metrics
from aiplatform.observability.settings import Settings, Slo
from aiplatform.observability.slos.burn_rates import LONGEST_WINDOW_DAYS
from aiplatform.observability.slos.indicators import INDICATORS, Indicator, bound


def problems(settings: Settings) -> Iterator[Problem]:
    """Return the problems with the objectives of an environment."""
    names = Counter(slo.name for slo in settings.slos)
    for index, slo in enumerate(settings.slos):
        path = f"slos[{index}]"
        if names[slo.name] > 1:
            yield Problem(f"{path}.name", f"{slo.name!r} is used twice; expected distinct names")
        yield from _value_problems(slo, path)
        indicator = INDICATORS.get(slo.indicator)
        if indicator is None:
            yield Problem(
                f"{path}.indicator",
                f"unknown indicator {slo.indicator!r}; expected one of {', '.join(sorted(INDICATORS))}"
                f"{nearest(slo.indicator, INDICATORS)}",
            )
        else:
            yield from _indicator_problems(slo, indicator, settings, path)


def _value_problems(slo: Slo, path: str) -> Iterator[Problem]:
    if not 0 < slo.objective_percent < 100:
        yield Problem(
            f"{path}.objective_percent",
            f"got {slo.objective_percent:g}; expected more than 0 and less than 100: the rest is the error "
            f"budget",
        )
    if slo.window_days < LONGEST_WINDOW_DAYS:
        yield Problem(
            f"{path}.window_days",
            f"got {slo.window_days}; expected at least {LONGEST_WINDOW_DAYS}, the longest window of its "
            f"alerts",
        )


def _indicator_problems(slo: Slo, indicator: Indicator, settings: Settings, path: str) -> Iterator[Problem]:
    metric = indicator.metric
    exporter = metrics.exporters()[metric.exporter]
    if not exporter.exists(settings):
        yield Problem(
            f"{path}.indicator",
            f"{slo.indicator!r} needs metrics of {exporter.name}, which this environment does not have",
        )
    if indicator.is_latency:
        yield from _latency_problems(slo, metric, path)
    elif slo.latency_seconds is not None:
        yield Problem(
            f"{path}.latency_seconds", f"unused: {slo.indicator!r} measures no latency; expected no value"
        )
    for label in slo.labels:
        if label not in metric.labels:
            yield Problem(
                f"{path}.labels.{label}",
                f"unknown label; expected one of {', '.join(sorted(metric.labels))}"
                f"{nearest(label, metric.labels)}",
            )


def _latency_problems(slo: Slo, metric: metrics.Metric, path: str) -> Iterator[Problem]:
    if slo.latency_seconds is None:
        yield Problem(
            f"{path}.latency_seconds",
            f"missing; expected one of {', '.join(map(bound, metric.buckets))} seconds",
        )
    elif slo.latency_seconds not in metric.buckets:
        below = max((known for known in metric.buckets if known < slo.latency_seconds), default=None)
        above = min((known for known in metric.buckets if known > slo.latency_seconds), default=None)
        near = " or ".join(bound(known) for known in (below, above) if known is not None)
        yield Problem(
            f"{path}.latency_seconds",
            f"got {slo.latency_seconds:g}, which is no bound of a bucket of {metric.name}; expected {near}",
        )
