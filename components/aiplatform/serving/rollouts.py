"""Rollouts from the arguments: the WorkflowTemplate of a team, the routes of its services, and what its
ServiceAccount may do. Pure.

API: argoproj.io/v1alpha1 of Argo Workflows 4.0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiplatform.gateway import routes
from aiplatform.serving.args import SERVICE_ACCOUNT, TEMPLATES, Rollouts, ServingSettings
from aiplatform.serving.templates import SERVICE

API_VERSION: Final = "argoproj.io/v1alpha1"
KIND: Final = "WorkflowTemplate"
NAME: Final = "rollout"
"""The WorkflowTemplate."""
ACCOUNT: Final = "rollouts"
"""The ServiceAccount of its steps, and its Role."""
OPERATORS: Final = "rollout-operators"
"""The Role of the release group."""
COLORS: Final = ("blue", "green")
"""What the InferenceServices of a service are called: SERVICE-blue and SERVICE-green."""
ROUTES: Final = "serving-routes"
"""The ConfigMap with the templates of the HTTPRoutes of a team's services."""
POD: Final = "ai-platform/rollout"
"""The label of the Pods of rollouts."""
MAIN: Final = "main"
_ROLL: Final = "roll"
_SETTLE: Final = "settle"
_REQUIRED: Final = ("service", "model_uri")
_FOLDER: Final = "/etc/rollout"
_RESULTS: Final = "/tmp/rollout"  # noqa: S108 - in the container
_REFUSED: Final = 2
_QUEUE_PRIORITY: Final = "kueue.x-k8s.io/priority-class"


@dataclass(frozen=True)
class Rule:
    """What a Role allows. names: of the objects; empty: of all."""

    group: str
    resource: str
    verbs: Sequence[str]
    names: Sequence[str] = ()


def account_rules(settings: ServingSettings, team: str) -> list[Rule]:
    """Return what the ServiceAccount may do in the namespace of its team. No name limits what is created."""
    routes_of, colors = _names(settings, team)
    return [
        # What the executor of Argo Workflows needs in the Pod of a step.
        Rule("argoproj.io", "workflowtaskresults", ("create", "patch")),
        # What owns the InferenceServices.
        Rule("", "serviceaccounts", ("get",), [SERVICE_ACCOUNT]),
        Rule("serving.kserve.io", "inferenceservices", ("create",)),
        Rule("serving.kserve.io", "inferenceservices", ("delete", "get"), colors),
        Rule("gateway.networking.k8s.io", "httproutes", ("create", "list")),
        Rule("gateway.networking.k8s.io", "httproutes", ("get", "patch"), routes_of),
    ]


def operator_rules(settings: ServingSettings, team: str) -> list[Rule]:
    """Return what members of the release group may do in the namespace of a team, by `aiplatform model
    rollback`."""
    routes_of, colors = _names(settings, team)
    return [
        Rule("", "configmaps", ("get",), [TEMPLATES]),
        Rule("serving.kserve.io", "inferenceservices", ("get",), colors),
        Rule("gateway.networking.k8s.io", "httproutes", ("get", "patch"), routes_of),
        Rule("argoproj.io", "workflows", ("create", "get")),
    ]


def _names(settings: ServingSettings, team: str) -> tuple[list[str], list[str]]:
    """Return the names of the routes of a team, and those of its InferenceServices."""
    services = list(settings.teams[team].services)
    return services, [f"{service}-{color}" for service in services for color in COLORS]


def route_templates(settings: ServingSettings, team: str) -> dict[str, str]:
    """Return service -> template of its HTTPRoute, in JSON, with a backend for each color."""
    rollouts = _rollouts(settings)
    return {
        name: json.dumps(
            {
                **(
                    manifest := routes.service_route(
                        name,
                        team,
                        settings.namespace(team),
                        blue=f"{name}-blue-predictor",
                        green=f"{name}-green-predictor",
                        timeout_seconds=rollouts.timeout_seconds,
                    )
                ),
                "metadata": {**manifest["metadata"], "labels": {SERVICE: name}},
            },
            indent=1,
        )
        + "\n"
        for name in settings.teams[team].services
    }


def defaults(rollouts: Rollouts) -> dict[str, str]:
    """Return parameter -> value, of those that a workflow need not state."""
    return {
        "weights": ",".join(map(str, rollouts.weights)),
        "step_minutes": str(rollouts.step_minutes),
        "max_error_rate": f"{rollouts.max_error_rate:g}",
        "max_p95_ms": str(rollouts.max_p95_ms),
        "min_requests": str(rollouts.min_requests),
        "no_traffic": rollouts.no_traffic,
        "mirror_percent": str(rollouts.mirror_percent),
        "ready_minutes": str(rollouts.ready_minutes),
        "keep": str(rollouts.keep).lower(),
    }


def workflow_template(settings: ServingSettings, team: str, prometheus_url: str) -> dict[str, Any]:
    """Return the WorkflowTemplate of a team."""
    values = defaults(_rollouts(settings))
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": NAME,
            "namespace": settings.namespace(team),
            "labels": {"app.kubernetes.io/managed-by": "ai-platform"},
        },
        "spec": {
            "entrypoint": MAIN,
            "serviceAccountName": ACCOUNT,
            "arguments": {
                "parameters": [
                    *({"name": name} for name in _REQUIRED),
                    *({"name": name, "value": value} for name, value in values.items()),
                ]
            },
            "templates": [
                _main(values),
                {
                    **_program(settings, team, prometheus_url, _ROLL, [*_REQUIRED, *values]),
                    "outputs": {
                        "parameters": [
                            {"name": "result", "valueFrom": {"path": f"{_RESULTS}/result"}},
                            {"name": "reason", "valueFrom": {"path": f"{_RESULTS}/reason", "default": ""}},
                        ]
                    },
                },
                _program(settings, team, prometheus_url, _SETTLE, _REQUIRED),
            ],
        },
    }


def _rollouts(settings: ServingSettings) -> Rollouts:
    assert settings.rollouts is not None, "called only where there are rollouts"  # noqa: S101
    return settings.rollouts


def _main(values: dict[str, str]) -> dict[str, Any]:
    """Return the entry point, which is also a step of other templates."""
    return {
        "name": MAIN,
        "inputs": {
            "parameters": [
                *({"name": name} for name in _REQUIRED),
                *({"name": name, "default": value} for name, value in values.items()),
            ]
        },
        # One rollout of a service at a time.
        "synchronization": {"mutexes": [{"name": f"{NAME}-{{{{inputs.parameters.service}}}}"}]},
        "steps": [
            [
                {
                    "name": _ROLL,
                    "template": _ROLL,
                    "arguments": _passed_on([*_REQUIRED, *values]),
                    # Also where the workflow is stopped, and where the program did not get to its end.
                    "hooks": {"exit": {"template": _SETTLE, "arguments": _passed_on(_REQUIRED)}},
                }
            ]
        ],
        "outputs": {
            "parameters": [
                {
                    "name": name,
                    "valueFrom": {"parameter": f"{{{{steps.{_ROLL}.outputs.parameters.{name}}}}}"},
                }
                for name in ("result", "reason")
            ]
        },
    }


def _passed_on(names: Sequence[str]) -> dict[str, Any]:
    return {
        "parameters": [{"name": name, "value": f"{{{{inputs.parameters.{name}}}}}"} for name in names],
    }


def _program(
    settings: ServingSettings, team: str, prometheus_url: str, command: str, parameters: Sequence[str]
) -> dict[str, Any]:
    """Return a template that runs a command of the program."""
    rollouts = _rollouts(settings)
    options = [f"--{name.replace('_', '-')}={{{{inputs.parameters.{name}}}}}" for name in parameters]
    outputs = [f"--outputs={_RESULTS}"] if command == _ROLL else []
    environment = {
        "NAMESPACE": settings.namespace(team),
        "PROMETHEUS_URL": prometheus_url,
        "SCRAPE_SECONDS": str(rollouts.scrape_seconds),
        "TEMPLATES": f"{_FOLDER}/templates",
        "ROUTES": f"{_FOLDER}/routes",
    }
    volumes = {
        "templates": {"configMap": {"name": TEMPLATES}},
        "routes": {"configMap": {"name": ROUTES}},
        "temporary": {"emptyDir": {"sizeLimit": "64Mi"}},
    }
    mounts = {"templates": f"{_FOLDER}/templates", "routes": f"{_FOLDER}/routes", "temporary": "/tmp"}  # noqa: S108
    return {
        "name": command,
        "inputs": {"parameters": [{"name": name} for name in parameters]},
        "serviceAccountName": ACCOUNT,
        "metadata": {
            "labels": {
                **settings.teams[team].labels,
                POD: "true",
                # Before the team's training: while it waits, requests are divided.
                _QUEUE_PRIORITY: settings.priority_class,
            }
        },
        "priorityClassName": settings.priority_class,
        # The account has no identity in the cloud, and does not reach the bucket of logs.
        "archiveLocation": {"archiveLogs": False},
        "retryStrategy": {
            "limit": "20",
            "retryPolicy": "Always",
            # Where it failed, was killed, or was lost with its node, it goes on; not where it refused.
            "expression": f"asInt(lastRetry.exitCode) != {_REFUSED}",
            # No maxDuration: it would count from the first start.
            "backoff": {"duration": "5s", "factor": "2", "cap": "1m"},
        },
        "volumes": [{"name": name, **source} for name, source in volumes.items()],
        "container": {
            "image": rollouts.image,
            # Stated: Argo would look for the entry point in the registry.
            "command": ["python", "-m", "model_rollout"],
            "args": [command, "--run={{workflow.uid}}", *options, *outputs],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
            "resources": {
                "requests": {"cpu": "100m", "memory": "128Mi"},
                "limits": {"cpu": "500m", "memory": "256Mi"},
            },
            "securityContext": {
                "runAsNonRoot": True,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumeMounts": [
                {"name": name, "mountPath": path, **({} if name == "temporary" else {"readOnly": True})}
                for name, path in mounts.items()
            ],
        },
    }
