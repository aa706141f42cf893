"""Requests to language models at the gateway, from the arguments: what Envoy copies, and to what. Pure.

APIs: gateway.envoyproxy.io/v1alpha1 of Envoy Gateway 1.9, whose `shadowMode` is Envoy's `observability_mode`:
it sends copies and goes on, whatever becomes of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from aiplatform._shared.args import Problem, got
from aiplatform.gateway.objects import ENVOY_VERSION, GATEWAY_GROUP

if TYPE_CHECKING:
    from aiplatform.serving.args import ServedModel, ServingSettings

NAME: Final = "llm-logger"
"""The Deployment, its Service and its ServiceAccount in the namespace of a team that logs such requests."""
API_VERSION: Final = ENVOY_VERSION
KIND: Final = "EnvoyExtensionPolicy"
ENGINE: Final = "vllm"
PORT: Final = 50051
METRICS_PORT: Final = 9090
FILE: Final = "logger.json"
FOLDER: Final = "/etc/llm-logger"
USER: Final = 65532
"""The user of the image."""
END_SECONDS: Final = 60
"""Seconds in which records that wait are stored."""
COLUMNS: Final[Mapping[str, Literal["number", "category"]]] = {
    "status": "category",
    "prompt_characters": "number",
    "answer_characters": "number",
    "prompt_tokens": "number",
    "completion_tokens": "number",
    "finish_reason": "category",
    "refusal": "category",
    "first_byte_ms": "number",
    "latency_ms": "number",
}
"""What is measured of each request -> its type in a monitor."""
TEXTS: Final = ("prompt", "answer")
"""Columns of a service with `payloads`."""
REFUSALS: Final = (
    "I'm sorry, but I can",
    "I am sorry, but I can",
    "Sorry, but I can",
    "I'm sorry, I can",
    "I can't assist",
    "I cannot assist",
    "I can't help",
    "I cannot help",
    "I'm unable to",
    "I am unable to",
    "I won't be able to",
    "As an AI",
)
"""Openings of refusals by default; what follows, as in `can't` and `cannot`, does not count."""
DETAILS: Final = "response.code_details"
"""The attribute of an answer that states whether a server or Envoy gave it: headers of a route are those of
both."""
_HUNG: Final = {"interval": "5s", "timeout": "2s"}
"""A logger that answers no PING: Envoy closes the connection, before copies fill its buffers."""


def is_measured(settings: ServingSettings, served: ServedModel) -> bool:
    """Whether requests of a service are measured at the gateway, and not stored by KServe's agent."""
    runtime = settings.all_runtimes.get(served.runtime)
    return served.request_log is not None and runtime is not None and runtime.engine == ENGINE


def measured(settings: ServingSettings, team: str) -> dict[str, ServedModel]:
    """Return the services of a team whose requests are measured at the gateway."""
    services = settings.teams[team].services
    return {name: served for name, served in services.items() if is_measured(settings, served)}


def configuration(settings: ServingSettings, team: str) -> dict[str, str]:
    """Return the data of the ConfigMap."""
    assert settings.llm_logger is not None, "called only where there is one"  # noqa: S101
    services = {
        name: {
            "batch_size": served.request_log.batch_size,
            "batch_seconds": served.request_log.batch_seconds,
            "payloads": served.request_log.payloads,
        }
        for name, served in measured(settings, team).items()
        if served.request_log is not None
    }
    content = {"services": services, "refusals": settings.llm_logger.refusals}
    return {FILE: json.dumps(content, indent=1) + "\n"}


def digest(settings: ServingSettings, team: str) -> str:
    """Return what changes with the ConfigMap: the program reads it when it starts."""
    return hashlib.sha256(configuration(settings, team)[FILE].encode()).hexdigest()[:16]


def extension(namespace: str, service: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the policy by which Envoy copies the requests of a service's HTTPRoute, and their answers, to
    the logger of the namespace."""
    response = {"body": "Streamed", "attributes": [DETAILS]}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": f"{NAME}-{service}", "namespace": namespace, "labels": dict(labels)},
        "spec": {
            "targetRefs": [{"group": GATEWAY_GROUP, "kind": "HTTPRoute", "name": service}],
            "extProc": [
                {
                    "backendRefs": [{"group": "", "kind": "Service", "name": NAME, "port": PORT}],
                    "backendSettings": {
                        "http2": {"connectionKeepalive": _HUNG},
                        "timeout": {"tcp": {"connectTimeout": "1s"}},
                    },
                    # Without the logger requests are served, and not measured.
                    "failOpen": True,
                    "shadowMode": True,
                    "processingMode": {"request": {"body": "Streamed"}, "response": response},
                }
            ],
        },
    }


def problems(settings: ServingSettings, path: str, served: ServedModel) -> Iterator[Problem]:
    """Yield the problems of a service of vLLM that logs requests."""
    log = served.request_log
    if log is None:
        return
    if log.mode != "all":
        yield Problem(
            f"{path}.request_log.mode",
            f"{got(log.mode)}, and requests to vLLM are measured together with their answers; expected all",
        )
    needed = {
        "llm_logger": settings.llm_logger is not None,
        "rollouts": settings.rollouts is not None,
        "client_namespaces": bool(settings.client_namespaces),
    }
    missing = " and ".join(f"`{key}`" for key, is_stated in needed.items() if not is_stated)
    if missing:
        yield Problem(
            f"{path}.request_log",
            f"stated, and there is no {missing}: Envoy copies requests to vLLM, by the route of rollouts, "
            f"to what measures them; expected it left out, or {missing}",
        )
