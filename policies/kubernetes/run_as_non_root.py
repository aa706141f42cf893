"""Containers run as an ordinary user."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Options, Policy, Resource, Undecided
from ..pack.pods import AGENT_NAMESPACES, WORKLOADS, Part, in_containers

POLICY = Policy(
    title="No root in containers",
    severity="high",
    description="Root in a container is root on the node as soon as the runtime or the kernel has a hole. "
    "`runAsNonRoot` makes the kubelet refuse an image that would run as root.",
    remediation="Set `securityContext.runAsNonRoot: true` on the pod, and `runAsUser` where the image names "
    "its user by a word.",
    frameworks=("CIS Kubernetes 5.2.7", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
    options={
        "agent_namespaces": AGENT_NAMESPACES,
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Containers that are, or may be, root."""
    yield from in_containers(resource, _judge, agents=options["agent_namespaces"])


def _judge(container: Part) -> Iterator[Judgement]:
    context = f"{container.path}.securityContext"
    user, ordinary = container.security("runAsUser"), container.security("runAsNonRoot")
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
