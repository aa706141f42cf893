"""The variants of continuous training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.components.aiplatform.continuous_training.example import model, on_data, training
from tests.components.recording import ACCOUNT, REGION, Recording


def _recorded(cloud: str, **more: Any) -> Callable[[], Recording]:
    return lambda: training(cloud, **more)


_PROMPTS: Final = model(
    evaluation={
        "kind": "prompts",
        "metric": "correct",
        "prompts": [{"prompt": "2 + 2?", "expected": "4"}],
        "match": "contains",
        "thresholds": {"correct": {"min": 0.9}},
    }
)
CONTINUOUS_TRAINING: Final[Mapping[str, Callable[[], Recording]]] = {
    "aws": _recorded("aws"),
    "aws-full": _recorded(
        "aws",
        team={"models": {"fares": on_data("aws"), "answers": _PROMPTS}},
        profile="prod",
        promotion_disk_gib=40,
        kms_key=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        tags={"team": "ml"},
    ),
    "gcp": _recorded("gcp"),
    "gcp-on-data": _recorded("gcp", model=on_data("gcp"), profile="prod", tags={"team": "ml"}),
}
