"""Variants of the guardrails, and of the checks of GPUs, whose namespace they limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiplatform.gpu_checks import GpuChecks
from aiplatform.guardrails import Guardrails
from tests.components.recording import Recording, record

_FULL: Final[Mapping[str, Any]] = {
    "policies": {"labels": "warn"},
    "system_namespaces": ["argo"],
    "pod_creators": ["system:serviceaccount:jupyterhub:hub"],
    "allowed_registries": ["registry.acme.com", "quay.io/argoproj"],
    "require_digests": True,
    "digest_exceptions": ["quay.io/argoproj"],
    "fabric_namespaces": {
        "fabric": {
            "host_paths": ["/dev/infiniband"],
            "read_only_host_paths": ["/home/kubernetes/bin/gib"],
            "devices": ["/dev/nvidia0"],
            "capabilities": ["IPC_LOCK"],
            "host_network": True,
            "privileged": True,
            "pools": ["gpu"],
        }
    },
    "public_namespaces": ["gateway"],
    "required_labels": ["cost-center"],
    "priority_classes": {"batch": {"value": -10, "preempts": False, "everyone": False}},
}


def _recorded(arguments: Mapping[str, Any]) -> Callable[[], Recording]:
    stated: Any = dict(arguments)
    return lambda: record(lambda: Guardrails("guardrails", stated))


GUARDRAILS: Final = {
    "aws": _recorded(_FULL),
    "gcp": _recorded({"cloud": "gcp", "enforcement": "warn", "policies": {"images": "off"}}),
}
"""Variant -> what records it."""


def _checks(**arguments: Any) -> Callable[[], Recording]:
    stated: Any = {"queues": {"t4": "gpu-check-t4", "h100": "gpu-check-h100"}, **arguments}
    return lambda: record(lambda: GpuChecks("gpu-check", stated))


GPU_CHECKS: Final = {
    "aws": _checks(),
    "gcp": _checks(cloud="gcp", namespace="tests", fabric=["h100"]),
}
"""Variant -> what records it."""
