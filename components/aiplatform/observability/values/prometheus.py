"""Values of the operator, of Prometheus and of Alertmanager."""

from collections.abc import Sequence
from typing import Any, Final

from aiplatform._shared.outputs import mapped
from aiplatform.addons.values.setup import requests
from aiplatform.observability import alertmanager
from aiplatform.observability.args import GOOGLE_PROMETHEUS
from aiplatform.observability.values.setup import (
    DELETED_WITH_IT,
    ISSUER,
    NAMESPACE,
    Setup,
    disruption_budget,
    placed,
    volume,
)

_SELECTORS: Final = ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
_LARGEST_PART: Final = 0.8
"""Part of the volume for blocks. The write-ahead log and blocks that are compacted need the rest (Prometheus
documentation, "Operational aspects": 80 to 85 % at most)."""
_ALERTMANAGER_GIB: Final = 2
"""For silences and what was sent."""
_IN_ZONES: Final = {"podAntiAffinityTopologyKey": "topology.kubernetes.io/zone"}
"""Replicas start in different zones, if there are nodes. Their volumes keep them there."""
_NOT_STORED: Final = (
    r"apiserver_(?:admission|flowcontrol|request_body|request_duration|request_filter|response|storage|watch)"
    r"\w*_bucket|etcd_.+|container_network_.+"
)
"""Series that no rule and no dashboard names, a third of a small cluster's. The storage's price is that of
samples."""
_LEASE: Final = "prometheus-export"
"""Google Cloud: the lease of the replica that writes."""


def values(setup: Setup) -> dict[str, Any]:
    """Return the values."""
    return {
        "prometheusOperator": _operator(setup),
        "prometheus": {
            "podDisruptionBudget": disruption_budget(setup.prometheus.replicas),
            "prometheusSpec": _prometheus(setup),
        },
        "alertmanager": {
            "podDisruptionBudget": disruption_budget(setup.alertmanager.replicas),
            "config": dict(setup.configuration),
            "alertmanagerSpec": _alertmanager(setup),
        },
    }


def _operator(setup: Setup) -> dict[str, Any]:
    return {
        "image": setup.image("prometheus-operator"),
        **placed("20m", "96Mi", "200Mi"),
        "prometheusConfigReloader": {
            "image": setup.image("prometheus-config-reloader"),
            "resources": requests("5m", "32Mi"),
        },
        "admissionWebhooks": {
            "certManager": {
                "enabled": True,
                "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": ISSUER},
            },
            # Jobs of hooks, which Pulumi does not run. Without them a rule that does not parse is refused.
            "patch": {"enabled": False},
        },
    }


def _prometheus(setup: Setup) -> dict[str, Any]:
    arguments = setup.prometheus
    memory = round(arguments.memory_gib * 1024)
    # Exporting needs memory, too, where many samples wait.
    most_memory = memory * 2 if setup.exports else memory
    return {
        "image": setup.image("prometheus"),
        "replicas": arguments.replicas,
        **placed(f"{round(arguments.cpu * 1000)}m", f"{memory}Mi", f"{most_memory}Mi"),
        **_IN_ZONES,
        # By default only objects with the label of this chart's release are selected.
        **{f"{kind}SelectorNilUsesHelmValues": False for kind in _SELECTORS},
        "scrapeInterval": f"{arguments.scrape_interval_seconds}s",
        "evaluationInterval": "30s",
        "retention": f"{arguments.retention_days}d",
        "retentionSize": f"{int(arguments.storage_gib * _LARGEST_PART)}GB",
        "storageSpec": volume(arguments.storage_gib),
        "persistentVolumeClaimRetentionPolicy": dict(DELETED_WITH_IT),
        "externalLabels": {"cluster": setup.cluster},
        **(_workspace(setup) if setup.workspace_url is not None else {}),
        **(_export(setup) if setup.exports else {}),
    }


def _workspace(setup: Setup) -> dict[str, Any]:
    """Return what writes to a workspace of Amazon Managed Service for Prometheus. It keeps the samples of one
    replica, by these two labels ("Send high-availability data" in its user guide)."""
    return {
        "podMetadata": {"annotations": setup.identity("prometheus")},
        "prometheusExternalLabelNameClear": True,
        "replicaExternalLabelName": "__replica__",
        "remoteWrite": [
            {
                "name": "workspace",
                "url": _below(setup, "api/v1/remote_write"),
                # By the credentials of the Pod (EKS Pod Identity).
                "sigv4": {"region": setup.region},
                "writeRelabelConfigs": [
                    {"action": "drop", "sourceLabels": ["__name__"], "regex": _NOT_STORED}
                ],
                "queueConfig": {"capacity": 2500, "maxSamplesPerSend": 1000, "maxShards": 50},
            }
        ],
    }


def _below(setup: Setup, path: str) -> Any:
    assert setup.workspace_url is not None, "called only with a workspace"  # noqa: S101
    return mapped(setup.workspace_url, lambda url: f"{url.rstrip('/')}/{path}")


def _export(setup: Setup) -> dict[str, Any]:
    """Return what writes to Managed Service for Prometheus: Google's distribution of Prometheus, since the
    operator's remote write has no credentials of Google ("Get started with self-deployed collection"). Of
    two replicas one writes."""
    quoted = _NOT_STORED.replace("\\", "\\\\")
    flags = {
        # A selector needs one matcher that the empty name does not meet.
        "export.match": f'{{__name__=~".+",__name__!~"{quoted}"}}',
        "export.label.project-id": setup.project,
        "export.label.location": setup.location,
        "export.label.cluster": setup.cluster,
    }
    if setup.prometheus.replicas > 1:
        flags |= {
            "export.ha.backend": "kube",
            "export.ha.kube.namespace": NAMESPACE,
            "export.ha.kube.name": _LEASE,
        }
    return {
        "image": setup.image(GOOGLE_PROMETHEUS),
        # The operator reads what Prometheus understands from it.
        "version": "v3.13.0",
        "additionalArgs": [{"name": name, "value": value} for name, value in flags.items()],
        # A series is the same whichever replica writes it.
        "prometheusExternalLabelNameClear": True,
        "replicaExternalLabelNameClear": True,
    }


def _alertmanager(setup: Setup) -> dict[str, Any]:
    return {
        "image": setup.image("alertmanager"),
        "replicas": setup.alertmanager.replicas,
        **placed("10m", "64Mi"),
        **_IN_ZONES,
        **(_receivers(setup.credentials) if setup.credentials else {}),
        "storage": volume(_ALERTMANAGER_GIB),
        "persistentVolumeClaimRetentionPolicy": dict(DELETED_WITH_IT),
    }


def _receivers(secrets: Sequence[str]) -> dict[str, Any]:
    """Return the volume with the files of receivers. The operator's `secrets` are required volumes: without
    one of them no replica would start."""
    sources = [{"secret": {"name": secret, "optional": True}} for secret in secrets]
    return {
        "volumes": [{"name": alertmanager.VOLUME, "projected": {"sources": sources}}],
        "volumeMounts": [
            {"name": alertmanager.VOLUME, "mountPath": alertmanager.FOLDER, "readOnly": True},
        ],
    }
