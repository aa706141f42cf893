"""The arguments of the component ModelMonitor: what the file states, and what the layers below offer. Pure:
no resource, no call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pulumi import Input, Output

from aiplatform._shared.args import UNKNOWN
from aiplatform.addons.catalog import catalog
from aiplatform.model_monitor.args import PUSHGATEWAY, ModelMonitorArgs
from aiplatform.serving.llm_logs import ENGINE as MEASURED
from stacks import continuous_training_arguments, data_arguments
from stacks.continuous_training_arguments import table_name
from stacks.serving_images import engine_of
from stacks.settings import Settings
from stacks.settings.generated import stated


@dataclass(frozen=True)
class Offered:
    """What the layers below offer: outputs of components, or placeholders of them. queues: of
    ContinuousTraining; None without it."""

    cluster: Mapping[str, Any]
    workload_identities: Mapping[str, Any]
    lakehouse: Mapping[str, Any]
    queues: Any


def declared(settings: Settings) -> dict[str, dict[str, dict[str, Any]]]:
    """Return team -> model -> what the file states of its monitor."""
    topic: dict[str, Any] = stated(settings.model_monitor) if settings.model_monitor is not None else {}
    return {name: team.get("monitors", {}) for name, team in topic.get("teams", {}).items()}


def baseline_of(settings: Settings, team: str, model: str) -> str | None:
    """Return the table that a model is trained with, `ZONE.NAME`; None where nothing trains it."""
    trained = continuous_training_arguments.declared(settings).get(team, {}).get(model)
    return None if trained is None else trained["table"]


def services(settings: Settings, team: str) -> dict[str, dict[str, Any]]:
    """Return the services of a team, as the file states them."""
    topic: dict[str, Any] = stated(settings.serving) if settings.serving is not None else {}
    return topic.get("teams", {}).get(team, {}).get("services", {})


def is_measured(settings: Settings, team: str, monitor: Mapping[str, Any]) -> bool:
    """Whether a monitor is of a language model, whose requests are measured at the gateway."""
    served = services(settings, team).get(monitor.get("service", ""))
    return served is not None and engine_of(settings, served) == MEASURED


def trained_monitors(settings: Settings, team: str) -> list[str]:
    """Return the models of a team with a monitor that compares with a training."""
    monitors = declared(settings).get(team, {})
    return [model for model, monitor in monitors.items() if not is_measured(settings, team, monitor)]


def model_monitor(settings: Settings, offered: Offered) -> ModelMonitorArgs:
    """Arguments of model monitoring."""
    args: dict[str, Any] = data_arguments.component_arguments(settings, "model_monitor", ModelMonitorArgs)
    tables = offered.lakehouse.get("tables", UNKNOWN)
    args["teams"] = {
        name: {
            **team,
            "namespace": settings.namespace_of(name),
            "identity": offered.workload_identities[name],
            **({"queue": _queue(offered.queues, name)} if trained_monitors(settings, name) else {}),
            "monitors": {
                model: _monitor(settings, name, model, monitor, tables)
                for model, monitor in team.get("monitors", {}).items()
            },
        }
        for name, team in args.get("teams", {}).items()
    }
    args.update(cluster=offered.cluster, profile=settings.environment.profile)
    if settings.observability is not None:
        args["pushgateway"] = {"namespace": catalog()[PUSHGATEWAY].namespace}
    if settings.environment.cloud == "aws":
        args["tags"] = settings.environment.all_tags
    return cast("ModelMonitorArgs", args)


def request_logs(outputs: Mapping[str, Any], cloud: str) -> dict[str, Any]:
    """Return the argument `request_logs` of Serving. outputs: of ModelMonitor, or placeholders of them."""
    return {"bucket": outputs["bucket"], **({"kms_key": outputs["kms_key"]} if cloud == "aws" else {})}


def _queue(queues: Any, team: str) -> Input[str]:
    if queues is UNKNOWN:
        return UNKNOWN
    return Output.from_input(queues).apply(lambda known: known[team])


def _monitor(
    settings: Settings, team: str, model: str, monitor: Mapping[str, Any], tables: Any
) -> dict[str, Any]:
    """Return a monitor with its tables as the catalog names them."""
    labels = monitor.get("labels")
    named = {key: table_name(tables, monitor[key]) for key in ("requests_table", "results_table")}
    if is_measured(settings, team, monitor):
        return {**monitor, **named}
    baseline = baseline_of(settings, team, model)
    return {
        **monitor,
        **named,
        # A monitor without one is reported by stacks/validation/model_monitor.py.
        "baseline_table": UNKNOWN if baseline is None else table_name(tables, baseline),
        **({"labels": {**labels, "table": table_name(tables, labels["table"])}} if labels else {}),
    }
