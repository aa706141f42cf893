"""Evaluations: what a job reports of candidate and champion becomes metrics, and metrics a decision.

An evaluator is a class with `metrics`: `MetricsEvaluator` takes the numbers that the job measured,
`PromptsEvaluator` compares the answers that the job collected with the expected ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from training_steps.declaration import Evaluation, Limit, Prompt
from training_steps.errors import RefusedError

FILE: Final = "evaluation.json"
"""The file of the run in MLflow that the job writes: `{"candidate": ..., "champion": ...}`."""
Metrics = Mapping[str, float]


class Evaluator(Protocol):
    """Makes metrics of what a job reports of one model."""

    def metrics(self, reported: Any) -> Metrics:
        """Return the metrics. Raises RefusedError for a report of another form."""
        ...


class MetricsEvaluator:
    """The job reports metrics: `{"accuracy": 0.93}`."""

    def metrics(self, reported: Any) -> Metrics:
        """Return them."""
        if not isinstance(reported, Mapping) or not reported:
            raise RefusedError(f"{FILE}: got {reported!r}; expected an object of metrics")
        for name, value in reported.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise RefusedError(f"{FILE}: {name}: got {value!r}; expected a finite number")
        return {str(name): float(value) for name, value in reported.items()}


@dataclass(frozen=True)
class PromptsEvaluator:
    """The job reports an answer to each prompt, in their order. The metric `correct` is the share of answers
    that match."""

    prompts: Sequence[Prompt]
    match: str

    def metrics(self, reported: Any) -> Metrics:
        """Return the share of correct answers."""
        if not isinstance(reported, list) or len(reported) != len(self.prompts):
            raise RefusedError(f"{FILE}: expected a list of {len(self.prompts)} answers")
        correct = [
            self._matches(_words(str(answer)), _words(prompt.expected))
            for answer, prompt in zip(reported, self.prompts, strict=True)
        ]
        return {"correct": sum(correct) / len(correct)}

    def _matches(self, answer: str, expected: str) -> bool:
        return expected in answer if self.match == "contains" else answer == expected


def _words(text: str) -> str:
    """Return a text without differences of case and of space between words."""
    return " ".join(text.casefold().split())


def evaluator(declared: Evaluation) -> Evaluator:
    """Return the evaluator of a declaration."""
    if declared.kind == "prompts":
        return PromptsEvaluator(declared.prompts, declared.match)
    return MetricsEvaluator()


@dataclass(frozen=True)
class Result:
    """candidate, champion: metrics on the same snapshot; champion: None where there is none. reasons: why the
    candidate is not better; empty: it is."""

    candidate: Metrics
    champion: Metrics | None
    reasons: tuple[str, ...]

    @property
    def is_better(self) -> bool:
        """Whether a promotion is requested."""
        return not self.reasons


def evaluate(declared: Evaluation, report: Any, *, has_champion: bool) -> Result:
    """Return the result of a report. Raises RefusedError for one that lacks a model or a metric."""
    if not isinstance(report, Mapping) or "candidate" not in report:
        raise RefusedError(f"{FILE}: expected an object with `candidate` and `champion`")
    if has_champion and report.get("champion") is None:
        raise RefusedError(f"{FILE}: no `champion`; expected it, too: there is one")
    used = evaluator(declared)
    candidate = used.metrics(report["candidate"])
    champion = used.metrics(report["champion"]) if has_champion else None
    needed = {declared.metric, *declared.thresholds}
    for name, metrics in (("candidate", candidate), ("champion", champion)):
        # Thresholds are of the candidate.
        missing = (needed if name == "candidate" else {declared.metric}) - set(metrics or needed)
        if missing:
            raise RefusedError(f"{FILE}: {name}: no metric {', '.join(sorted(missing))}")
    reasons = [
        reason
        for name, limit in sorted(declared.thresholds.items())
        if (reason := _outside(name, candidate[name], limit))
    ]
    if champion is not None:
        reasons += _not_better(declared, candidate[declared.metric], champion[declared.metric])
    return Result(candidate, champion, tuple(reasons))


def _outside(name: str, value: float, limit: Limit) -> str | None:
    if limit.min is not None and value < limit.min:
        return f"{name} {value:g} is below {limit.min:g}"
    if limit.max is not None and value > limit.max:
        return f"{name} {value:g} is above {limit.max:g}"
    return None


def _not_better(declared: Evaluation, candidate: float, champion: float) -> list[str]:
    """A candidate that is equal is not better, also without a margin."""
    gain = champion - candidate if declared.lower_is_better else candidate - champion
    # Numbers such as 0.93 - 0.92 are not exact.
    if gain > 0 and (gain >= declared.margin or math.isclose(gain, declared.margin, rel_tol=1e-9)):
        return []
    return [
        f"{declared.metric} {candidate:g} is not better than {champion:g} of the champion by "
        f"{declared.margin:g}"
    ]
