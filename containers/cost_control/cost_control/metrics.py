"""How much GPUs of Pods are used, by the metrics of DCGM in Prometheus.

A GPU is known only where Prometheus has samples of nearly the whole time: what was not measured is not idle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_STEP_MINUTES: Final = 5
"""Of the samples that are counted: the time for which Prometheus takes the last sample of a series."""
_MEASURED: Final = 0.9
"""The part of the time that has to have samples."""
IDLE_BELOW: Final = 0.01
"""The use below which a GPU is idle, as in the alert GpuIdle."""
_SECONDS: Final = 60
METRICS: Final[Mapping[str, float]] = {"DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1, "DCGM_FI_DEV_GPU_UTIL": 100}
"""Metric -> its value at full use. The first exists not for every model, the second for no part of a GPU."""
_OF_PODS: Final = '{pod!="", namespace!="kube-system"}'
_BY_GPU: Final = "by (namespace, pod, UUID, GPU_I_ID)"

Pod = tuple[str, str]
"""Namespace and name."""
Labels = Mapping[str, str]
Query = Callable[[str], list[tuple[Labels, float]]]
"""Returns the series of an expression of PromQL, each with its value."""


@dataclass
class Gpu:
    """The use of a GPU by a Pod. busiest: the highest use, 0 to 1. measured: the part of the time with
    samples."""

    busiest: float = 0
    measured: float = 0


def usage(query: Query, hours: int) -> dict[Pod, list[Gpu]]:
    """Return the GPUs of each Pod in the last hours, by all metrics that exist."""
    gpus: dict[Pod, dict[tuple[str, str], Gpu]] = {}

    def gpu(labels: Labels) -> Gpu:
        pod = gpus.setdefault((labels["namespace"], labels["pod"]), {})
        return pod.setdefault((labels.get("UUID", ""), labels.get("GPU_I_ID", "")), Gpu())

    steps = hours * 60 / _STEP_MINUTES
    for metric, full in METRICS.items():
        series = f"{metric}{_OF_PODS}"
        for labels, value in query(f"max {_BY_GPU} (max_over_time({series}[{hours}h]))"):
            known = gpu(labels)
            # Not a number is no use that is known.
            known.busiest = max(known.busiest, 1 if math.isnan(value) else value / full)
        for labels, samples in query(
            f"count_over_time((max {_BY_GPU} ({series}))[{hours}h:{_STEP_MINUTES}m])"
        ):
            known = gpu(labels)
            known.measured = max(known.measured, samples / steps)
    return {pod: list(known.values()) for pod, known in gpus.items()}


def is_idle(gpus: list[Gpu], requested: int) -> bool:
    """Return whether all GPUs of a Pod were idle, as far as they are known. requested: their number."""
    return len(gpus) >= max(requested, 1) and all(
        gpu.measured >= _MEASURED and gpu.busiest < IDLE_BELOW for gpu in gpus
    )


def prometheus(url: str) -> Query:
    """Return the queries of a Prometheus. They raise ValueError for an answer of another form ("HTTP API",
    Instant queries)."""
    import requests

    def query(expression: str) -> list[tuple[Labels, float]]:
        answer = requests.post(
            f"{url.rstrip('/')}/api/v1/query", data={"query": expression}, timeout=_SECONDS
        )
        return _vector(answer)

    return query


def _vector(answer: Any) -> list[tuple[Labels, float]]:
    try:
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(f"Prometheus: {body.get('errorType')}: {body.get('error')}")
        if body["data"]["resultType"] != "vector":
            raise ValueError(f"Prometheus: got {body['data']['resultType']}; expected a vector")
        return [(entry["metric"], float(entry["value"][1])) for entry in body["data"]["result"]]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"Prometheus: an answer of another form, {answer.status_code}: {error!r}") from error
