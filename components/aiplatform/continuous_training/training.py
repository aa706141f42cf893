"""The WorkflowTemplate of a model: pin, features, train, evaluate, register, request a promotion."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pulumi import Input, Output

from aiplatform.continuous_training.args import (
    CONFIGURATION,
    TEAM,
    ContinuousJob,
    ContinuousModel,
    ContinuousTeam,
)
from aiplatform.pipelines.args import JOBS
from aiplatform.teams.args import CONFIGURATION as PLATFORM
from aiplatform.teams.args import FILES
from aiplatform.training.plan import FILES_AT

Object = dict[str, Any]
VERSION: Final = "argoproj.io/v1alpha1"
LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform"}
MODELS_FILE: Final = "models.json"
MODELS_AT: Final = "/etc/continuous-training"
MODEL_LABEL: Final = "ai-platform/model"
REGISTRY_SECRET: Final = "mlflow"  # noqa: S105 - the name of a Secret
"""The Secret of the team's account in the model registry, which a program of the platform creates."""
PROGRAM: Final = ("python", "-m", "training_steps")
_OUTPUTS: Final = "/tmp/outputs"  # noqa: S108 - in the container
_REFUSED: Final = 2
"""The exit code of a step that is refused, which is not repeated."""
USER: Final = 65532
"""The user of the image."""
SECURITY: Final = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def template_name(model: str) -> str:
    """Return the name of the template of a model."""
    return f"train-{model}"


def template(image: str, team_name: str, team: ContinuousTeam, model: str, promotions: Input[str]) -> Object:
    """Return the template of a model. promotions: the team's queue of requests."""
    name, uid = "{{workflow.name}}", "{{workflow.uid}}"
    snapshots, views = _output("features", "snapshots"), _output("features", "feature_views")
    run, champion = _output("candidate", "run"), _output("candidate", "champion")
    pinned = ["--snapshots", snapshots, "--feature-views", views]
    job = ["--name", name, "--uid", uid, *pinned]
    compared = [*pinned, "--run", run, "--champion", champion]
    steps: Sequence[tuple[str, Sequence[str], Sequence[str]]] = (
        ("pin", [], ["snapshot"]),
        ("features", ["--snapshot", _output("pin", "snapshot")], ["feature_views", "snapshots"]),
        ("train", job, []),
        ("candidate", ["--name", name], ["run", "champion"]),
        ("evaluate", [*job, "--run", run, "--champion", champion], []),
        ("register", compared, ["version", "better"]),
        ("request", ["--version", _output("register", "version")], []),
    )
    parts = [_step(image, team_name, model, *entry, promotions=promotions) for entry in steps]
    return {
        "apiVersion": VERSION,
        "kind": "WorkflowTemplate",
        "metadata": {"name": template_name(model), "namespace": team.namespace, "labels": LABELS},
        "spec": {
            "serviceAccountName": team.identity.service_account,
            "entrypoint": "main",
            "onExit": "end",
            # What started it: manual, schedule, data, drift.
            "arguments": {"parameters": [{"name": "cause", "value": "manual"}]},
            "workflowMetadata": {"labels": {MODEL_LABEL: model}},
            # Two at a time would be compared with the same champion.
            "synchronization": {"mutexes": [{"name": template_name(model)}]},
            "templates": [
                {"name": "main", "steps": [[_call(*entry)] for entry in steps]},
                *parts,
                # A TrainJob does not end with the step that waits for it.
                {
                    "name": "end",
                    "steps": [
                        [{"name": "stop", "template": "stop", "when": "{{workflow.status}} != Succeeded"}]
                    ],
                },
                _step(image, team_name, model, "stop", ["--name", name], [], promotions=promotions),
            ],
        },
    }


def _output(step: str, name: str) -> str:
    return f"{{{{steps.{step}.outputs.parameters.{name}}}}}"


def _call(name: str, arguments: Sequence[str], _: Sequence[str]) -> Object:
    """Return a step of the workflow. Its values are parameters: text of a step is never part of another's
    template."""
    call: Object = {"name": name, "template": name}
    if arguments:
        values = [
            {"name": _parameter(option), "value": value}
            for option, value in zip(arguments[::2], arguments[1::2], strict=True)
        ]
        call["arguments"] = {"parameters": values}
    if name == "request":
        call["when"] = f"{_output('register', 'better')} == true"
    return call


def _parameter(option: str) -> str:
    return option.removeprefix("--")


def _step(
    image: str,
    team: str,
    model: str,
    name: str,
    arguments: Sequence[str],
    outputs: Sequence[str],
    *,
    promotions: Input[str],
) -> Object:
    creates_jobs = name in ("train", "evaluate", "stop")
    options = [
        word
        for option in arguments[::2]
        for word in (option, f"{{{{inputs.parameters.{_parameter(option)}}}}}")
    ]
    if name == "stop":
        # Of the exit handler, which has no parameters.
        options = list(arguments)
    words = [name, *options, *([] if name == "stop" else ["--", model])]
    step: Object = {
        "name": name,
        "retryStrategy": {
            "limit": "3",
            "retryPolicy": "Always",
            "expression": f"asInt(lastRetry.exitCode) != {_REFUSED}",
            "backoff": {"duration": "30s", "factor": "2", "cap": "10m"},
        },
        "container": container(image, team, words, promotions),
        "volumes": volumes(),
    }
    if arguments and name != "stop":
        step["inputs"] = {"parameters": [{"name": _parameter(option)} for option in arguments[::2]]}
    if outputs:
        step["outputs"] = {
            "parameters": [
                {"name": output, "valueFrom": {"path": f"{_OUTPUTS}/{output}"}} for output in outputs
            ]
        }
    if creates_jobs:
        step["serviceAccountName"] = JOBS
        # It has no identity in the cloud to store a log with.
        step["archiveLocation"] = {"archiveLogs": False}
    return step


def container(image: str, team: str, words: Sequence[str], promotions: Input[str]) -> Object:
    """Return the container of a step."""
    return {
        "name": "main",
        "image": image,
        # Stated, so that Argo's executor does not look it up in the registry.
        "command": list(PROGRAM),
        "args": list(words),
        "envFrom": [
            {"configMapRef": {"name": PLATFORM}},
            {"secretRef": {"name": REGISTRY_SECRET, "optional": True}},
        ],
        "env": [
            {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "MODELS_FILE", "value": f"{MODELS_AT}/{MODELS_FILE}"},
            {"name": "OUTPUTS", "value": _OUTPUTS},
            # Environment files state it in the ConfigMap; a program need not.
            {"name": TEAM, "value": team},
            {"name": "PROMOTIONS_QUEUE", "value": promotions},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": SECURITY,
        "volumeMounts": [
            {"name": "work", "mountPath": "/tmp"},  # noqa: S108 - a volume of the Pod
            {"name": "models", "mountPath": MODELS_AT, "readOnly": True},
            {"name": "files", "mountPath": FILES_AT, "readOnly": True},
        ],
    }


def volumes() -> list[Object]:
    """Return the volumes of a step."""
    return [
        {"name": "work", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "models", "configMap": {"name": CONFIGURATION}},
        {"name": "files", "configMap": {"name": FILES, "optional": True}},
    ]


def declarations(models: Mapping[str, ContinuousModel]) -> Output[str]:
    """Return the file of the ConfigMap: what the program of the steps reads (training_steps.declaration)."""
    return Output.json_dumps({name: _declaration(model) for name, model in models.items()}, indent=1)


def _declaration(model: ContinuousModel) -> Object:
    evaluation, training = model.evaluation, model.training
    job = {
        **_job(training, evaluation.args),
        "nodes": 1,
        "runtime": evaluation.runtime or training.runtime,
        "image": evaluation.image or training.image,
    }
    rollout = model.rollout
    stated = {
        "weights": rollout.weights and ",".join(map(str, rollout.weights)),
        "step_minutes": rollout.step_minutes,
        "max_error_rate": rollout.max_error_rate,
        "max_p95_ms": rollout.max_p95_ms,
    }
    return {
        "table": model.table,
        "feature_views": {
            name: {"version": view.version, "table": view.table} for name, view in model.feature_views.items()
        },
        "training": _job(training, training.args),
        "evaluation": {
            "kind": evaluation.kind,
            "job": job,
            "metric": evaluation.metric,
            "lower_is_better": evaluation.lower_is_better,
            "margin": evaluation.margin,
            "thresholds": {
                name: {"min": limit.min, "max": limit.max} for name, limit in evaluation.thresholds.items()
            },
            "prompts": [
                {"prompt": prompt.prompt, "expected": prompt.expected} for prompt in evaluation.prompts
            ],
            "match": evaluation.match,
        },
        "service": model.service,
        "rollout": {name: str(value) for name, value in stated.items() if value is not None},
        "on_data": model.on_data,
    }


def _job(job: ContinuousJob, arguments: Sequence[str]) -> Object:
    return {
        "runtime": job.runtime,
        "image": job.image,
        "code_commit": job.code_commit,
        "nodes": job.nodes,
        "args": list(arguments),
        "priority_class": job.priority_class,
    }


def schedule(team: ContinuousTeam, model: str) -> Object | None:
    """Return the CronWorkflow of a model; None without a schedule."""
    stated = team.models[model].schedule
    if stated is None:
        return None
    return {
        "apiVersion": VERSION,
        "kind": "CronWorkflow",
        "metadata": {"name": template_name(model), "namespace": team.namespace, "labels": LABELS},
        "spec": {
            "schedules": stated.schedules,
            "timezone": stated.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "suspend": stated.suspended,
            "workflowSpec": {
                "workflowTemplateRef": {"name": template_name(model)},
                "arguments": {"parameters": [{"name": "cause", "value": "schedule"}]},
            },
        },
    }
