"""Requests and answers of predictors in a bucket, by KServe's agent. Pure.

KServe 0.20 would add the agent itself. On Google Cloud that one signs nothing: without the variable
GOOGLE_APPLICATION_CREDENTIALS it creates a client without credentials (pkg/agent/storage/utils.go). With an
empty value Google's library takes the identity of the Pod. So the template has the container, which KServe
then does not add (pkg/webhook/admission/pod/agent_injector.go): its image, requests and rights are stated,
too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiplatform._shared.args import Problem
from aiplatform.serving import llm_logs
from aiplatform.serving.engines import ENGINES, PORT, Engine

if TYPE_CHECKING:
    from aiplatform.serving.args import ServedModel, ServedRequestLog, ServingSettings

IMAGE: Final = "kserve-agent"
"""Its image, in images.toml."""
AGENT_PORT: Final = 9081
"""To which the Service of a predictor with a logger leads."""
CONTAINER: Final = "agent"
"""The name by which KServe recognizes its agent (its constant)."""
FOLDER: Final = "requests"
"""The last folder of the objects. Without one KServe's agent stores nothing."""
ANNOTATIONS: Final = ("ai-platform/model", "ai-platform/release")
"""Annotations of an InferenceService that are in each record."""
_SECONDS: Final = 10


@dataclass(frozen=True)
class Target:
    """Where records are stored, and by what. uri: `s3://BUCKET/PREFIX` or `gs://BUCKET/PREFIX`. region: AWS:
    the region, which the client of S3 needs."""

    uri: str
    image: str
    region: str = ""


def logger(log: ServedRequestLog, target: Target) -> dict[str, Any]:
    """Return `spec.predictor.logger`, by which KServe leads requests to the agent. The other keys are those
    of an agent that KServe adds; of `storage` its webhook requires the name of a Secret, too."""
    return {"mode": log.mode, "url": target.uri}


def agent(
    log: ServedRequestLog,
    target: Target,
    *,
    namespace: str,
    name: str,
    engine: Engine,
    values: Mapping[str, str],
) -> dict[str, Any]:
    """Return the container. name: of the InferenceService. values: those of its annotations."""
    probe = {
        "httpGet": {"path": engine.ready, "port": PORT, "scheme": "HTTP"},
        "periodSeconds": _SECONDS,
        "timeoutSeconds": 5,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    arguments = {
        "log-url": target.uri,
        "source-uri": name,
        "log-mode": log.mode,
        "log-store-path": FOLDER,
        "log-store-format": "json",
        "log-batch-size": str(log.batch_size),
        "log-batch-interval": f"{log.batch_seconds}s",
        "inference-service": name,
        "namespace": namespace,
        "component": "predictor",
        "component-port": str(PORT),
        "metadata-annotations": ",".join(f"{key}={value}" for key, value in values.items()),
    }
    variables = {
        # What it answers the kubelet with.
        "SERVING_READINESS_PROBE": json.dumps(probe),
        **(
            {"AWS_REGION": target.region, "AWS_DEFAULT_REGION": target.region}
            if target.region
            else {"GOOGLE_APPLICATION_CREDENTIALS": ""}
        ),
    }
    return {
        "name": CONTAINER,
        "image": target.image,
        "args": [f"--{key}={value}" for key, value in arguments.items()],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "ports": [{"name": "agent-port", "containerPort": AGENT_PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            # KServe limits a container that states none to one CPU.
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "readinessProbe": {
            "httpGet": {
                "path": engine.ready,
                "port": AGENT_PORT,
                # Without it the agent would log the probe as a request.
                "httpHeaders": [{"name": "K-Network-Probe", "value": "queue"}],
            },
            "periodSeconds": _SECONDS,
            "timeoutSeconds": 5,
        },
    }


def uses(settings: ServingSettings, team: str) -> bool:
    """Whether Pods of a team store requests, by the identity of its predictors."""
    return any(by_agent(settings, served) for served in settings.teams[team].services.values())


def by_agent(settings: ServingSettings, served: ServedModel) -> bool:
    """Whether KServe's agent stores the requests of a service."""
    return served.request_log is not None and not llm_logs.is_measured(settings, served)


def problems(settings: ServingSettings, path: str, served: ServedModel) -> Iterator[Problem]:
    """Yield the problems of a service that logs requests."""
    if served.request_log is None:
        return
    if llm_logs.is_measured(settings, served):
        yield from llm_logs.problems(settings, path, served)
    elif served.request_log.payloads:
        yield Problem(
            f"{path}.request_log.payloads",
            f"got true; expected it left out: only requests to {ENGINES[llm_logs.ENGINE].title} are "
            "measured, and KServe's agent stores those of other servers as they are",
        )
    if settings.request_logs is None:
        yield Problem(
            f"{path}.request_log",
            "stated, and there is no `request_logs` to store them in; expected it left out, or the bucket",
        )
