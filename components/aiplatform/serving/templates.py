"""Templates of InferenceServices from the arguments. Pure.

API: serving.kserve.io/v1beta1 of KServe 0.20. A template is the text of a manifest in JSON with `${NAME}` and
`${VERSION}` (string.Template of Python): who promotes creates the blue and the green InferenceService from
it, so that no preview changes them.
"""

from __future__ import annotations

import json
from typing import Any, Final

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform.gpu_tests import PRIORITY_LABEL, QUEUE_LABEL
from aiplatform.serving import request_logs
from aiplatform.serving.args import SERVICE_ACCOUNT, ServedModel, ServingSettings
from aiplatform.serving.engines import ADAPTERS, ENGINES, METRICS, MODELS

API_VERSION: Final = "serving.kserve.io/v1beta1"
KIND: Final = "InferenceService"
NAME: Final = "${NAME}"
VERSION: Final = "${VERSION}"
SERVICE: Final = "ai-platform/service"
"""The label of the InferenceServices of a service, and of their Pods."""
MODEL: Final = "ai-platform/model"
RELEASE: Final = "ai-platform/release"
"""The label with the version."""
SCRAPED: Final = "ai-platform/scrape"
"""The label of Pods whose metrics Prometheus reads (component Observability)."""
_AUTOSCALER: Final = "serving.kserve.io/autoscalerClass"
USER: Final = 1000
_DRAIN_SECONDS: Final = 60
"""Seconds that a server has for the requests that it works on."""


def templates(
    settings: ServingSettings, team: str, releases_uri: str, logs: request_logs.Target | None = None
) -> dict[str, str]:
    """Return service -> template of its InferenceServices. releases_uri: `s3://BUCKET` or `gs://BUCKET`.
    logs: where services with a request log store records."""
    return {
        name: json.dumps(_manifest(settings, team, name, served, releases_uri, logs), indent=1) + "\n"
        for name, served in settings.teams[team].services.items()
    }


def _manifest(
    settings: ServingSettings,
    team: str,
    name: str,
    served: ServedModel,
    releases_uri: str,
    logs: request_logs.Target | None,
) -> dict[str, Any]:
    engine = ENGINES[settings.all_runtimes[served.runtime].engine]
    labels = {
        **settings.teams[team].labels,
        TEAM_LABEL: team,
        SERVICE: name,
        MODEL: served.model,
        RELEASE: VERSION,
        # KServe passes them on to the Deployment, by which Kueue finds the queue.
        QUEUE_LABEL: settings.queue,
        PRIORITY_LABEL: settings.priority_class,
        SCRAPED: "true",
    }
    predictor: dict[str, Any] = {
        "minReplicas": served.min_replicas if served.scales else served.most,
        "maxReplicas": served.most,
        "serviceAccountName": SERVICE_ACCOUNT,
        "priorityClassName": settings.priority_class,
        # A server calls no API of Kubernetes; identities of clouds have separate tokens.
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": _DRAIN_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "model": {
            "modelFormat": {"name": engine.format, "version": "1"},
            "runtime": served.runtime,
            # Clients name the model in each request. The name of an InferenceService changes with a rollout.
            "args": [
                *(part.replace("%NAME%", NAME).replace("%SERVICE%", name) for part in engine.names),
                *_adapter_arguments(served),
                *served.arguments,
            ],
        },
    }
    uri = f"{releases_uri}/{team}/{served.model}/{VERSION}"
    if served.adapters:
        predictor["storageUris"] = [
            {"uri": uri, "mountPath": MODELS},
            *(
                {"uri": f"{releases_uri}/{team}/{adapter.model}/{adapter.version}", "mountPath": _folder(key)}
                for key, adapter in served.adapters.items()
            ),
        ]
    else:
        predictor["model"]["storageUri"] = uri
    if served.scales:
        predictor["autoScaling"] = {"metrics": [_metric(settings, team, served)]}
    # Without a class KServe creates an HorizontalPodAutoscaler by CPU.
    annotations = {_AUTOSCALER: "keda" if served.scales else "none"}
    if served.request_log is not None and logs is not None and request_logs.by_agent(settings, served):
        values: dict[str, str] = dict(zip(request_logs.ANNOTATIONS, (served.model, VERSION), strict=True))
        annotations |= values
        predictor["logger"] = request_logs.logger(served.request_log, logs)
        predictor["containers"] = [
            request_logs.agent(
                served.request_log,
                logs,
                namespace=settings.namespace(team),
                name=NAME,
                engine=engine,
                values=values,
            )
        ]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": NAME,
            "namespace": settings.namespace(team),
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {"predictor": predictor},
    }


def _folder(adapter: str) -> str:
    """Return where an adapter's files are."""
    return f"{ADAPTERS}/{adapter}"


def _adapter_arguments(served: ServedModel) -> list[str]:
    """Return the arguments of vLLM for adapters: requests for all of them are computed in one batch."""
    if not served.adapters:
        return []
    modules = [f"{name}={_folder(name)}" for name in served.adapters]
    return ["--enable-lora", f"--max-loras={len(modules)}", "--lora-modules", *modules]


def _metric(settings: ServingSettings, team: str, served: ServedModel) -> dict[str, Any]:
    query = METRICS[served.metric].query
    query = query.replace("%NAMESPACE%", settings.namespace(team)).replace("%NAME%", NAME)
    return {
        "type": "External",
        "external": {
            "metric": {
                "backend": "prometheus",
                "serverAddress": str(settings.prometheus_url),
                "query": query,
            },
            # KServe reads `value` alone: of `averageValue` it makes the threshold 0.
            "target": {"type": "Value", "value": str(served.target)},
        },
    }
