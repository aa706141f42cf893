"""How fast the twin's long delays run."""

from __future__ import annotations

import pytest

from twin.kubernetes.time_scale import VARIABLE, Clock, factor, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10m", 600), ("90s", 90), ("1h30m", 5400), ("500ms", 0.5), ("0", 0), ("1.5h", 5400)],
)
def test_go_durations_are_read(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "10x", "ten minutes"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration"):
        seconds(text)


def test_the_clock_is_ten_times_as_fast_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert factor() == 10
    monkeypatch.setenv(VARIABLE, "1")
    assert Clock().factor == 1


@pytest.mark.parametrize("text", ["0", "-3", "fast", "nan", "inf"])
def test_a_factor_that_is_no_positive_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ValueError, match=VARIABLE):
        factor()
