"""Containers run as an ordinary user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided
from ..pack.pods import WORKLOADS, Part, containers, is_agent, pods

POLICY = Policy(
    title="No root in containers",
    severity="high",
    description="Root in a container is root on the node as soon as the runtime or the kernel has a hole. "
    "`runAsNonRoot` makes the kubelet refuse an image that would run as root.",
    remediation="Set `securityContext.runAsNonRoot: true` on the pod, and `runAsUser` where the image names "
    "its user by a word.",
    frameworks=("CIS Kubernetes 5.2.7", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
    options={
        "agent_namespaces": Option(
            {"type": "array", "items": {"type": "string"}},
            ["kube-system"],
            "The namespaces whose DaemonSets may run as root: the kubelet's sockets belong to root.",
        ),
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Containers that are, or may be, root."""
    if is_agent(resource, options["agent_namespaces"]):
        return
    for pod in pods(resource):
        if isinstance(pod, Undecided):
            yield pod
            continue
        for container in containers(resource):
            if isinstance(container, Undecided):
                yield container
            else:
                yield from _judged(pod, container)


def _judged(pod: Part, container: Part) -> Iterator[Judgement]:
    context = f"{container.path}.securityContext"
    user = _said(pod, container, "runAsUser")
    ordinary = _said(pod, container, "runAsNonRoot")
    if user == 0:
        yield Finding(f"{context}.runAsUser", f"{container.name!r} runs as root, user 0")
    elif ordinary is True:
        return
    elif user is UNKNOWN or ordinary is UNKNOWN:
        yield Undecided(f"{context}.{'runAsUser' if user is UNKNOWN else 'runAsNonRoot'}")
    elif user is None:
        yield Finding(
            f"{context}.runAsNonRoot", f"{container.name!r} runs as its image's user, which may be root"
        )


def _said(pod: Part, container: Part, key: str) -> Any:
    """A container's own word comes before its pod's."""
    own = container.get(f"securityContext.{key}")
    return pod.get(f"securityContext.{key}") if own is None else own
