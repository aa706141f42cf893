"""The configuration of the OpenTelemetry collector: from OTLP to the cloud's store.

otlp -> limit of memory -> namespace and Pod -> secrets masked -> sampling -> store
"""

from collections.abc import Mapping
from typing import Any, Final

from aiplatform._shared.cloud_support import Cloud
from aiplatform._shared.kubernetes.names import TEAM_LABEL, TRACING_NAMESPACE
from aiplatform.observability.redaction import key_expressions, redaction
from aiplatform.observability.traces.args import Traces

NAME: Final = "collector"
NAMESPACE: Final = TRACING_NAMESPACE
REQUESTS: Final = ("50m", "256Mi")
"""CPU and memory of each Pod."""
GRPC: Final = 4317
"""The port of OTLP over gRPC."""
HTTP: Final = 4318
"""The port of OTLP over HTTP."""
METRICS: Final = 8888
"""The port of the collector's own metrics."""
HEALTH: Final = 13133
DIRECTORY: Final = "/etc/otelcol-contrib"
FILE: Final = "config.yaml"

_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - the Service and the kubelet call it
_POD: Final = ("k8s.namespace.name", "k8s.node.name", "k8s.pod.name")
_TEAM: Final = "ai-platform.team"
_SECONDS_TO_DECIDE: Final = 10
_MOST_TRACES: Final = 5_000


def configuration(cloud: Cloud, traces: Traces, exporter: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration as an object, which YAML writes. exporter: that of the cloud."""
    name = _EXPORTERS[cloud]
    processors = {
        "memory_limiter": {"check_interval": "1s", "limit_percentage": 75, "spike_limit_percentage": 20},
        "k8s_attributes": _metadata(),
        "redaction": _masking(),
        **_sampling(traces),
        "batch": {"timeout": "5s", "send_batch_size": 256, "send_batch_max_size": 512},
    }
    return {
        "extensions": {"health_check": {"endpoint": f"{_EVERYWHERE}:{HEALTH}"}},
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": f"{_EVERYWHERE}:{GRPC}"},
                    "http": {"endpoint": f"{_EVERYWHERE}:{HTTP}"},
                }
            }
        },
        "processors": processors,
        "exporters": {name: dict(exporter)},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": {"receivers": ["otlp"], "processors": list(processors), "exporters": [name]}
            },
            "telemetry": {
                "logs": {"level": "warn"},
                "metrics": {
                    "readers": [
                        {"pull": {"exporter": {"prometheus": {"host": _EVERYWHERE, "port": METRICS}}}}
                    ]
                },
            },
        },
    }


_EXPORTERS: Final[Mapping[Cloud, str]] = {"aws": "awsxray", "gcp": "googlecloud"}


def xray(region: str) -> dict[str, Any]:
    """Return the exporter of X-Ray. By its annotations traces are found."""
    return {
        "region": region,
        "indexed_attributes": [f"otel.resource.{name}" for name in ("k8s.namespace.name", _TEAM)],
    }


def cloud_trace(project: str) -> dict[str, Any]:
    """Return the exporter of Cloud Trace."""
    return {"project": project}


def _metadata() -> dict[str, Any]:
    return {
        "auth_type": "serviceAccount",
        "extract": {
            "metadata": list(_POD),
            "labels": [{"tag_name": _TEAM, "key": TEAM_LABEL, "from": "namespace"}],
        },
        # What a Pod states of itself is no evidence.
        "pod_association": [{"sources": [{"from": "connection"}]}],
    }


def _masking() -> dict[str, Any]:
    return {
        "allow_all_keys": True,
        "blocked_key_patterns": key_expressions(),
        "blocked_values": [pattern.regex for pattern in redaction().patterns.values()],
    }


def _sampling(traces: Traces) -> dict[str, Any]:
    if not traces.decides_late:
        return {"probabilistic_sampler": {"sampling_percentage": traces.sampled_percent}}
    policies: list[dict[str, Any]] = [
        {
            "name": "share",
            "type": "probabilistic",
            "probabilistic": {"sampling_percentage": traces.sampled_percent},
        }
    ]
    if traces.keep_errors:
        policies.append({"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}})
    if traces.keep_slower_than_ms is not None:
        policies.append(
            {"name": "slow", "type": "latency", "latency": {"threshold_ms": traces.keep_slower_than_ms}}
        )
    return {
        "tail_sampling": {
            "decision_wait": f"{_SECONDS_TO_DECIDE}s",
            "num_traces": _MOST_TRACES,
            "policies": policies,
        }
    }
