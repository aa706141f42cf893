"""How good the best ten items are, on examples that no training read: recall and NDCG at 10, and those of
popularity.

A model recommends items that are not in the user's recent history; so an example counts where the user
clicked another item next.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.data import Examples
from training.towers import HISTORY, items, targets

K: Final = 10
Numbers = npt.NDArray[np.float64]


def scores(model: Any, examples: Examples) -> Numbers:
    """Return the scores of a model: examples x items."""
    return np.atleast_2d(model.predict(pd.DataFrame({HISTORY: examples.histories})))


def popular(known: Examples, examples: Examples) -> Numbers:
    """Return what popularity scores: how often each item was clicked in the examples that are known, for all
    alike."""
    count = items(known.histories, known.answers)
    frequency = np.asarray(targets(known.answers, count).sum(axis=0), dtype=np.float64).ravel()
    return np.tile(frequency, (len(examples.answers), 1))


def measure(scored: Numbers, examples: Examples) -> dict[str, float]:
    """Return `recall_at_10`: the share of the next items that are among the best ten (of ten at most); and
    `ndcg_at_10`, which counts a higher place more. Raises ValueError where no example counts."""
    # Items that a model does not know are behind all that it knows; one without any click is no item.
    count = max(items(examples.histories, examples.answers), scored.shape[1])
    seen = targets(examples.histories, count).toarray() > 0
    wanted = (targets(examples.answers, count).toarray() > 0) & ~seen
    rest = np.full((len(scored), count - scored.shape[1]), -np.inf)
    ranked = np.where(seen, -np.inf, np.hstack([scored, rest]))
    counted = wanted.any(axis=1)
    if not counted.any():
        raise ValueError(
            "no example has a next item that is not in its history; expected some at the last moment"
        )
    best = np.argsort(-ranked[counted], axis=1, kind="stable")[:, :K]
    hits = np.take_along_axis(wanted[counted], best, axis=1)
    possible = np.minimum(wanted[counted].sum(axis=1), K)
    gains = 1 / np.log2(np.arange(2, K + 2))
    ideal = np.concatenate([[0], np.cumsum(gains)])[possible]
    return {
        f"recall_at_{K}": float((hits.sum(axis=1) / possible).mean()),
        f"ndcg_at_{K}": float(((hits * gains).sum(axis=1) / ideal).mean()),
    }
