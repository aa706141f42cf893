"""What the gateway measured of a backend, from Prometheus.

Counters are compared by their samples at two times and not by `increase`: a counter that appears with its
first error has no increase.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

_SECONDS: Final = 10
_COUNTER: Final = "envoy_cluster_upstream_rq_xx"
_BUCKETS: Final = "envoy_cluster_upstream_rq_time_bucket"
_CLASS: Final = "envoy_response_code_class"
_TARGETS: Final = 'count(up{job="envoy"} == 1)'
Series = Mapping[frozenset[tuple[str, str]], float]


class MeasurementError(Exception):
    """The gateway's metrics cannot be read."""


@dataclass(frozen=True)
class Measured:
    """What a backend answered. errors: with status 5xx, also where it did not answer at all. p95_ms: NaN
    without requests."""

    requests: float
    errors: float
    p95_ms: float

    @property
    def error_rate(self) -> float:
        """The share of errors; 0 without requests."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class Prometheus:
    """A server of Prometheus, which reads the metrics of Envoy."""

    url: str

    def measure(self, cluster: str, since: float, until: float) -> Measured:
        """Return what Envoy measured of its cluster between two times. Raises MeasurementError."""
        if not self._query(_TARGETS, until):
            raise MeasurementError("Prometheus reads no metrics of the gateway")
        name = f'{{envoy_cluster_name="{cluster}"}}'
        counts = self._difference(_COUNTER + name, since, until)
        total = sum(counts.values())
        errors = sum(value for labels, value in counts.items() if (_CLASS, "5") in labels)
        buckets: dict[float, float] = {}
        for labels, value in self._difference(_BUCKETS + name, since, until).items():
            bound = float(dict(labels)["le"])
            buckets[bound] = buckets.get(bound, 0.0) + value
        return Measured(total, errors, quantile(0.95, buckets))

    def _difference(self, selector: str, since: float, until: float) -> Series:
        before, after = self._query(selector, since), self._query(selector, until)
        # A counter below its value of before began again at zero, with its Envoy.
        return {
            labels: value - before[labels] if value >= before.get(labels, math.inf) else value
            for labels, value in after.items()
        }

    def _query(self, expression: str, at: float) -> Series:
        try:
            result = self._request({"query": expression, "time": f"{at:.3f}"})
        except (requests.RequestException, ValueError, KeyError) as error:
            raise MeasurementError(f"{self.url}: {error}") from error
        return {frozenset(entry["metric"].items()): float(entry["value"][1]) for entry in result}

    @retry(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_attempt(3),
        wait=wait_exponential(multiplier=0.5, max=5),
        reraise=True,
    )
    def _request(self, parameters: Mapping[str, str]) -> list[Any]:
        answer = requests.get(f"{self.url.rstrip('/')}/api/v1/query", params=parameters, timeout=_SECONDS)
        answer.raise_for_status()
        return answer.json()["data"]["result"]


def quantile(share: float, buckets: Mapping[float, float]) -> float:
    """Return a quantile of a histogram as Prometheus does: by interpolation in its bucket. buckets: upper
    bound -> the number of observations up to it."""
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] <= 0:
        return math.nan
    rank, lower, below = share * buckets[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        count = buckets[bound]
        if count >= rank:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (rank - below) / (count - below) if count > below else bound
        lower, below = bound, count
    return lower
