"""The arguments of the component ContinuousTraining: what the file states, and what the layers below offer.
Pure: no resource, no call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pulumi import Input, Output

from aiplatform._shared.args import UNKNOWN
from aiplatform._shared.images import images, mirrored
from aiplatform.continuous_training.args import ContinuousTrainingArgs
from stacks.key_grants import with_key_grants
from stacks.serving_images import release_image
from stacks.settings import Settings
from stacks.settings.generated import stated

EXECUTOR: Final = "argo-executor"
"""The image of Argo's executor, in images.toml."""


@dataclass(frozen=True)
class Offered:
    """What the layers below offer: outputs of components, or placeholders of them."""

    cluster: Mapping[str, Any]
    workload_identities: Mapping[str, Any]
    lakehouse: Mapping[str, Any]
    promoter: Input[str]


def declared(settings: Settings) -> dict[str, dict[str, dict[str, Any]]]:
    """Return team -> model -> what the file states of it."""
    topic: dict[str, Any] = (
        stated(settings.continuous_training) if settings.continuous_training is not None else {}
    )
    return {name: team.get("models", {}) for name, team in topic.get("teams", {}).items()}


def tables_of(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield key and path of the tables of a model: `table`, `feature_views.NAME.table`."""
    yield "table", model["table"]
    for name, view in model.get("feature_views", {}).items():
        yield f"feature_views.{name}.table", view["table"]


def uses_table_events(settings: Settings) -> bool:
    """Whether commits to tables start trainings, of which the buckets of AWS have to notify."""
    models = (model for team in declared(settings).values() for model in team.values())
    return settings.environment.cloud == "aws" and any(model.get("on_data") for model in models)


def workflows(settings: Settings) -> dict[str, Any]:
    """Return the argument `workflows` of the model store."""
    return {"executor_image": mirrored(images()[EXECUTOR].reference, settings.images.mirrors)}


def continuous_training(settings: Settings, offered: Offered) -> ContinuousTrainingArgs:
    """Arguments of continuous training."""
    assert settings.continuous_training is not None, "called only where there is some"  # noqa: S101
    args = with_key_grants(settings, stated(settings.continuous_training))
    args["teams"] = {
        name: {
            **team,
            "namespace": settings.namespace_of(name),
            "identity": offered.workload_identities[name],
            "models": {
                model: _model(entry, offered.lakehouse) for model, entry in team.get("models", {}).items()
            },
        }
        for name, team in args.get("teams", {}).items()
    }
    args.update(
        prefix=settings.environment.prefix,
        cluster=offered.cluster,
        profile=settings.environment.profile,
        release_image=release_image(settings),
        promoter=offered.promoter,
    )
    if settings.environment.cloud == "aws":
        args["tags"] = settings.environment.all_tags
    return cast("ContinuousTrainingArgs", args)


def _model(model: Mapping[str, Any], lakehouse: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model with its tables as the catalog names them."""
    tables = lakehouse.get("tables", UNKNOWN)
    views = {
        name: {**view, "table": table_name(tables, view["table"])}
        for name, view in model.get("feature_views", {}).items()
    }
    return {
        **model,
        "table": table_name(tables, model["table"]),
        **({"feature_views": views} if views else {}),
        **(
            {"locations": [_of_table(tables, path, _location) for _, path in tables_of(model)]}
            if model.get("on_data")
            else {}
        ),
    }


def table_name(tables: Any, path: str) -> Input[str]:
    """Return `database.table` of the catalog. tables: an output of the lakehouse, or a placeholder. path:
    `ZONE.NAME`."""
    return _of_table(tables, path, _name)


def _name(table: Mapping[str, Any]) -> str:
    return f"{table['database']}.{table['name']}"


def _location(table: Mapping[str, Any]) -> str:
    return str(table["location"])


def _of_table(tables: Any, path: str, value: Any) -> Input[str]:
    """Return a value of the table ZONE.NAME. tables: an output of the lakehouse, or a placeholder."""
    if tables is UNKNOWN:
        return UNKNOWN

    def find(known: Sequence[Mapping[str, Any]]) -> str:
        return value(next(table for table in known if f"{table['zone']}.{table['name']}" == path))

    return Output.from_input(tables).apply(find)
