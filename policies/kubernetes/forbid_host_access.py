"""Pods have no access to their node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ..framework import Entry, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.pod_search import HOST_NAMESPACES, Container, Pod
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, is_agent, parts

POLICY = Policy(
    title="No access to the node",
    severity="high",
    description="A pod in the network of its node can use the metadata service and bypasses every "
    "NetworkPolicy; with access to processes or the file system of the node it reads the secrets of other "
    "pods. Node agents that need it are DaemonSets of a system namespace.",
    remediation="Remove hostNetwork, hostPID, hostIPC and hostPort; use a persistent volume, an emptyDir or "
    "a CSI driver in place of hostPath, also in PersistentVolumes.",
    frameworks=(
        "CIS EKS 4.2.2",
        "CIS EKS 4.2.3",
        "CIS EKS 4.2.4",
        "CIS Kubernetes 5.2.12",
        "CIS Kubernetes 5.2.13",
        "NIST 800-53 SC-39",
        "SOC 2 CC6.1",
    ),
    options={
        "agent_namespaces": AGENT_NAMESPACES,
    },
)

_HOST: Final[dict[str, str]] = dict(
    zip(HOST_NAMESPACES, ("network", "processes", "shared memory"), strict=True)
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Namespaces, paths and ports of the node."""
    if is_agent(resource, options["agent_namespaces"]):
        return
    declared = parts(resource)
    yield from check_each(declared.pods, _check_pod)
    yield from check_each(declared.volumes, _check_volume)
    yield from check_each(declared.containers, _check_container)


def _check_pod(pod: Pod) -> Iterator[Outcome]:
    yield from check_each(_HOST, _check_namespace, pod)


def _check_namespace(key: str, pod: Pod) -> Iterator[Outcome]:
    value = pod.known(key)
    # A chart may have `hostNetwork: {enabled: true}` in its values.
    if value in (True, "true") or (isinstance(value, Mapping) and pod.known(f"{key}.enabled") is True):
        yield Violation(pod.where(key), f"the pod shares the {_HOST[key]} of its node")


def _check_volume(volume: Entry) -> Iterator[Outcome]:
    path = volume.known("hostPath")
    mounted = path if isinstance(path, str) else volume.raw("hostPath.path")
    yield Violation(volume.where("hostPath"), f"mounts {mounted!r} of the node")


def _check_container(container: Container) -> Iterator[Outcome]:
    yield from check_each(container.entries("ports"), _check_port, container)


def _check_port(port: Entry, container: Container) -> Iterator[Outcome]:
    number = port.known("hostPort")
    if isinstance(number, int | float) and number:
        yield Violation(port.where("hostPort"), f"{container.name!r} uses port {number:g} of its node")
