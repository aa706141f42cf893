"""What the environment's file declares of the models of a team: the ConfigMap `continuous-training`, in the
file that the variable MODELS_FILE names."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training_steps.errors import RefusedError

FILE: Final = "/etc/continuous-training/models.json"
"""The file by default."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeatureView(_Part):
    """A feature view. table: its source, which is pinned with the table of the training."""

    version: str
    table: str


class Job(_Part):
    """A TrainJob of the team. args: with placeholders (`${TABLE}`)."""

    runtime: str
    image: str
    code_commit: str
    nodes: int
    args: tuple[str, ...]
    priority_class: str


class Limit(_Part):
    """What a metric has to be at least and at most."""

    min: float | None = None
    max: float | None = None


class Prompt(_Part):
    """A prompt, and the answer that is expected."""

    prompt: str
    expected: str


class Evaluation(_Part):
    """How a version is compared. metric, lower_is_better and margin: when it is better than the champion."""

    kind: Literal["metrics", "prompts"]
    job: Job
    metric: str
    lower_is_better: bool
    margin: Annotated[float, Field(ge=0, le=1)]
    thresholds: Mapping[str, Limit]
    prompts: tuple[Prompt, ...] = ()
    match: Literal["exact", "contains"] = "exact"


class Model(_Part):
    """A model that is trained continuously. service: what is rolled out when it is promoted; None: nothing.
    on_data: whether a changed table starts a training."""

    table: str
    feature_views: Mapping[str, FeatureView]
    training: Job
    evaluation: Evaluation
    service: str | None = None
    rollout: Mapping[str, str] = Field(default_factory=dict)
    on_data: bool = False


def models() -> Mapping[str, Model]:
    """Return the declared models by their names. Raises RefusedError for a file of another form."""
    file = Path(os.environ.get("MODELS_FILE") or FILE)
    try:
        return {name: Model.model_validate(entry) for name, entry in json.loads(file.read_text()).items()}
    except (OSError, ValueError, ValidationError, AttributeError) as error:
        raise RefusedError(f"{file}: {error}; expected the ConfigMap of the platform") from error


def model(name: str) -> Model:
    """Return a declared model. Raises RefusedError for an unknown one."""
    known = models()
    if name not in known:
        raise RefusedError(
            f"model {name!r}: expected one of {', '.join(sorted(known)) or 'none: the file is empty'}"
        )
    return known[name]
