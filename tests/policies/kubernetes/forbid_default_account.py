"""Spec of kubernetes.forbid_default_account."""

from __future__ import annotations

from tests.policies.custom_workloads import GOOD_WORKLOADS, JOB_SET, job_set, serving_runtime, workflow
from tests.policies.spec import UNKNOWN, Fails, Spec
from tests.policies.workloads import container, deployment, lone_pod

SPEC = Spec(
    passes={
        "an account declared explicitly": deployment(serviceAccountName="server"),
        "no token": deployment(automountServiceAccountToken=False),
        "no token, of an account that is unknown": deployment(
            automountServiceAccountToken=False, serviceAccountName=UNKNOWN
        ),
        "an account by its old name": deployment(serviceAccount="server"),
        **GOOD_WORKLOADS,
        "a runtime of KServe, whose service has the context and the account": serving_runtime(),
    },
    fails={
        "a JobSet": Fails(job_set(), f"{JOB_SET}.serviceAccountName"),
        "a workflow": Fails(
            workflow({"container": container()}, serviceAccountName="default"),
            "spec.templates[0].serviceAccountName",
        ),
        "defaults": Fails(lone_pod(), "spec.serviceAccountName", "'default'"),
        "the default account": Fails(
            deployment(serviceAccountName="default"), "spec.template.spec.serviceAccountName"
        ),
        "a token that is asked for": Fails(
            deployment(automountServiceAccountToken=True), "spec.template.spec.serviceAccountName"
        ),
    },
    unknown={
        "the account": deployment(serviceAccountName=UNKNOWN),
        "whether the token is there": deployment(automountServiceAccountToken=UNKNOWN),
        "the pod": lone_pod(serviceAccountName=UNKNOWN),
    },
)
