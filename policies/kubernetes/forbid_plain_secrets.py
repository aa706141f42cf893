"""Secrets are in secret stores, not in plain configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, cast

from ..framework import UNKNOWN, Deferred, Entry, Outcome, Policy, Properties, Resource, Violation, check_each
from ..framework.plain_secrets import (
    check_arguments,
    check_mapping,
    check_variables,
    decoded,
    setting_problem,
    text_problem,
)
from ..framework.pods import WORKLOADS, check_containers

POLICY = Policy(
    title="No secrets in pod specs, ConfigMaps and values of charts",
    severity="high",
    description="Everyone with read access to a pod, a ConfigMap or the release of a chart can read its "
    "values, and they appear in deployment logs, support bundles and backups of etcd. Arguments are also in "
    "the list of processes of the node.",
    remediation="Let the workload read the cloud's secret manager with its identity, or refer to a Secret by "
    "`valueFrom.secretKeyRef`; give a chart the name of a Secret.",
    frameworks=("CIS EKS 4.4.1", "CIS Kubernetes 5.4.1", "NIST 800-53 IA-5(7)", "SOC 2 CC6.1"),
)


_OPERATORS: Final = (
    "kubernetes:argoproj.io/",
    "kubernetes:jobset.x-k8s.io/",
    "kubernetes:leaderworkerset.x-k8s.io/",
    "kubernetes:ray.io/",
    "kubernetes:serving.knative.dev/",
    "kubernetes:serving.kserve.io/",
    "kubernetes:sparkoperator.k8s.io/",
    "kubernetes:trainer.kubeflow.org/",
)
"""Groups of objects with containers."""
_CONTAINER: Final = ("env", "command", "args")


@POLICY.on(*WORKLOADS)
def on_pods(resource: Resource) -> Iterator[Outcome]:
    """Environment variables, commands and arguments of containers."""
    yield from check_containers(resource, _check_container)


def _check_container(container: Properties) -> Iterator[Outcome]:
    yield from check_variables(container, "env")
    for path in ("command", "args"):
        yield from check_each([path], partial(check_arguments, container))


@POLICY.on(*_OPERATORS)
def on_custom_objects(resource: Resource) -> Iterator[Outcome]:
    """Containers in objects of operators, at any depth."""
    yield from _check_object(Entry("spec", resource.known("spec") or {}))


def _check_object(node: Entry) -> Iterator[Outcome]:
    body: Any = node.known()
    if isinstance(body, list):
        yield from check_each(node.entries(), _check_object)
    elif isinstance(body, Mapping):
        fields = cast("Mapping[str, Any]", body)
        if any(key in fields for key in _CONTAINER):
            yield from _check_container(node)
        if isinstance(fields.get("parameters"), list):
            # Of workflows, which put them into containers by name.
            yield from check_variables(node, "parameters")
        nested = [Entry(node.where(key), value) for key, value in fields.items() if key not in _CONTAINER]
        yield from check_each(nested, _check_object)


@POLICY.on("kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:ConfigMapPatch")
def on_config_maps(resource: Resource) -> Iterator[Outcome]:
    """Entries of ConfigMaps."""
    yield from check_mapping(resource, "data")
    binary = resource.mapping("binaryData")
    yield from check_each(binary, _check_binary, binary)


def _check_binary(name: str, data: Mapping[str, Any]) -> Iterator[Outcome]:
    path = f"binaryData[{name}]"
    value = Entry(path, data[name]).known()
    problem = text_problem(decoded(value) or "", name) if isinstance(value, str) else None
    if problem:
        yield Violation(path, f"{name!r} {problem}")


@POLICY.on("kubernetes:helm.sh/v3:Release")
def on_releases(resource: Resource) -> Iterator[Outcome]:
    """Values of charts."""
    yield from _check_values(Entry("values", resource.known("values")), "")


def _check_values(values: Entry, name: str) -> Iterator[Outcome]:
    body: Any = values.body
    if body is UNKNOWN:
        yield Deferred(values.path)
    elif isinstance(body, Mapping):
        for key, value in cast("Mapping[str, Any]", body).items():
            yield from _check_values(Entry(f"{values.path}.{key}", value), key)
    elif isinstance(body, list):
        for entry in values.entries():
            yield from _check_values(entry, "")
    else:
        problem = setting_problem(name, body)
        if problem:
            yield Violation(values.path, problem)
