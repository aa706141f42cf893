"""A promotion only where a metric is better than that of the version that has the alias."""

from __future__ import annotations

import math
from dataclasses import dataclass

from model_release.errors import RefusedError
from model_release.lineage import Lineage


@dataclass(frozen=True)
class Comparison:
    """What a version must be better in. margin: by how much at least, in the metric's unit, 0 to 1."""

    alias: str
    metric: str
    margin: float = 0.0
    lower_is_better: bool = False

    def __post_init__(self) -> None:
        # False for NaN, too.
        if not 0 <= self.margin <= 1:
            raise RefusedError(f"margin: got {self.margin}; expected a number from 0 to 1")

    def check(self, candidate: Lineage, current: Lineage | None) -> None:
        """Raise RefusedError where the candidate is not better. current: of the version that has the alias;
        None where none has it: then the metric only has to exist."""
        new = self._metric(candidate, "the version")
        if current is None:
            return
        if candidate.evaluation_set != current.evaluation_set:
            raise RefusedError(
                f"{self.metric}: the version was evaluated on {candidate.evaluation_set}, {self.alias} on "
                f"{current.evaluation_set}; expected the same evaluation set"
            )
        old = self._metric(current, self.alias)
        gain = old - new if self.lower_is_better else new - old
        # 0.82 - 0.81 is a little less than 0.01 in binary.
        if gain < self.margin and not math.isclose(gain, self.margin, rel_tol=1e-9, abs_tol=1e-12):
            direction = "below" if self.lower_is_better else "above"
            raise RefusedError(
                f"{self.metric}: got {new}; expected at least {self.margin} {direction} that of "
                f"{self.alias}, {old}"
            )

    def _metric(self, lineage: Lineage, name: str) -> float:
        value = lineage.metrics.get(self.metric)
        if value is None or not math.isfinite(value):
            known = ", ".join(sorted(lineage.metrics))
            raise RefusedError(f"{self.metric}: {name} has no such metric; expected one of {known}")
        return value
