"""Objects of a cluster without machines, and what tests wait for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kubernetes import client

from twin.kubernetes import kwok


def core_of(api: client.ApiClient) -> Any:
    """Return the core API; its type stubs do not accept plain dictionaries."""
    return client.CoreV1Api(api)


def until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return condition()


def make_node(api: client.ApiClient, name: str) -> None:
    has = {"cpu": "8", "memory": "32Gi", "pods": "50", "nvidia.com/gpu": "1"}
    core_of(api).create_node(
        {
            "metadata": {"name": name, "annotations": {kwok.MANAGED[0]: kwok.MANAGED[1]}},
            "status": {"capacity": has, "allocatable": has},
        }
    )


def pod(name: str, **annotations: str) -> dict[str, object]:
    limits = {"cpu": "100m"}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "any", "resources": {"limits": limits}}],
        },
    }


def phase(api: client.ApiClient, name: str) -> str:
    return core_of(api).read_namespaced_pod(name, "default").status.phase


def ready_nodes(api: client.ApiClient) -> set[str]:
    return {
        node.metadata.name
        for node in core_of(api).list_node().items
        if any(
            condition.type == "Ready" and condition.status == "True"
            for condition in node.status.conditions or []
        )
    }


def claiming(name: str, template: str) -> dict[str, object]:
    """Return a Pod that claims GPUs by a template."""
    container = {"name": "main", "image": "any", "resources": {"claims": [{"name": "gpus"}]}}
    claims = [{"name": "gpus", "resourceClaimTemplateName": template}]
    return {"metadata": {"name": name}, "spec": {"containers": [container], "resourceClaims": claims}}


def hooked(api: client.ApiClient, name: str, **calls: Any) -> None:
    """Create a webhook for every ConfigMap of the namespace `hooked-NAME` (failurePolicy Fail)."""
    core_of(api).create_namespace({"metadata": {"name": f"hooked-{name}"}})
    hook = {
        "name": f"{name}.example.com",
        "clientConfig": calls,
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": f"hooked-{name}"}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    admission: Any = client.AdmissionregistrationV1Api(api)
    admission.create_validating_webhook_configuration({"metadata": {"name": name}, "webhooks": [hook]})


def refusal(api: client.ApiClient, name: str) -> str:
    """Return the error of a ConfigMap, within two seconds, once the API server has read the webhook."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            core_of(api).create_namespaced_config_map(f"hooked-{name}", {"metadata": {"generateName": "a-"}})
        except client.ApiException as error:
            assert time.monotonic() - began < 2, "it is refused at once"
            return str(error.body)
        time.sleep(0.2)
    raise AssertionError("a ConfigMap was created although the webhook does not answer")
