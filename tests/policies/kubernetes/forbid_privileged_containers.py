"""Spec of kubernetes.forbid_privileged_containers."""

from __future__ import annotations

from typing import Any

from tests.policies.custom_workloads import (
    GOOD_WORKLOADS,
    JOB_SET,
    PYTORCH_WORKER,
    RAY_WORKER,
    inference_service,
    job_set,
    pytorch_job,
    ray_cluster,
    ray_job,
    ray_service,
    release,
    serving_runtime,
    train_job,
    workflow,
)
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
        "the release of a node agent": release({"securityContext": {"privileged": True}}, "kube-system"),
        **GOOD_WORKLOADS,
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
        "a worker of Ray": Fails(
            ray_cluster(PRIVILEGED), f"{RAY_WORKER}.containers[0].securityContext.privileged"
        ),
        "a worker of a Ray job": Fails(
            ray_job(PRIVILEGED),
            "spec.rayClusterSpec.workerGroupSpecs[0].template.spec.containers[0].securityContext.privileged",
        ),
        "a capability of a worker of a Ray service": Fails(
            ray_service(_adds("SYS_ADMIN")),
            "spec.rayClusterConfig.workerGroupSpecs[0].template.spec.containers[0].securityContext"
            ".capabilities.add[0]",
        ),
        "an init container of a PyTorch job": Fails(
            pytorch_job(initContainers=[PRIVILEGED]),
            f"{PYTORCH_WORKER}.initContainers[0].securityContext.privileged",
        ),
        "a container that a TrainJob changes": Fails(
            train_job(containers=[{"name": "node", "securityContext": {"privileged": True}}]),
            "spec.podTemplateOverrides[0].spec.containers[0].securityContext.privileged",
            "'node' is root",
        ),
        "a job of a JobSet": Fails(
            job_set(PRIVILEGED), f"{JOB_SET}.containers[0].securityContext.privileged"
        ),
        "the model of an InferenceService": Fails(
            inference_service({"securityContext": {"privileged": True}}),
            "spec.predictor.model.securityContext.privileged",
            "'model' is root",
        ),
        "a ServingRuntime": Fails(
            serving_runtime(_adds("NET_ADMIN")), "spec.containers[0].securityContext.capabilities.add[0]"
        ),
        "the container of a workflow": Fails(
            workflow({"container": PRIVILEGED}), "spec.templates[0].container.securityContext.privileged"
        ),
        "the script of a scheduled workflow": Fails(
            workflow({"script": PRIVILEGED}, kind="CronWorkflow"),
            "spec.workflowSpec.templates[0].script.securityContext.privileged",
        ),
        "a container of a set in a template": Fails(
            workflow({"containerSet": {"containers": [PRIVILEGED]}}, kind="WorkflowTemplate"),
            "spec.templates[0].containerSet.containers[0].securityContext.privileged",
        ),
        "a sidecar of a workflow": Fails(
            workflow({"container": container(), "sidecars": [PRIVILEGED]}),
            "spec.templates[0].sidecars[0].securityContext.privileged",
        ),
        "a patch of a workflow's Pods as a text": Fails(
            workflow(
                {"container": container()},
                podSpecPatch='{"containers":[{"name":"main","securityContext":{"privileged":true}}]}',
            ),
            "spec.podSpecPatch.containers[0].securityContext.privileged",
        ),
        "a patch of a Deployment": Fails(
            deployment({"name": "server", "securityContext": {"privileged": True}}, kind="DeploymentPatch"),
            f"{CONTAINERS}[0].securityContext.privileged",
        ),
        "the values of a release": Fails(
            release({"controller": {"containerSecurityContext": {"privileged": True}}}),
            "values.controller.containerSecurityContext.privileged",
            "'controller' is root",
        ),
        "a switch in the values of a release": Fails(
            release({"driver": {"privileged": True}}), "values.driver.privileged"
        ),
        "a capability in the values of a release": Fails(
            release({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}),
            "values.securityContext.capabilities.add[0]",
        ),
        "a sidecar in the values of a release": Fails(
            release({"extraContainers": [PRIVILEGED]}),
            "values.extraContainers[0].securityContext.privileged",
        ),
    },
    unknown={
        "whether it is": deployment(container(securityContext={"privileged": UNKNOWN})),
        "the capabilities": deployment(container(securityContext={"capabilities": {"add": UNKNOWN}})),
        "a capability": deployment(_adds(UNKNOWN)),
        "the containers": deployment(containers=UNKNOWN),
        "the workers of Ray": ray_cluster(containers=UNKNOWN),
        "the values of a release": release(UNKNOWN),
        "a part of the values of a release": release({"controller": UNKNOWN}),
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
