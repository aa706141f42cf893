"""Containers have no privileges on their node."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..framework import Entry, Option, Options, Outcome, Policy, Resource, Violation, check_each
from ..framework.pod_search import Context
from ..framework.pods import AGENT_NAMESPACES, WORKLOADS, check_contexts

POLICY = Policy(
    title="No privileged containers",
    severity="critical",
    description="A privileged container, or one with capabilities such as SYS_ADMIN, is root on its node, "
    "and has the node's identity in the cluster. Node agents that need it are DaemonSets of a system "
    "namespace.",
    remediation="Remove `privileged` and the added capabilities; pods get devices from a device plugin.",
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


_ROOT = ("privileged", "windowsOptions.hostProcess")


@POLICY.on(*WORKLOADS)
def rule(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Privileged containers and added capabilities."""
    namespaces = options["agent_namespaces"]
    yield from check_contexts(resource, _check, options["capabilities"], agent_namespaces=namespaces)


def _check(context: Context, capabilities: Collection[str]) -> Iterator[Outcome]:
    yield from check_each(_ROOT, _check_privileged, context)
    added = context.entries("capabilities.add")
    yield from check_each(added, _check_capability, context, capabilities)


def _check_privileged(path: str, context: Context) -> Iterator[Outcome]:
    if context.known(path) in (True, "true"):
        yield Violation(context.where(path), f"{context.name!r} is root on its node")


def _check_capability(
    capability: Entry, context: Context, capabilities: Collection[str]
) -> Iterator[Outcome]:
    name = str(capability.known())
    if name.upper().removeprefix("CAP_") not in capabilities:
        yield Violation(capability.path, f"{context.name!r} adds the capability {name!r}")
