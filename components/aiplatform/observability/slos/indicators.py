"""What an objective can measure: good and bad events, as rates of counters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiplatform.observability import metrics
from aiplatform.observability.settings import Slo


@dataclass(frozen=True)
class Indicator:
    """An indicator. Either the events of a histogram that take at most the objective's latency are good, or
    those of a counter that `bad` does not count."""

    purpose: str
    """What it measures, for docs."""
    histogram: str | None = None
    """The histogram of a latency."""
    total: str | None = None
    """The counter of all events."""
    bad: tuple[str, str] | None = None
    """The counter of bad events, and a selector in it; may be `total` itself."""
    selector: str = ""
    """A selector of the events that count at all."""

    @property
    def is_latency(self) -> bool:
        """Whether an objective states a latency."""
        return self.histogram is not None

    @property
    def metric(self) -> metrics.Metric:
        """The metric whose labels an objective can select by."""
        return metrics.metrics()[self.histogram or self.total or ""]


INDICATORS: Final[Mapping[str, Indicator]] = {
    "queue_wait": Indicator(
        purpose="the time from the creation of a workload, or its eviction, until it is admitted",
        histogram="kueue_admission_wait_time_seconds",
    ),
    "workload_start": Indicator(
        purpose="the time from the admission of a workload until all of its Pods are ready",
        histogram="kueue_admitted_until_ready_wait_time_seconds",
    ),
    "api_latency": Indicator(
        purpose="the time of a request to the API server, without webhooks",
        histogram="apiserver_request_sli_duration_seconds",
        # They last as long as the client wants, or are slow by design.
        selector='verb!~"WATCH|CONNECT|LIST", subresource!~"proxy|attach|log|exec|portforward"',
    ),
    "api_availability": Indicator(
        purpose="requests to the API server without a server error (5xx)",
        total="apiserver_request_total",
        bad=("apiserver_request_total", 'code=~"5.."'),
    ),
    "registry_availability": Indicator(
        purpose="requests to the model registry without a server error (5xx)",
        total="mlflow_http_request_total",
        bad=("mlflow_http_request_total", 'status=~"5.."'),
    ),
    "feature_latency": Indicator(
        purpose="the time in which the feature server answers a request for online features",
        histogram="feast_feature_server_request_latency_seconds",
        selector='endpoint="/get-online-features"',
    ),
    "secret_synchronization": Indicator(
        purpose="reads of the cloud's secret manager that succeed",
        total="externalsecret_sync_calls_total",
        bad=("externalsecret_sync_calls_error", ""),
    ),
}


def bound(seconds: float) -> str:
    """Return a bucket's bound as users write it."""
    return f"{seconds:g}"


def all_events(slo: Slo) -> str:
    """Return the rate of all events of an objective, a series without labels."""
    indicator = INDICATORS[slo.indicator]
    counter = indicator.total or f"{indicator.histogram}_count"
    return _rate(counter, _labels(slo), indicator.selector)


def bad_events(slo: Slo) -> str:
    """Return the rate of the bad events of an objective, a series without labels."""
    indicator = INDICATORS[slo.indicator]
    if indicator.histogram is None:
        counter, selector = indicator.bad or ("", "")
        # No series is no error: a counter exists once something was counted.
        return f"({_rate(counter, _labels(slo), indicator.selector, selector)} or 0 * {all_events(slo)})"
    within = _rate(f"{indicator.histogram}_bucket", _labels(slo), indicator.selector, _le(slo))
    # Never negative: rates of the two series are extrapolated one by one.
    return f"clamp_min({all_events(slo)} - {within}, 0)"


def _rate(counter: str, *selectors: str) -> str:
    selector = ", ".join(selector for selector in selectors if selector)
    return f"sum(rate({counter}{{{selector}}}[5m]))" if selector else f"sum(rate({counter}[5m]))"


def _le(slo: Slo) -> str:
    # Prometheus 3 stores each bound as a float: `1.0`, where the exporter wrote `1`.
    return f'le="{float(slo.latency_seconds or 0)!r}"'


def _labels(slo: Slo) -> str:
    return ", ".join(f'{label}="{_escaped(value)}"' for label, value in sorted(slo.labels.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
