"""The ports of Pods that the API server calls: derived from what is in a cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes import client

Service = tuple[str, str, int]
"""Namespace, name and port of a Service."""


def called_ports(api: client.ApiClient) -> Mapping[str, set[int]]:
    """Return namespace -> ports of its Pods behind webhooks, conversions and added APIs."""
    ports: defaultdict[str, set[int]] = defaultdict(set)
    for namespace, name, port in set(_called_services(api)):
        ports[namespace].add(_container_port(api, namespace, name, port))
    return ports


def _called_services(api: client.ApiClient) -> Iterator[Service]:
    admission: Any = client.AdmissionregistrationV1Api(api)
    configurations = [
        *admission.list_mutating_webhook_configuration().items,
        *admission.list_validating_webhook_configuration().items,
    ]
    services = [
        webhook.client_config.service
        for configuration in configurations
        for webhook in configuration.webhooks or []
    ]
    registration: Any = client.ApiregistrationV1Api(api)
    services += [item.spec.service for item in registration.list_api_service().items]
    extensions: Any = client.ApiextensionsV1Api(api)
    services += [
        item.spec.conversion.webhook.client_config.service
        for item in extensions.list_custom_resource_definition().items
        if item.spec.conversion and item.spec.conversion.webhook
    ]
    for service in services:
        # APIs of the cloud itself, such as that of metrics, are in kube-system.
        if service is not None and service.namespace != "kube-system":
            yield service.namespace, service.name, service.port or 443


def _container_port(api: client.ApiClient, namespace: str, name: str, port: int) -> int:
    core: Any = client.CoreV1Api(api)
    service = core.read_namespaced_service(name, namespace)
    target = next(entry.target_port or entry.port for entry in service.spec.ports if entry.port == port)
    if isinstance(target, int):
        return target
    selector = ",".join(f"{key}={value}" for key, value in service.spec.selector.items())
    pods = core.list_namespaced_pod(namespace, label_selector=selector).items
    return next(
        entry.container_port
        for pod in pods
        for container in pod.spec.containers
        for entry in container.ports or []
        if entry.name == target
    )
