"""Models of each framework: which file of a release one is, and how it predicts.

A pickle runs code when it is loaded. The storage initializer has compared every file with the manifest of the
release, so it is the code that the release was promoted with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy

Predict = Callable[[Any], Any]
"""Rows of features -> predictions, as arrays."""


class ModelError(Exception):
    """A folder that has no model, or several."""


@dataclass(frozen=True)
class Framework:
    """patterns: of the names of its files, the preferred one first. load: returns how a file predicts."""

    patterns: Sequence[str]
    load: Callable[[Path], Predict]


def find(folder: Path, patterns: Sequence[str]) -> Path:
    """Return the file of the model: the only one that has a name of the first pattern that fits any.

    MLflow stores other files next to it, such as examples of inputs. Raises ModelError.
    """
    for pattern in patterns:
        files = sorted(path for path in folder.rglob(pattern) if path.is_file())
        if len(files) > 1:
            names = ", ".join(path.relative_to(folder).as_posix() for path in files)
            raise ModelError(f"{folder}: got {names}; expected one file {pattern}")
        if files:
            return files[0]
    raise ModelError(f"{folder}: no file {' or '.join(patterns)}; expected the model")


def _scikit_learn(path: Path) -> Predict:
    import joblib

    # It reads plain pickles, too.
    return joblib.load(path).predict


def _xgboost(path: Path) -> Predict:
    import xgboost

    booster = xgboost.Booster(model_file=str(path))

    def predict(rows: Any) -> Any:
        if hasattr(rows, "columns"):
            return booster.predict(xgboost.DMatrix(rows))
        return booster.inplace_predict(numpy.asarray(rows))

    return predict


FRAMEWORKS: Final[Mapping[str, Framework]] = {
    "sklearn": Framework(("*.joblib", "*.pkl", "*.pickle"), _scikit_learn),
    "xgboost": Framework(("*.ubj", "model.json"), _xgboost),
}


def load(framework: str, folder: Path) -> Predict:
    """Return how the model of a folder predicts. Raises ModelError."""
    known = FRAMEWORKS[framework]
    return known.load(find(folder, known.patterns))
