"""The towers, and how good they are on 50,000 clicks."""

from __future__ import annotations

import io
import pickle
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shop.events import FIRST_DAY, Shop
from training import evaluation, towers
from training.data import Examples, Split, split

CLICKS, DAYS = 50_000, 14
STEP = timedelta(hours=12)


def examples(clicks: list[dict[str, Any]], recent: int = 20) -> pd.DataFrame:
    """Rows as the features' program makes them: each user with a click before and after a moment."""
    of_users: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for click in clicks:
        of_users[click["user_id"]].append(
            (datetime.fromisoformat(click["happened_at"]), f"i{click['item_id']}")
        )
    moments = sorted(
        {
            FIRST_DAY + int((time - FIRST_DAY) / STEP) * STEP
            for known in of_users.values()
            for time, _ in known
        }
    )
    rows = []
    for user, known in of_users.items():
        for moment in moments:
            before = [item for time, item in known if time < moment][-recent:]
            after = dict.fromkeys(item for time, item in known if moment <= time < moment + STEP)
            if before and after:
                rows.append((user, moment, " ".join(before), " ".join(after)))
    return pd.DataFrame(rows, columns=["user_id", "moment", "recent_items", "next_items"])


@pytest.fixture(scope="session")
def shop() -> Split:
    """The examples of 50,000 clicks."""
    return split(examples(list(Shop().days(0, DAYS, CLICKS))))  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="session")
def model(shop: Split) -> Any:
    """The model of these examples."""
    return fitted(shop)


def fitted(data: Split, **settings: Any) -> Any:
    known = data.known
    return towers.fit(known.histories, known.answers, known.ages, towers.Settings(**settings))


def recall(model: Any, data: Split) -> float:
    return evaluation.measure(evaluation.scores(model, data.held_back), data.held_back)["recall_at_10"]


def test_it_is_better_than_popularity_by_half_on_clicks_that_are_held_back(shop: Split, model: Any) -> None:
    own = evaluation.measure(evaluation.scores(model, shop.held_back), shop.held_back)
    popular = evaluation.measure(evaluation.popular(shop.known, shop.held_back), shop.held_back)
    for metric in ("recall_at_10", "ndcg_at_10"):
        assert own[metric] > 1.5 * popular[metric], (
            f"{metric}: {own[metric]:.3f}, popularity {popular[metric]:.3f}"
        )


def test_one_factor_is_worse_than_many(shop: Split, model: Any) -> None:
    assert recall(fitted(shop, factors=1), shop) < recall(model, shop) - 0.03


def test_a_shop_without_tastes_has_nothing_to_learn_but_popularity() -> None:
    indifferent = Shop(taste_strength=0.0, users=300, items=50)
    data = split(examples(list(indifferent.days(0, 6, 6000))))  # pyright: ignore[reportArgumentType]
    popular = evaluation.measure(evaluation.popular(data.known, data.held_back), data.held_back)[
        "recall_at_10"
    ]
    assert recall(fitted(data), data) < 1.3 * popular, "the evaluation would reward whatever model"


def test_a_training_with_the_shifted_day_is_better_on_it_than_one_before(model: Any) -> None:
    clicks = [*Shop().days(0, DAYS, CLICKS), *Shop().clicks(DAYS, 8000, shift=0.6)]
    data = split(examples(clicks))  # pyright: ignore[reportArgumentType]
    assert recall(fitted(data), data) > recall(model, data) + 0.02


def test_the_held_back_moment_is_not_part_of_the_training(shop: Split) -> None:
    assert shop.known.ages.min() >= STEP / timedelta(hours=1)
    assert shop.held_back.ages.max() == 0


def test_the_towers_are_the_best_map_of_their_rank(shop: Split) -> None:
    """With all factors it is the ridge regression, which scikit-learn solves on its own."""
    from sklearn.linear_model import Ridge

    rows = slice(0, 3000)
    known = Examples(shop.known.histories[rows], shop.known.answers[rows], np.zeros(3000))
    model = towers.fit(known.histories, known.answers, known.ages, towers.Settings(factors=400))
    inputs = model.named_steps["history"].transform(pd.DataFrame({towers.HISTORY: known.histories}))
    outputs = towers.targets(known.answers, inputs.shape[1]).toarray()
    ridge = Ridge(alpha=towers.Settings().ridge).fit(inputs.toarray(), outputs)
    np.testing.assert_allclose(evaluation.scores(model, known), ridge.predict(inputs.toarray()), atol=1e-8)


def test_the_same_examples_are_the_same_model(shop: Split, model: Any) -> None:
    first, second = (evaluation.scores(fit, shop.held_back) for fit in (model, fitted(shop)))
    np.testing.assert_allclose(first, second, rtol=1e-9)


def test_the_model_has_classes_of_scikit_learn_alone(model: Any) -> None:
    """containers/model_server has no module of this example."""
    names = set()

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            names.add(module.partition(".")[0])
            return super().find_class(module, name)

    loaded = Reader(io.BytesIO(pickle.dumps(model))).load()
    assert names <= {"sklearn", "numpy", "scipy", "builtins", "collections"}, names
    request = pd.DataFrame({"clicks": [2], "recent_items": ["i3 i4 i999999"]})
    assert loaded.predict(request).shape == (1, 400), "an item that is unknown to the model is left out"


def test_a_user_without_history_gets_the_scores_of_everybody(shop: Split, model: Any) -> None:
    [scores] = model.predict(pd.DataFrame({towers.HISTORY: [""]}))
    popular = evaluation.popular(shop.known, shop.held_back)[0]
    assert np.corrcoef(scores, popular)[0, 1] > 0.8


@pytest.mark.parametrize(
    "wrong", [{"factors": 0}, {"ridge": 0.0}, {"half_life_hours": -1.0}], ids=lambda wrong: next(iter(wrong))
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}: got"):
        towers.Settings(**wrong)


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RuntimeError, match="PyTorch with a GPU is not there"):
        towers.device("cuda")
    assert towers.device("auto")[1] == "cpu"


def test_another_array_library_fits_the_same_towers(
    shop: Split, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The strict one has the standard's functions alone, which PyTorch has on a GPU."""
    import array_api_strict

    where = array_api_strict.Device("CPU_DEVICE")
    monkeypatch.setattr(towers, "device", lambda _: (array_api_strict, where))
    own, other = (evaluation.scores(fit, shop.held_back) for fit in (model, fitted(shop)))
    np.testing.assert_allclose(own, other, atol=1e-9)
