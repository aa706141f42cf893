"""What a file of monitors may state."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import MODEL, declared

from model_monitor import declaration
from model_monitor.errors import RefusedError

LABELS = {"table": "curated.paid", "key": "trip_id", "label": "paid", "prediction": "fare", "max_loss": 0.1}


def column(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "zone", "type": "category", **more}]


def test_defaults_are_by_type_and_pii_is_not_compared(monitors: Any) -> None:
    monitors(columns=[*declared()["columns"], *column(name="plan", thresholds={"psi": 0.4})])
    monitor = declaration.monitor(MODEL)
    assert [part.name for part in monitor.compared()] == ["distance", "zone", "plan", "fare"]
    assert monitor.columns[3].limits == {**declaration.DEFAULTS["category"], "psi": 0.4}
    monitors(columns=column(classification="pii", pii_consent=True), keys=[])
    assert [part.name for part in declaration.monitor(MODEL).compared()] == ["zone", "fare"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"columns": column(thresholds={"psi": 0})}, "never or always fires"),
        ({"columns": column(thresholds={"unseen": 1.5})}, "never or always fires"),
        ({"columns": column(thresholds={"jensenshannon": 0.9})}, "never or always fires"),
        ({"columns": column(thresholds={"ks": 0.1})}, "thresholds.ks: expected one of chisquare"),
        ({"columns": column(name="version")}, "expected another name"),
        ({"columns": [*column(), *column()]}, "zone is stated twice"),
        ({"columns": column(classification="pii"), "predictions": []}, "all are pii without consent"),
        ({"columns": []}, "at least 1 item"),
        ({"keys": ["object"]}, "expected inputs"),
        ({"min_drifted_columns": 9}, "which never fires"),
        ({"sample_rows": 199}, "expected min_rows"),
        ({"delay_minutes": 5}, "expected join_minutes"),
        ({"window_hours": 0}, "window_hours"),
        ({"inference_services": ["a/b"]}, "expected the name of an InferenceService"),
        ({"other": 1}, "other: Extra inputs"),
        ({"labels": {**LABELS, "metric": "mae", "prediction": "x"}}, "expected one of predictions"),
        ({"labels": {**LABELS, "metric": "mae", "key": "x"}}, "expected request_id or one of keys"),
        ({"labels": {**LABELS, "metric": "f1"}}, "expected the label that is positive"),
        ({"labels": {**LABELS, "metric": "accuracy", "max_loss": 1}}, "which never fires"),
    ],
)
def test_what_never_fires_and_what_is_unknown_is_refused(monitors: Any, more: Any, error: str) -> None:
    monitors(**more)
    with pytest.raises(RefusedError, match=error) as refused:
        declaration.monitor(MODEL)
    assert "\n" not in str(refused.value)


def test_unknown_model_is_refused(monitors: Any) -> None:
    with pytest.raises(RefusedError, match="expected one of fares"):
        declaration.monitor("other")
