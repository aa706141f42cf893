"""When a version is better than the champion."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import declared

from training_steps.declaration import Evaluation
from training_steps.errors import RefusedError
from training_steps.evaluation import evaluate


def evaluation(**more: Any) -> Evaluation:
    return Evaluation.model_validate(declared(**more)["evaluation"])


def _report(candidate: Any, champion: Any = None) -> dict[str, Any]:
    return {"candidate": candidate, "champion": champion}


def test_first_version_needs_only_its_thresholds() -> None:
    assert evaluate(evaluation(), _report({"accuracy": 0.8}), has_champion=False).is_better
    worse = evaluate(evaluation(), _report({"accuracy": 0.79}), has_champion=False)
    assert worse.reasons == ("accuracy 0.79 is below 0.8",)


@pytest.mark.parametrize(
    ("candidate", "champion", "lower", "better"),
    [
        (0.93, 0.92, False, True),
        (0.929, 0.92, False, False),
        (0.92, 0.92, False, False),
        (0.91, 0.92, False, False),
        (0.30, 0.31, True, True),
        (0.32, 0.31, True, False),
    ],
)
def test_margin_decides(candidate: float, champion: float, lower: bool, better: bool) -> None:
    stated = evaluation(lower_is_better=lower, thresholds={})
    result = evaluate(stated, _report({"accuracy": candidate}, {"accuracy": champion}), has_champion=True)
    assert result.is_better == better, result.reasons
    assert better or "is not better than" in result.reasons[0]


def test_equal_version_is_not_better_without_a_margin() -> None:
    stated = evaluation(margin=0, thresholds={})
    assert not evaluate(stated, _report({"accuracy": 0.9}, {"accuracy": 0.9}), has_champion=True).is_better


def test_upper_thresholds_apply_too() -> None:
    stated = evaluation(thresholds={"latency": {"max": 0.2}})
    result = evaluate(stated, _report({"accuracy": 0.9, "latency": 0.3}), has_champion=False)
    assert result.reasons == ("latency 0.3 is above 0.2",)


PROMPTS = [{"prompt": "2 + 2?", "expected": "4"}, {"prompt": "Capital of France?", "expected": "Paris"}]


@pytest.mark.parametrize(
    ("match", "answers", "correct"),
    [
        ("exact", [" 4 ", "PARIS"], 1.0),
        ("exact", ["4", "It is Paris."], 0.5),
        ("contains", ["4", "It is  paris."], 1.0),
        ("contains", ["five", "Rome"], 0.0),
    ],
)
def test_answers_to_prompts_are_compared_with_the_expected_ones(
    match: str, answers: list[str], correct: float
) -> None:
    stated = evaluation(
        kind="prompts", metric="correct", prompts=PROMPTS, match=match, thresholds={"correct": {"min": 0.9}}
    )
    result = evaluate(stated, _report(answers), has_champion=False)
    assert result.candidate == {"correct": correct}
    assert result.is_better == (correct >= 0.9)


@pytest.mark.parametrize(
    ("more", "report", "has_champion", "error"),
    [
        ({}, [], False, "expected an object with `candidate`"),
        ({}, _report({"accuracy": 0.9}), True, "no `champion`"),
        ({}, _report({"loss": 0.9}), False, "candidate: no metric accuracy"),
        ({}, _report({"accuracy": 0.9}, {"loss": 1}), True, "champion: no metric accuracy"),
        ({}, _report({"accuracy": float("nan")}), False, "expected a finite number"),
        ({}, _report({"accuracy": True}), False, "expected a finite number"),
        ({}, _report({}), False, "expected an object of metrics"),
        (
            {"kind": "prompts", "prompts": PROMPTS, "metric": "correct", "thresholds": {}},
            _report(["4"]),
            False,
            "expected a list of 2 answers",
        ),
    ],
)
def test_report_of_another_form_is_refused(
    more: dict[str, Any], report: Any, has_champion: bool, error: str
) -> None:
    with pytest.raises(RefusedError, match=error):
        evaluate(evaluation(**more), report, has_champion=has_champion)
