"""Spec of kubernetes.drop_capabilities."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import GOOD_WORKLOADS, RAY_WORKER, ray_cluster, release
from tests.policies.spec import UNKNOWN, Case, Fails, Spec
from tests.policies.workloads import agent, container, deployment

CONTEXT = "spec.template.spec.containers[0].securityContext"


def _context(drop: Any = ("ALL",), escalation: Any = False) -> dict[str, Any]:
    dropped = list(drop) if isinstance(drop, tuple) else drop
    return container(
        securityContext={"capabilities": {"drop": dropped}, "allowPrivilegeEscalation": escalation}
    )


SPEC = Spec(
    passes={
        "all dropped and none gained": deployment(_context()),
        "a node agent": agent(),
        "all dropped, and one that is unknown": deployment(_context(drop=("ALL", UNKNOWN))),
        **GOOD_WORKLOADS,
    },
    fails={
        "a worker of Ray": Fails(
            ray_cluster(), f"{RAY_WORKER}.containers[0].securityContext.capabilities.drop", count=2
        ),
        "the values of a release": Fails(
            release({"securityContext": {"allowPrivilegeEscalation": True}}),
            "values.securityContext.allowPrivilegeEscalation",
        ),
        "defaults": Fails(deployment(), f"{CONTEXT}.capabilities.drop", "nothing", count=2),
        "one is dropped": Fails(
            deployment(_context(drop=("NET_RAW",))), f"{CONTEXT}.capabilities.drop", "['NET_RAW']"
        ),
        "it may gain": Fails(deployment(_context(escalation=True)), f"{CONTEXT}.allowPrivilegeEscalation"),
        "it may gain as by default": Fails(
            deployment(_context(escalation=None)), f"{CONTEXT}.allowPrivilegeEscalation", "more privileges"
        ),
    },
    unknown={
        "what is dropped": deployment(_context(drop=UNKNOWN)),
        "one that is dropped": deployment(_context(drop=("NET_RAW", UNKNOWN))),
        "whether it may gain": deployment(_context(escalation=UNKNOWN)),
    },
    configured={
        "a namespace of agents": Case(
            agent(namespace="gpu-operator"), {"agent_namespaces": ["gpu-operator"]}, fails=False
        ),
    },
)
