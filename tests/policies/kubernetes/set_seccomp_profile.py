"""Spec of kubernetes.set_seccomp_profile."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import GOOD_WORKLOADS, RAY_WORKER, ray_cluster, release, serving_runtime
from tests.policies.spec import UNKNOWN, Case, Fails, Spec
from tests.policies.workloads import agent, container, deployment

PROFILE = "spec.template.spec.containers[0].securityContext.seccompProfile.type"


def _of(profile: Any) -> dict[str, Any]:
    return {"securityContext": {"seccompProfile": {"type": profile}}}


SPEC = Spec(
    passes={
        "the pod's": deployment(**_of("RuntimeDefault")),
        "the container's": deployment(container(**_of("Localhost"))),
        "a node agent": agent(),
        **GOOD_WORKLOADS,
        "a runtime of KServe, whose service has the context and the account": serving_runtime(),
    },
    fails={
        "a worker of Ray": Fails(
            ray_cluster(securityContext={"seccompProfile": {"type": "Unconfined"}}),
            f"{RAY_WORKER}.containers[0].securityContext.seccompProfile.type",
        ),
        "the values of a release": Fails(
            release({"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}}),
            "values.podSecurityContext.seccompProfile.type",
        ),
        "defaults": Fails(deployment(), PROFILE, "Unconfined, the default"),
        "none": Fails(deployment(**_of("Unconfined")), PROFILE, "'server' runs Unconfined"),
        "the container takes back what the pod says": Fails(
            deployment(container(**_of("Unconfined")), **_of("RuntimeDefault")), PROFILE
        ),
    },
    unknown={"the profile": deployment(**_of(UNKNOWN))},
    configured={
        "a namespace of agents": Case(
            agent(namespace="gpu-operator"), {"agent_namespaces": ["gpu-operator"]}, fails=False
        ),
    },
)
