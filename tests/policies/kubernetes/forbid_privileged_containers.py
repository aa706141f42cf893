"""Spec of kubernetes.forbid_privileged_containers."""

from __future__ import annotations

from typing import Any

from tests.policies.spec import UNKNOWN, Case, Fails, Spec
from tests.policies.workloads import agent, container, cron_job, deployment, lone_pod

CONTAINERS = "spec.template.spec.containers"


def _adds(*capabilities: Any) -> dict[str, Any]:
    return container(securityContext={"capabilities": {"add": list(capabilities)}})


PRIVILEGED = container(securityContext={"privileged": True})

SPEC = Spec(
    passes={
        "a container with defaults": deployment(),
        "a container that disables it": deployment(container(securityContext={"privileged": False})),
        "a port below 1024": deployment(_adds("NET_BIND_SERVICE")),
        "a node agent": agent(PRIVILEGED),
    },
    fails={
        "a privileged container": Fails(
            lone_pod(PRIVILEGED), "spec.containers[0].securityContext.privileged", "'server' is root"
        ),
        "a privileged init container of a job": Fails(
            cron_job(initContainers=[PRIVILEGED]),
            "spec.jobTemplate.spec.template.spec.initContainers[0].securityContext.privileged",
        ),
        "a capability": Fails(
            deployment(_adds("NET_BIND_SERVICE", "CAP_SYS_ADMIN")),
            f"{CONTAINERS}[0].securityContext.capabilities.add[1]",
            "'CAP_SYS_ADMIN'",
        ),
        "a DaemonSet of a team": Fails(
            agent(PRIVILEGED, namespace="serving"), f"{CONTAINERS}[0].securityContext.privileged"
        ),
        "a Deployment next to the system": Fails(
            deployment(PRIVILEGED, namespace="kube-system"), f"{CONTAINERS}[0].securityContext.privileged"
        ),
    },
    unknown={
        "whether it is": deployment(container(securityContext={"privileged": UNKNOWN})),
        "the capabilities": deployment(container(securityContext={"capabilities": {"add": UNKNOWN}})),
        "a capability": deployment(_adds(UNKNOWN)),
        "the containers": deployment(containers=UNKNOWN),
    },
    configured={
        "a namespace of agents": Case(
            agent(PRIVILEGED, namespace="gpu-operator"),
            {"agent_namespaces": ["kube-system", "gpu-operator"]},
            fails=False,
        ),
        "a capability for debuggers": Case(
            deployment(_adds("SYS_PTRACE")), {"capabilities": ["SYS_PTRACE"]}, fails=False
        ),
    },
)
