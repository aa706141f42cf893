"""Spec of kubernetes.keep_root_read_only."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import GOOD_WORKLOADS, job_set, release
from tests.policies.spec import UNKNOWN, Case, Fails, Spec
from tests.policies.workloads import agent, container, deployment

PATH = "spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem"


def _root(read_only: Any) -> dict[str, Any]:
    return container(securityContext={"readOnlyRootFilesystem": read_only})


SPEC = Spec(
    passes={"a read-only root": deployment(_root(True)), "a node agent": agent(), **GOOD_WORKLOADS},
    fails={
        "a job of a JobSet": Fails(
            job_set(),
            "spec.replicatedJobs[0].template.spec.template.spec.containers[0].securityContext"
            ".readOnlyRootFilesystem",
        ),
        "the values of a release": Fails(
            release({"securityContext": {"readOnlyRootFilesystem": False}}),
            "values.securityContext.readOnlyRootFilesystem",
        ),
        "defaults": Fails(deployment(), PATH, "'server' can write"),
        "it is said": Fails(deployment(_root(False)), PATH),
    },
    unknown={"whether it is": deployment(_root(UNKNOWN))},
    configured={
        "a namespace of agents": Case(
            agent(namespace="gpu-operator"), {"agent_namespaces": ["gpu-operator"]}, fails=False
        ),
    },
)
