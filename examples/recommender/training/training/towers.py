"""Two linear towers, fitted in closed form on a CPU or a GPU, as a pipeline of scikit-learn.

The user tower maps a history to `factors` numbers, the item tower each item to as many; the product is the
item's score. Their product is the map of histories to next clicks with the least squared error among all of
this rank (reduced-rank ridge regression): with Z the centred histories, N the centred next clicks and w the
weights of examples

    W = (Z' w Z + ridge I)^-1 Z' w N
    V = the first eigenvectors of (Z W)' w (Z W)
    user tower: W V, item tower: V

The matrices are of items x items, summed over parts of the examples: memory does not grow with the users.
With more than some ten thousand items train by gradients instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from array_api_compat import numpy as numpy_namespace
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline

HISTORY: Final = "recent_items"
"""The column of a request that the model reads; others are for the monitor."""
PART: Final = 4096
"""Examples that are in memory at a time, as rows of all items."""
_ITEM: Final = re.compile(r"i(\d+)")

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """factors: numbers of each tower. ridge: how far an item's weights are drawn to zero. half_life_hours:
    after which an example counts half."""

    factors: int = 32
    ridge: float = 50.0
    half_life_hours: float = 48.0

    def __post_init__(self) -> None:
        if self.factors < 1:
            raise ValueError(f"factors: got {self.factors}; expected 1 or more")
        for name in ("ridge", "half_life_hours"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: got {getattr(self, name):g}; expected more than 0")


def device(name: str) -> tuple[ModuleType, Any]:
    """Return the array namespace and device of `cpu`, `cuda`, or `auto`: CUDA where PyTorch has one. Raises
    RuntimeError for `cuda` without one."""
    if name != "cpu":
        try:
            import torch
            from array_api_compat import torch as torch_namespace
        except ImportError:
            torch = None
        if torch is not None and torch.cuda.is_available():
            return torch_namespace, torch.device("cuda")
        if name == "cuda":
            raise RuntimeError("device: got cuda, and PyTorch with a GPU is not there; expected cpu or auto")
    return numpy_namespace, "cpu"


def items(*texts: pd.Series) -> int:
    """Return the number of items: one more than the largest number in texts such as `i7 i12`."""
    numbers = (int(number) for column in texts for text in column for number in _ITEM.findall(text))
    return max(numbers, default=-1) + 1


def _counts(count: int, *, binary: bool = False) -> CountVectorizer:
    vocabulary = {f"i{number}": number for number in range(count)}
    return CountVectorizer(vocabulary=vocabulary, token_pattern=r"\S+", lowercase=False, binary=binary)  # noqa: S106


def targets(texts: Sequence[str] | pd.Series, count: int) -> Any:
    """Return a sparse matrix of texts x items: 1 for an item of the text. Items beyond `count` are left
    out."""
    return _counts(count, binary=True).transform(texts)


def fit(
    histories: pd.Series, answers: pd.Series, ages: Numbers, settings: Settings, on: str = "cpu"
) -> Pipeline:
    """Fit the towers. ages: of the examples, in hours. on: `cpu`, `cuda` or `auto`. Returns a pipeline whose
    input is a data frame with the column HISTORY, and whose output are scores, item 0 first; it has
    scikit-learn's classes alone, so that the platform's server loads it."""
    count = items(histories, answers)
    weights = 0.5 ** (ages / settings.half_life_hours)
    # Weighted by 1 + log(count), and scaled to length 1. No inverse frequencies: they are what the towers
    # learn.
    texts = make_pipeline(_counts(count), TfidfTransformer(sublinear_tf=True, use_idf=False))
    reader = ColumnTransformer([("history", texts, HISTORY)], remainder="drop", sparse_threshold=1)
    inputs = reader.fit_transform(pd.DataFrame({HISTORY: histories})).tocsr()
    user, item, intercept = _solved(inputs, targets(answers, count), weights / weights.mean(), settings, on)
    return Pipeline([("history", reader), ("towers", _network(user, item, intercept))])


def _solved(
    inputs: Any, outputs: Any, weights: Numbers, settings: Settings, on: str
) -> tuple[Numbers, Numbers, Numbers]:
    """Return user tower (items x factors), item tower (factors x items), and the intercept."""
    xp, where = device(on)
    rows, count = inputs.shape

    def there(values: Any) -> Any:
        return xp.asarray(np.ascontiguousarray(values), device=where)

    mean_in = np.asarray(inputs.multiply(weights[:, None]).sum(axis=0)).ravel() / rows
    mean_out = np.asarray(outputs.multiply(weights[:, None]).sum(axis=0)).ravel() / rows
    z_mean, n_mean = there(mean_in), there(mean_out)
    gram, cross = (xp.zeros((count, count), dtype=xp.float64, device=where) for _ in range(2))
    for start in range(0, rows, PART):
        part = slice(start, start + PART)
        z = there(inputs[part].toarray()) - z_mean
        n = there(outputs[part].toarray().astype(np.float64)) - n_mean
        weighted = z.T * there(weights[part])
        gram, cross = gram + weighted @ z, cross + weighted @ n
    full = xp.linalg.solve(gram + settings.ridge * xp.eye(count, dtype=xp.float64, device=where), cross)
    # Eigenvalues ascend.
    _, vectors = xp.linalg.eigh(full.T @ gram @ full)
    item = vectors[:, -min(settings.factors, count) :]
    user = full @ item
    intercept = n_mean - (z_mean @ user) @ item.T
    return tuple(_numpy(values) for values in (user, item.T, intercept))  # pyright: ignore[reportReturnType]


def _numpy(values: Any) -> Numbers:
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values, dtype=np.float64)


def _network(user: Numbers, item: Numbers, intercept: Numbers) -> MLPRegressor:
    """Return the towers as a network of one linear layer, of which scikit-learn computes the output."""
    factors = user.shape[1]
    network = MLPRegressor(hidden_layer_sizes=(factors,), activation="identity")
    network.coefs_, network.intercepts_ = [user, item], [np.zeros(factors), intercept]
    network.n_layers_, network.n_outputs_, network.out_activation_ = 3, item.shape[1], "identity"
    network.n_features_in_, network.n_iter_, network.t_ = user.shape[0], 1, 1
    return network
