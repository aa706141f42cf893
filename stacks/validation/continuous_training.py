"""What continuous training needs of other topics: tables, feature views, runtimes, services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiplatform._shared.args import ArgumentError, Problem, nearest, read
from aiplatform.addons.permissions.settings import KEDA
from aiplatform.continuous_training.training import template_name
from aiplatform.training.args import TrainingSettings
from stacks.continuous_training_arguments import declared, tables_of
from stacks.settings import Settings
from stacks.settings.generated import stated

_TOPIC: Final = "continuous_training"
_NEEDED: Final[Mapping[str, str]] = {
    "lakehouse": "it trains on its tables",
    "model_registry": "it registers versions there",
    "model_store": "it requests promotions from it",
    "pipelines": "its steps are workflows",
    "training": "it creates TrainJobs",
}


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what continuous training lacks, and schedules that start a training that there is not."""
    yield from _schedules(settings)
    if settings.continuous_training is None:
        return
    for topic, reason in _NEEDED.items():
        if getattr(settings, topic) is None:
            yield Problem(_TOPIC, f"{reason}, and the file has none; expected the topic {topic}")
    option = settings.addons.options.get(KEDA) if settings.addons is not None else None
    if option is None or not option.enabled:
        yield Problem(
            f"addons.options.{KEDA}.enabled",
            "not true, and it handles messages of continuous training; expected true",
        )
    if settings.model_store is not None and stated(settings.model_store).get("image") is None:
        yield Problem("model_store.image", "missing, and it promotes; expected the image, with its digest")
    for team, models in declared(settings).items():
        yield from _team(settings, team)
        for name, model in models.items():
            yield from _model(settings, team, name, model)


def _team(settings: Settings, team: str) -> Iterator[Problem]:
    path = f"{_TOPIC}.teams.{team}"
    if team not in settings.teams:
        expected = nearest(team, settings.teams) or "; expected a team of the topic teams"
        yield Problem(path, f"no team has this name{expected}")
        return
    if settings.pipelines is not None and team not in stated(settings.pipelines)["teams"]:
        yield Problem(path, f"the team has no pipelines; expected pipelines.teams.{team}, if only as {{}}")
    if stated(settings.teams[team]).get("queue") is None:
        yield Problem(f"teams.{team}.queue", "missing, and its TrainJobs wait for quota; expected a queue")


def _model(settings: Settings, team: str, name: str, model: Mapping[str, Any]) -> Iterator[Problem]:
    path = f"{_TOPIC}.teams.{team}.models.{name}"
    yield from _tables(settings, path, model)
    service = model.get("service")
    if service is not None:
        yield from _service(settings, team, f"{path}.service", name, service)


def _tables(settings: Settings, path: str, model: Mapping[str, Any]) -> Iterator[Problem]:
    if settings.lakehouse is None:
        return
    lakehouse = stated(settings.lakehouse)
    tables = [f"{table['zone']}.{table['name']}" for table in lakehouse.get("tables", [])]
    for key, table in tables_of(model):
        if table not in tables:
            yield Problem(
                f"{path}.{key}",
                f"the lakehouse has no table {table!r}; expected ZONE.NAME of a declared one"
                f"{nearest(table, tables)}",
            )
    if model.get("on_data") and lakehouse.get("store") == "s3_tables":
        yield Problem(
            f"{path}.on_data",
            "got true, and the tables are in S3 Tables, which notify of no commits; expected a schedule",
        )
    views: list[str] = (
        stated(settings.feature_store).get("feature_views", []) if settings.feature_store is not None else []
    )
    for view in model.get("feature_views", {}):
        if view not in views:
            yield Problem(
                f"{path}.feature_views.{view}",
                f"the feature store has no view {view!r}; expected one of feature_store.feature_views"
                f"{nearest(view, views)}",
            )


def runtime_problems(settings: Settings, training: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield runtimes that training does not have. training: the arguments of the component Training; where
    they have problems nothing is yielded."""
    try:
        runtimes = list(read(TrainingSettings, training, "Args").all_runtimes)
    except ArgumentError:
        return
    for team, models in declared(settings).items():
        for name, model in models.items():
            for part in ("training", "evaluation"):
                runtime = model[part].get("runtime")
                if runtime is not None and runtime not in runtimes:
                    yield Problem(
                        f"{_TOPIC}.teams.{team}.models.{name}.{part}.runtime",
                        f"training has no runtime {runtime!r}; expected one of {', '.join(runtimes)}"
                        f"{nearest(runtime, runtimes)}",
                    )


def _service(settings: Settings, team: str, path: str, model: str, service: str) -> Iterator[Problem]:
    if settings.serving is None:
        yield Problem(
            path, "it is rolled out to a service, and the file has none; expected the topic serving"
        )
        return
    if "rollouts" not in stated(settings.serving):
        yield Problem(
            path, "serving has no rollouts, by which it would be rolled out; expected serving.rollouts"
        )
    services: dict[str, Any] = stated(settings.serving).get("teams", {}).get(team, {}).get("services", {})
    if service not in services:
        yield Problem(
            path,
            f"the team has no service {service!r}; expected one of serving.teams.{team}.services"
            f"{nearest(service, services)}",
        )
    elif services[service]["model"] != model:
        yield Problem(
            path,
            f"{service!r} serves the model {services[service]['model']!r}; expected one that serves "
            f"{model!r}",
        )


def _schedules(settings: Settings) -> Iterator[Problem]:
    """Yield schedules of pipelines that start the training of a model that the team has not."""
    if settings.pipelines is None:
        return
    models = declared(settings)
    first = template_name("")
    for team, entry in stated(settings.pipelines)["teams"].items():
        known = [template_name(model) for model in models.get(team, {})]
        for name, schedule in entry.get("schedules", {}).items():
            # A team may have a template of such a name, unless its models are declared.
            if known and schedule["template"].startswith(first) and schedule["template"] not in known:
                yield Problem(
                    f"pipelines.teams.{team}.schedules.{name}.template",
                    f"the team has no model that {schedule['template']!r} trains; expected one of "
                    f"{', '.join(known)}{nearest(schedule['template'], known)}",
                )
