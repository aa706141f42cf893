"""Containers have no power over their node."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided, each
from ..pack.pods import AGENT_NAMESPACES, WORKLOADS, Part, in_containers

POLICY = Policy(
    title="No privileged containers",
    severity="critical",
    description="A privileged container, or one with capabilities such as SYS_ADMIN, is root on its node, "
    "and through the node's identity in the cluster. Node agents that need it are DaemonSets of a system "
    "namespace.",
    remediation="Drop `privileged` and the added capabilities; devices come to pods by a device plugin.",
    frameworks=(
        "CIS EKS 4.2.1",
        "CIS Kubernetes 5.2.2",
        "CIS Kubernetes 5.2.9",
        "NIST 800-53 AC-6",
        "SOC 2 CC6.3",
    ),
    options={
        "agent_namespaces": AGENT_NAMESPACES,
        "capabilities": Option(
            {"type": "array", "items": {"type": "string"}},
            ["NET_BIND_SERVICE"],
            "The capabilities that a container may add.",
        ),
    },
)


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Privileged containers and added capabilities."""
    yield from in_containers(
        resource,
        lambda container: _judge(container, options["capabilities"]),
        agents=options["agent_namespaces"],
    )


def _judge(container: Part, capabilities: Collection[str]) -> Iterator[Judgement]:
    privileged = container.get("securityContext.privileged")
    if privileged is UNKNOWN:
        yield Undecided(f"{container.path}.securityContext.privileged")
    elif privileged:
        yield Finding(
            f"{container.path}.securityContext.privileged", f"{container.name!r} is root on its node"
        )
    added = f"{container.path}.securityContext.capabilities.add"
    listed = container.get("securityContext.capabilities.add")
    if listed is UNKNOWN:
        yield Undecided(added)
    for path, capability in each(listed, added):
        if capability is UNKNOWN:
            yield Undecided(path)
        elif capability.removeprefix("CAP_") not in capabilities:
            yield Finding(path, f"{container.name!r} adds the capability {capability!r}")
