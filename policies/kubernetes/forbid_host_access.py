"""Pods stay out of their node."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Options, Policy, Resource, Undecided, each
from ..pack.pods import AGENT_NAMESPACES, WORKLOADS, Part, containers, is_agent, pods

POLICY = Policy(
    title="No access to the node",
    severity="high",
    description="A pod in the node's network reaches its metadata service and passes by every NetworkPolicy; "
    "one among its processes or with its file system reads other pods' secrets. Node agents that need it are "
    "DaemonSets of a system namespace.",
    remediation="Drop hostNetwork, hostPID, hostIPC and hostPort; use a persistent volume, an emptyDir or a "
    "CSI driver in place of hostPath.",
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

_HOST = {"hostNetwork": "network", "hostPID": "processes", "hostIPC": "shared memory"}


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Namespaces, paths and ports of the node."""
    if is_agent(resource, options["agent_namespaces"]):
        return
    for pod in pods(resource):
        if isinstance(pod, Undecided):
            yield pod
            return
        yield from _of_the_pod(pod)
    for container in containers(resource):
        if isinstance(container, Undecided):
            yield container
            continue
        ports = container.get("ports")
        if ports is UNKNOWN:
            yield Undecided(f"{container.path}.ports")
        for path, port in each(ports, f"{container.path}.ports"):
            number = UNKNOWN if port is UNKNOWN else port.get("hostPort")
            if number is UNKNOWN:
                yield Undecided(f"{path}.hostPort")
            elif number:
                yield Finding(f"{path}.hostPort", f"{container.name!r} takes port {number:g} of its node")


def _of_the_pod(pod: Part) -> Iterator[Judgement]:
    for key, what in _HOST.items():
        value = pod.get(key)
        if value is UNKNOWN:
            yield Undecided(f"{pod.path}.{key}")
        elif value:
            yield Finding(f"{pod.path}.{key}", f"the pod shares its node's {what}")
    volumes = pod.get("volumes")
    if volumes is UNKNOWN:
        yield Undecided(f"{pod.path}.volumes")
    for path, volume in each(volumes, f"{pod.path}.volumes"):
        if volume is UNKNOWN:
            yield Undecided(path)
        elif volume.get("hostPath") is UNKNOWN:
            yield Undecided(f"{path}.hostPath")
        elif volume.get("hostPath") is not None:
            place = volume["hostPath"].get("path")
            yield Finding(f"{path}.hostPath", f"mounts {place!r} of the node")
