"""The tags of a model version that state what it was made of.

Training code sets them on its run (`mlflow.set_tags`) or on the version; those of the version prevail. A
release has a copy of them, so that later changes of the tags do not reach it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from model_release.errors import RefusedError

PREFIX: Final = "ai-platform."
SNAPSHOTS: Final = f"{PREFIX}snapshots"
FEATURE_VIEWS: Final = f"{PREFIX}feature_views"
CODE_COMMIT: Final = f"{PREFIX}code_commit"
IMAGE: Final = f"{PREFIX}image"
EVALUATION_SET: Final = f"{PREFIX}evaluation_set"
TAGS: Final[Mapping[str, str]] = {
    SNAPSHOTS: 'JSON object of tables and their Iceberg snapshots, {"curated.orders": 5123}',
    FEATURE_VIEWS: 'JSON object of feature views and their versions, {"customer_stats": "3"}; {} for none',
    CODE_COMMIT: "the commit of the training code, 40 hexadecimal digits",
    IMAGE: "the image of the training with its digest, NAME@sha256:...",
    EVALUATION_SET: "the table that the metrics were measured on, and its snapshot: curated.holdout@5124",
}
"""Tag -> what it has to contain."""

_JSON_TAGS: Final = (SNAPSHOTS, FEATURE_VIEWS)
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
_Image = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")]
_Set = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class Lineage(BaseModel):
    """What a version was made of. metrics: those of its run, measured on the evaluation set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    snapshots: Annotated[dict[_Text, int], Field(min_length=1)]
    feature_views: dict[_Text, _Text]
    code_commit: _Commit
    image: _Image
    evaluation_set: _Set
    run: _Text
    metrics: Annotated[dict[str, float], Field(min_length=1)]


def read(tags: Mapping[str, str], run: str | None, metrics: Mapping[str, float], name: str) -> Lineage:
    """Return the lineage of a version. name: of the version, for errors.

    Raises RefusedError, which names everything that is missing or malformed.
    """
    problems = [f"tag {tag}: missing; expected {TAGS[tag]}" for tag in TAGS if not tags.get(tag)]
    if not run:
        problems.append("no training run; expected a version that is registered from a run")
    elif not metrics:
        problems.append(f"run {run} has no metrics; expected at least one, of the evaluation set")
    values: dict[str, Any] = {tag.removeprefix(PREFIX): tags[tag] for tag in TAGS if tags.get(tag)}
    for tag in _JSON_TAGS:
        try:
            values[tag.removeprefix(PREFIX)] = json.loads(tags.get(tag) or "{}")
        except ValueError:
            problems.append(f"tag {tag}: no JSON; expected {TAGS[tag]}")
    if not problems:
        try:
            return Lineage(**values, run=run or "", metrics=dict(metrics))
        except ValidationError as error:
            problems = [_problem(entry) for entry in error.errors()]
    raise RefusedError(f"{name}: no release without lineage:\n  " + "\n  ".join(problems))


def _problem(entry: Any) -> str:
    field = str(entry["loc"][0])
    tag = f"{PREFIX}{field}"
    if tag not in TAGS:
        return f"{field}: {entry['msg']}"
    return f"tag {tag}: {entry['msg']}; expected {TAGS[tag]}"
