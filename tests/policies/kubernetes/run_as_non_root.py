"""Spec of kubernetes.run_as_non_root."""

from __future__ import annotations

from tests.policies.custom_workloads import (
    GOOD_WORKLOADS,
    RAY_WORKER,
    inference_service,
    pytorch_job,
    ray_cluster,
    release,
    serving_runtime,
    workflow,
)
from tests.policies.spec import UNKNOWN, Case, Fails, Spec
from tests.policies.workloads import agent, container, cron_job, deployment

CONTEXT = "spec.template.spec.containers[0].securityContext"
ROOT = container(securityContext={"runAsUser": 0})

SPEC = Spec(
    passes={
        "the pod says so": deployment(securityContext={"runAsNonRoot": True}),
        "the container says so": deployment(container(securityContext={"runAsNonRoot": True})),
        "an ordinary user": deployment(securityContext={"runAsUser": 1000}),
        "a node agent": agent(ROOT),
        **GOOD_WORKLOADS,
        "a runtime of KServe, whose service has the context and the account": serving_runtime(),
        "a user that is unknown and must not be root": deployment(
            securityContext={"runAsNonRoot": True, "runAsUser": UNKNOWN}
        ),
    },
    fails={
        "defaults": Fails(deployment(), f"{CONTEXT}.runAsNonRoot", "may be root"),
        "root": Fails(
            deployment(ROOT, securityContext={"runAsNonRoot": True}), f"{CONTEXT}.runAsUser", "user 0"
        ),
        "the container takes back what the pod says": Fails(
            deployment(
                container(securityContext={"runAsNonRoot": False}), securityContext={"runAsNonRoot": True}
            ),
            f"{CONTEXT}.runAsNonRoot",
        ),
        "one of two containers": Fails(
            cron_job(container(securityContext={"runAsUser": 1000}), container("sidecar")),
            "spec.jobTemplate.spec.template.spec.containers[1].securityContext.runAsNonRoot",
            "'sidecar'",
        ),
        "a worker of Ray": Fails(
            ray_cluster(), f"{RAY_WORKER}.containers[0].securityContext.runAsNonRoot", "may be root"
        ),
        "a PyTorch job": Fails(
            pytorch_job(securityContext={"runAsUser": 0}),
            "spec.pytorchReplicaSpecs.Worker.template.spec.containers[0].securityContext.runAsUser",
        ),
        "a workflow": Fails(
            workflow({"container": container()}),
            "spec.templates[0].container.securityContext.runAsNonRoot",
        ),
        "the model of an InferenceService": Fails(
            inference_service({"securityContext": {"runAsUser": 0}}),
            "spec.predictor.model.securityContext.runAsUser",
        ),
        "the values of a release": Fails(
            release({"server": {"podSecurityContext": {"runAsNonRoot": False}}}),
            "values.server.podSecurityContext.runAsNonRoot",
        ),
    },
    unknown={
        "the user": deployment(securityContext={"runAsUser": UNKNOWN}),
        "whether it may": deployment(securityContext={"runAsNonRoot": UNKNOWN}),
        "the pod's context": deployment(securityContext=UNKNOWN),
        "the containers": deployment(containers=UNKNOWN),
    },
    configured={
        "a namespace of agents": Case(
            agent(ROOT, namespace="gpu-operator"), {"agent_namespaces": ["gpu-operator"]}, fails=False
        ),
    },
)
