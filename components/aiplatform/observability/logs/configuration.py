"""The configuration of Fluent Bit: from the files of containers to the cloud's store.

    tail -> lines of one message together -> metadata of the Pod -> secrets removed -> store

A record has `log` (the text) or `fields` (of a structured log), `stream`, `severity` where the log states
one, `kubernetes` and `kubernetes_namespace`. What a Pod writes is never more than the value of `log` or
`fields`, so that no Pod can state the metadata of another one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiplatform._shared.cloud_support import Cloud
from aiplatform.observability.redaction import FUNCTION

NAME: Final = "container-logs"
"""The name of the DaemonSet, and of what it has in cloud and cluster."""
REQUESTS: Final = ("50m", "160Mi")
"""CPU and memory of each Pod."""
PORT: Final = 2020
"""The port of its metrics and of its health."""
DIRECTORY: Final = "/fluent-bit/etc/platform"
"""The folder of the configuration in the container."""
SCRIPT: Final = "redaction.lua"
FILE: Final = "fluent-bit.yaml"
STATE: Final = "/var/lib/fluent-bit"
"""The folder of positions in files and of the buffer, in the container."""

_TAG: Final = "kube"
_PREFIX: Final = f"{_TAG}.var.log.containers."
_CONTAINERS: Final = "/var/log/containers"
_AGENTS: Final[Mapping[Cloud, Sequence[str]]] = {
    # What an agent logs while the store refuses its records would make more records.
    "aws": (f"{NAME}-*_kube-system_*",),
    # What GKE's own agent collects as logs of the system, which stays on (ConfigMap fluentbit-gke-config).
    "gcp": (
        "*_config-management-system_*",
        "*_gke-managed-*_*",
        "*_gke-system_*",
        "*_gmp-system_*",
        "*_istio-system_*",
        "*_knative-serving_*",
        "*_kube-system_*",
    ),
}
_PRIVATE_KEY: Final = "private-key"
_TRACEBACK: Final = "traceback"


def configuration(
    cloud: Cloud, output: Mapping[str, Any], *, buffer_mib: int, excluded_namespaces: Sequence[str]
) -> dict[str, Any]:
    """Return the configuration as an object, which YAML writes.

    output: the keys of the cloud's output, without those that both clouds have. buffer_mib: of the store.
    """
    return {
        "service": {
            "flush": 5,
            # Less than the Pod has after SIGTERM.
            "grace": 20,
            "log_level": "warn",
            "http_server": "on",
            "http_listen": "0.0.0.0",  # noqa: S104 - the kubelet's probes come from the node
            "http_port": PORT,
            "health_check": "on",
            "storage.path": f"{STATE}/buffer",
            "storage.sync": "normal",
            # 2 MiB each in memory; further ones are on disk alone.
            "storage.max_chunks_up": 24,
            "storage.backlog.mem_limit": "16M",
            "storage.metrics": "on",
        },
        "multiline_parsers": [_private_keys(), _tracebacks()],
        "pipeline": {
            "inputs": [_files(cloud, excluded_namespaces)],
            "filters": [_messages(), _metadata(), _redaction()],
            "outputs": [
                {
                    **output,
                    "match": f"{_TAG}.*",
                    # Until the buffer is full.
                    "retry_limit": "no_limits",
                    "storage.total_limit_size": f"{buffer_mib}M",
                    "workers": 1,
                }
            ],
        },
    }


def cloudwatch(region: str, log_group: str) -> dict[str, Any]:
    """Return the output of CloudWatch Logs: a stream of the log group for each container."""
    return {
        "name": "cloudwatch_logs",
        "region": region,
        "log_group_name": log_group,
        "log_stream_template": "$kubernetes['namespace_name'].$kubernetes['pod_name']"
        ".$kubernetes['container_name']",
        # Of records without metadata.
        "log_stream_prefix": "unknown-",
        # The program creates it, with its key and its retention.
        "auto_create_group": "off",
    }


def cloud_logging(project: str, cluster: str, location: str) -> dict[str, Any]:
    """Return the output of Cloud Logging: entries of the resource type k8s_container, as GKE's agent has
    them."""
    return {
        "name": "stackdriver",
        "export_to_project_id": project,
        "resource": "k8s_container",
        "k8s_cluster_name": cluster,
        "k8s_cluster_location": location,
        "tag_prefix": _PREFIX,
        "severity_key": "severity",
        "compress": "gzip",
    }


def _files(cloud: Cloud, excluded: Sequence[str]) -> dict[str, Any]:
    patterns = [*_AGENTS[cloud], *(f"*_{namespace}_*" for namespace in excluded)]
    return {
        "name": "tail",
        "tag": f"{_TAG}.*",
        "path": f"{_CONTAINERS}/*.log",
        "exclude_path": ",".join(f"{_CONTAINERS}/{pattern}.log" for pattern in patterns),
        "multiline.parser": "cri",
        # Positions survive the Pod; files that are there before it are read from their beginning.
        "db": f"{STATE}/positions.db",
        "db.locking": "true",
        "read_from_head": "true",
        "refresh_interval": 5,
        "rotate_wait": 30,
        "buffer_max_size": "1M",
        "truncate_long_lines": "on",
        "skip_empty_lines": "on",
        "storage.type": "filesystem",
    }


def _messages() -> dict[str, Any]:
    """The first of the filters: it gives messages that are complete to the beginning of the pipeline."""
    return {
        "name": "multiline",
        "match": f"{_TAG}.*",
        "multiline.key_content": "log",
        "multiline.parser": f"{_PRIVATE_KEY},{_TRACEBACK},go,java,ruby",
        "emitter_name": "messages",
        "emitter_storage.type": "filesystem",
        "emitter_mem_buf_limit": "16M",
    }


def _metadata() -> dict[str, Any]:
    return {
        "name": "kubernetes",
        "match": f"{_TAG}.*",
        "kube_tag_prefix": _PREFIX,
        "tls.verify_hostname": "on",
        "merge_log": "on",
        "merge_log_key": "fields",
        "keep_log": "off",
        "labels": "on",
        # They contain whole objects, such as kubectl's last-applied-configuration.
        "annotations": "off",
        # The team of a namespace.
        "namespace_labels": "on",
        "buffer_size": "0",
        "kube_meta_cache_ttl": "300s",
        # No Pod decides that its logs are missing.
        "k8s-logging.exclude": "off",
        "k8s-logging.parser": "off",
    }


def _redaction() -> dict[str, Any]:
    return {
        "name": "lua",
        "match": f"{_TAG}.*",
        "script": f"{DIRECTORY}/{SCRIPT}",
        "call": FUNCTION,
        "enable_flb_null": "on",
    }


def _private_keys() -> dict[str, Any]:
    """Keys in PEM have several lines, of which only the first shows what they are. The last one, which shows
    nothing, is the next message."""
    return _parser(_PRIVATE_KEY, r"-----BEGIN [A-Z ]*PRIVATE KEY-----", r"^\s*[A-Za-z0-9+\/=]+\s*$")


def _tracebacks() -> dict[str, Any]:
    """Exceptions of Python, also as torchrun prints them, with the rank before each line. Fluent Bit's own
    parser gives the last line twice."""
    return _parser(
        _TRACEBACK,
        r"^(\[rank\d+\]:\s*)?Traceback \(most recent call last\):",
        r"^(\[rank\d+\]:\s+(?!Traceback)|\s+\S"
        r"|[\w.]*(Error|Exception|Exit|Interrupt|Iteration|Timeout|Warning)\b)",
    )


def _parser(name: str, first: str, following: str) -> dict[str, Any]:
    """Return a parser of messages. first, following: expressions of their first and their other lines."""
    state = "following"
    return {
        "name": name,
        "type": "regex",
        "flush_timeout": 1000,
        "rules": [
            {"state": "start_state", "regex": f"/{first}/", "next_state": state},
            {"state": state, "regex": f"/{following}/", "next_state": state},
        ],
    }
