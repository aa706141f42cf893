"""What serving needs of other topics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from aiplatform._shared.args import Problem, got, nearest
from aiplatform.serving.args import DEFINITIONS, KSERVE, ServedModel, ServingSettings
from aiplatform.teams.args import QUEUE
from stacks.images import addons_of
from stacks.settings import Settings
from stacks.settings.generated import stated

KEDA: Final = "keda"
"""The add-on that scales servers."""
_NEEDED: Final = {
    "cert-manager": "it issues the certificate of KServe's webhook",
    KSERVE: "it is the controller of the services' InferenceServices",
    DEFINITIONS: "it brings the kinds of KServe",
}
"""Add-on -> what serving needs it for."""


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what serving lacks."""
    if settings.serving is None:
        return
    if settings.addons is None:
        yield Problem("serving", "it needs add-ons, and the file has none; expected the topic addons")
    else:
        for name, reason in _NEEDED.items():
            option = settings.addons.options.get(name)
            if option is not None and option.enabled is False:
                yield Problem(
                    f"addons.options.{name}.enabled",
                    f"got false, and {reason}; expected true, or no topic serving",
                )
    if settings.model_store is None:
        yield Problem("serving", "it serves releases, and the file has none; expected the topic model_store")
    elif stated(settings.model_store).get("image") is None:
        yield Problem(
            "model_store.image",
            "missing, and it copies releases into the Pods of servers; expected the image, with its digest",
        )
    if not settings.teams:
        yield Problem("serving", "it serves models of teams, and the file has none; expected the topic teams")
        return
    yield from _teams(settings)
    yield from _rollouts(settings)
    if settings.addons is not None and KEDA not in addons_of(settings):
        yield from _scaling(settings)


def _scaling(settings: Settings) -> Iterator[Problem]:
    """Yield the services that scale, in an environment without the add-on that does it."""
    topic: dict[str, Any] = stated(settings.serving) if settings.serving is not None else {}
    for name, team in topic.get("teams", {}).items():
        for service, served in team.get("services", {}).items():
            model = ServedModel(**served)
            if model.scales:
                yield Problem(
                    f"serving.teams.{name}.services.{service}.max_replicas",
                    f"{got(model.most)} with min_replicas {model.min_replicas}, and the file has no add-on "
                    f"that scales; expected addons.options.{KEDA}.enabled: true, or max_replicas "
                    f"{max(1, model.min_replicas)}",
                )


def _teams(settings: Settings) -> Iterator[Problem]:
    topic: dict[str, Any] = stated(settings.serving) if settings.serving is not None else {}
    declared: dict[str, dict[str, Any]] = topic.get("teams", {})
    for name, team in declared.items():
        path = f"serving.teams.{name}"
        if name not in settings.teams:
            yield Problem(
                path,
                f"{name!r} is no team of the file; expected one of {', '.join(settings.teams)}"
                f"{nearest(name, settings.teams)}",
            )
            continue
        if "namespace" in team:
            yield Problem(
                f"{path}.namespace",
                f"{got(team['namespace'])}; expected it left out: it is that of teams.{name}",
            )
        if stated(settings.teams[name]).get("queue") is None:
            yield Problem(
                f"teams.{name}.queue",
                "missing, and the Pods of its servers wait for quota; expected a queue of the file",
            )
        priority_class = topic.get("priority_class", ServingSettings.priority_class)
        if priority_class not in stated(settings.teams[name]).get("priority_classes", []):
            yield Problem(
                f"teams.{name}.priority_classes",
                f"without {priority_class!r}, which its servers have; expected it in the list",
            )
        queue = topic.get("queue", ServingSettings.queue)
        known = _local_queues(settings, stated(settings.teams[name]).get("namespace") or name)
        if queue not in known:
            yield Problem(
                "serving.queue",
                f"{got(queue)}, which is no LocalQueue of the team {name}; expected one of "
                f"{', '.join(known)}{nearest(queue, known)}",
            )


def _local_queues(settings: Settings, namespace: str) -> list[str]:
    """Return the LocalQueues of a team's namespace: that of the team, and those of the topic queues."""
    topic: dict[str, Any] = stated(settings.queues) if settings.queues is not None else {}
    queues: list[dict[str, Any]] = topic.get("queues", [])
    entries: list[dict[str, Any]] = [entry for queue in queues for entry in queue.get("local_queues", [])]
    return [QUEUE, *(entry["name"] for entry in entries if entry["namespace"] == namespace)]


def _rollouts(settings: Settings) -> Iterator[Problem]:
    topic: dict[str, Any] = stated(settings.serving) if settings.serving is not None else {}
    if "rollouts" not in topic:
        return
    needs = {
        "pipelines": "they are workflows",
        "gateway": "they move the weights of its routes",
        "observability": "they go back by what Prometheus knows of the gateway",
    }
    for name, reason in needs.items():
        if getattr(settings, name) is None:
            yield Problem(
                "serving.rollouts",
                f"{reason}, and the file has none; expected the topic {name}, or no rollouts",
            )
    if settings.gateway is None:
        return
    if settings.gateway_class != "envoy":
        yield Problem(
            "serving.rollouts",
            f"Prometheus has no metrics of a gateway of the class {settings.gateway_class}; expected "
            "gateway.gateway_class: envoy, or no rollouts",
        )
    yield from _same_paths(settings, topic.get("teams", {}))


def _same_paths(settings: Settings, teams: dict[str, Any]) -> Iterator[Problem]:
    """Yield routes of the file with the path or the name of the route that a service gets by its first
    rollout."""
    services = {
        (team, service): f"serving.teams.{team}.services.{service}"
        for team, declared in teams.items()
        for service in declared.get("services", {})
    }
    paths = {f"/{team}/{service}": key for (team, service), key in services.items()}
    routes: dict[str, dict[str, Any]] = stated(settings.gateway).get("routes", {}) if settings.gateway else {}
    for name, route in routes.items():
        path = route.get("path") or f"/{route['team']}/{name}"
        service = paths.get(path) or services.get((route["team"], name))
        if service is not None:
            yield Problem(
                f"gateway.routes.{name}",
                f"its path {path} or its name is that of {service}, which gets a route by its rollouts; "
                "expected another path and name, or no such route",
            )
