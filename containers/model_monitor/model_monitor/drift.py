"""How far the values of columns are from those of the baseline: scores by Evidently, and when they are drift.

Large samples make every difference significant, and many columns make one of them different by chance. So a
column has drifted where a distance reaches its threshold **and** a test finds it significant, at a level that
is divided by the number of columns; or where values are missing more or less often, or are unseen
(docs/drift-detection.md).
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from model_monitor.declaration import TESTS, Column, Prediction
from model_monitor.tables import text_of

# Before Evidently is imported.
os.environ.setdefault("DO_NOT_TRACK", "1")

DISTANCES: Final = ("psi", "wasserstein", "jensenshannon")
LEAST: Final = 30
"""Values on each side that distances need, and in the window `unseen`; with fewer only `missing` is a
score."""
GROUPS: Final = 30
"""Categories of the baseline that are compared one by one, the most frequent ones; all others are one group.
With hundreds of them a small sample is far from every baseline."""
OTHER: Final = "(other)"


@dataclass(frozen=True)
class Score:
    """A score of a column. threshold: of this run. drifted: whether it is part of the reason."""

    column: str
    score: str
    value: float
    threshold: float
    drifted: bool

    @property
    def below(self) -> bool:
        """Whether a value below the threshold is drift; otherwise one that reaches it is."""
        return self.score in TESTS

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it; readers of a result take the direction from it."""
        return {**asdict(self), "value": float(f"{self.value:.6g}"), "below": self.below}


@dataclass(frozen=True)
class Comparison:
    """scores: of all columns. missing and unseen: column -> share."""

    scores: Sequence[Score]
    missing: Mapping[str, float]
    unseen: Mapping[str, float]

    @property
    def columns(self) -> list[str]:
        """The compared columns."""
        return list(dict.fromkeys(score.column for score in self.scores))

    @property
    def drifted(self) -> list[str]:
        """The columns that have drifted."""
        return list(dict.fromkeys(score.column for score in self.scores if score.drifted))


def frame(table: pa.Table, columns: Mapping[str, Column | Prediction]) -> pd.DataFrame:
    """Return columns as Evidently compares them. columns: name in the table -> declaration."""
    values: dict[str, Any] = {}
    for source, column in columns.items():
        if column.type == "number":
            # Large integers lose digits, as they do in Python.
            numbers = table[source].cast(pa.float64(), safe=False).to_numpy()
            values[column.name] = np.where(np.isfinite(numbers), numbers, math.nan)
        else:
            values[column.name] = _categories(table[source])
    return pd.DataFrame(values)


def _categories(listed: pa.ChunkedArray) -> pd.Series:
    """Return values as categories, equal ones as the same object: a text for each would be most of the
    memory of a run."""
    encoded = listed.combine_chunks().dictionary_encode()
    texts = [text_of(value) for value in encoded.dictionary.to_pylist()]
    names = np.array([*texts, None], dtype=object)
    return pd.Series(names[encoded.indices.fill_null(len(texts)).to_numpy()], dtype=object)


def compare(
    reference: Mapping[str, pd.Series] | pd.DataFrame,
    current: pd.DataFrame,
    columns: Sequence[Column | Prediction],
    categories: Mapping[str, set[str] | None],
) -> Comparison:
    """Compare columns that both have; those of the reference may differ in length. categories: column -> its
    values in the whole baseline, or None for too many of them: `unseen` is not a score then."""
    known = {column.name: column for column in columns if column.name in reference and column.name in current}
    values = {
        name: _evidently(reference[name], current[name], column)
        for name, column in known.items()
        if min(reference[name].count(), current[name].count()) >= LEAST
    }
    missing = {name: float(current[name].isna().mean()) for name in known}
    unseen = {
        name: _unseen(current[name], seen)
        for name, column in known.items()
        if column.type == "category"
        and (seen := categories.get(name)) is not None
        and current[name].count() >= LEAST
    }
    scores: list[Score] = []
    for name, column in known.items():
        limits = {
            score: limit / len(known) if score in TESTS else limit for score, limit in column.limits.items()
        }
        scores += _of_distances(name, values.get(name, {}), limits)
        scores.append(_of_missing(name, reference[name], current[name], limits["missing"], len(known)))
        if name in unseen:
            share, limit = unseen[name], limits["unseen"]
            scores.append(Score(name, "unseen", share, limit, share >= limit))
    return Comparison(scores, missing, unseen)


def _of_distances(name: str, values: Mapping[str, float], limits: Mapping[str, float]) -> Iterator[Score]:
    significant = any(values[score] < limits[score] for score in TESTS & values.keys())
    far = {score for score in DISTANCES if score in values and values[score] >= limits[score]}
    for score, value in values.items():
        reached = score in far or (score in TESTS and value < limits[score])
        yield Score(name, score, value, limits[score], bool(reached and significant and far))


def _of_missing(name: str, reference: pd.Series, current: pd.Series, limit: float, columns: int) -> Score:
    """Return the difference between the shares of missing values, which has to be significant, too."""
    from scipy.stats import fisher_exact

    counts = [[int(side.isna().sum()), int(side.count())] for side in (reference, current)]
    difference = abs(float(current.isna().mean()) - float(reference.isna().mean()))
    significant = difference >= limit and fisher_exact(counts)[1] < _LEVEL / columns
    return Score(name, "missing", difference, limit, bool(significant))


_LEVEL: Final = 0.001


def _unseen(values: pd.Series, seen: set[str]) -> float:
    return float((~values.dropna().isin(list(seen))).mean())


def grouped(reference: pd.Series, current: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return categories with the rare ones of the baseline as one; missing ones stay."""
    kept = list(reference.value_counts().index[:GROUPS])

    def group(values: pd.Series) -> pd.Series:
        return values.where(values.isna() | values.isin(kept), OTHER)

    return group(reference), group(current)


def _evidently(reference: pd.Series, current: pd.Series, column: Column | Prediction) -> dict[str, float]:
    """Return score -> value of a column, by the methods that Evidently registers under these names."""
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if column.type == "number" else ColumnType.Categorical
    if column.type == "category":
        reference, current = grouped(reference, current)
    # As Evidently's own metric does.
    sides = (reference.dropna(), current.dropna())
    values: dict[str, float] = {}
    for score, limit in column.limits.items():
        if score in TESTS or score in DISTANCES:
            with warnings.catch_warnings():
                # Chi-square of a category that the baseline lacks: infinite, and its p-value 0.
                warnings.simplefilter("ignore", RuntimeWarning)
                value = float(get_stattest(*sides, kind, score)(*sides, kind, limit).drift_score)
            # A test of two equal constants has no p-value.
            values[score] = value if math.isfinite(value) else float(score in TESTS)
    return values
