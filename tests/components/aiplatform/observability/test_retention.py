"""How long Prometheus keeps metrics: error budgets are computed from what it keeps."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.components.aiplatform.observability.test_observability import prometheus, recorded, refused

OBJECTIVE: Final[Any] = {
    "name": "api",
    "indicator": "api_availability",
    "objective_percent": 99.9,
    "owner": "ml",
}


@pytest.mark.parametrize(
    ("windows", "expected"), [([], "15d"), ([7], "15d"), ([7, 30], "30d"), ([90], "90d")]
)
def test_metrics_are_kept_as_long_as_an_error_budget_needs_them(windows: list[int], expected: str) -> None:
    slos = [{**OBJECTIVE, "name": f"api-{days}", "window_days": days} for days in windows]
    assert prometheus(recorded(slos=slos))["retention"] == expected


@pytest.mark.parametrize("more", [{}, {"long_term_storage": {}}])
def test_a_window_above_a_stated_retention_is_refused(more: dict[str, Any]) -> None:
    (problem,) = refused(prometheus={"retention_days": 29}, slos=[OBJECTIVE], **more)
    assert problem.startswith(
        "slos[0].window_days: got 30, and Prometheus keeps metrics for 29 days, from which the error budget "
        "is computed; expected at most prometheus.retention_days"
    )
