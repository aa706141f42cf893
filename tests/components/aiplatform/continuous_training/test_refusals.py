"""Arguments that are refused, by their paths."""

from __future__ import annotations

from typing import Any

import pytest

from aiplatform._shared.args import ArgumentError
from tests.components.aiplatform.continuous_training.example import model, on_data, training


def problems(cloud: str = "aws", **more: Any) -> str:
    with pytest.raises(ArgumentError) as refused:
        training(cloud, **more)
    return str(refused.value)


@pytest.mark.parametrize("margin", [-0.01, 1.01])
def test_a_margin_outside_of_0_to_1_is_refused(margin: float) -> None:
    message = problems(model=model(evaluation={"margin": margin}))
    assert f"teams.search.models.fares.evaluation.margin: got {margin}; expected 0 to 1" in message


def test_prod_requires_thresholds() -> None:
    assert "teams.search.models.fares.evaluation.thresholds: missing" in problems(profile="prod")
    training("aws", profile="prod", model=on_data("aws"))


def test_data_needs_the_location_of_each_table() -> None:
    changed = {**on_data("aws"), "locations": ["s3://acme-dev-curated/tables/orders"]}
    assert "teams.search.models.fares.locations: got 1; expected those of its 2 tables" in problems(
        model=changed
    )


@pytest.mark.parametrize("name", ["Fares", "fa_res", "f" * 23, "-fares", "1fares"])
def test_a_model_has_a_name_from_which_pods_get_theirs(name: str) -> None:
    assert f"with '{name}'; expected names of" in problems(team={"models": {name: model()}})


def test_the_longest_name_of_a_model_fits_pods_of_its_evaluation() -> None:
    workflow = f"train-{'f' * 22}-1767225600"
    assert len(f"{workflow}-eval-node-0-0-abcde") <= 63


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"image": "training-steps:1"}, "image: got 'training-steps:1'; expected an image with a digest"),
        ({"prefix": "a" * 60}, "prefix: "),
        ({"team": {"models": {}}}, "teams.search.models: "),
        ({"promotion_disk_gib": 0}, "promotion_disk_gib: got 0; expected 1 to 1000 GiB"),
        ({"kms_key": "mine"}, "kms_key: got 'mine'"),
    ],
)
def test_a_wrong_argument_is_named(more: dict[str, Any], message: str) -> None:
    assert message in problems(**more)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"rollout": {"weights": [10, 50]}, "service": "fares"},
            "rollout.weights: got [10, 50]; expected weights",
        ),
        ({"rollout": {"step_minutes": 5}}, "rollout: got values without a service"),
        ({"evaluation": {"args": ["$(id) ${"]}}, "evaluation.args[0]: "),
        ({"evaluation": {"args": ["${CHAMPIONS}"]}}, "unknown placeholder 'CHAMPIONS'; expected one of"),
        (
            {"evaluation": {"kind": "prompts", "prompts": [{"prompt": "a", "expected": "b"}]}},
            "evaluation.metric: got 'accuracy'; expected 'correct'",
        ),
        (
            {
                "evaluation": {
                    "kind": "prompts",
                    "metric": "correct",
                    "prompts": [{"prompt": "a" * 8000, "expected": "b"}] * 9,
                }
            },
            "expected at most 65536 of all prompts",
        ),
        (
            {"schedule": {"schedules": ["0 3 * *"]}},
            "schedule.schedules[0]: got '0 3 * *'",
        ),
        ({"schedule": {"schedules": ["0 3 * * *"], "timezone": "CEST"}}, "schedule.timezone: got 'CEST'"),
    ],
)
def test_a_wrong_model_is_named(change: dict[str, Any], message: str) -> None:
    text = problems(model=model(**change))
    assert f"teams.search.models.fares.{message}" in text or message in text
