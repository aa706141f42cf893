"""Spec of kubernetes.forbid_host_access."""

from __future__ import annotations

from typing import Any

from policies.framework import Resource
from tests.policies.custom_workloads import (
    GOOD_WORKLOADS,
    JOB_SET,
    RAY_WORKER,
    custom,
    inference_service,
    job_set,
    ray_cluster,
    release,
    train_job,
    workflow,
)
from tests.policies.spec import UNKNOWN, Case, Fails, Spec, resource
from tests.policies.workloads import agent, container, deployment, lone_pod

POD = "spec.template.spec"
MANIFEST = "apiVersion: v1\nkind: Pod\nspec:\n  hostPID: true\n  containers: [{name: a, image: a}]\n"
SOCKET = {"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}}


def _volume(**spec: Any) -> Resource:
    return resource("kubernetes:core/v1:PersistentVolume", {"metadata": {"name": "data"}, "spec": spec})


SPEC = Spec(
    passes={
        "a pod with defaults": deployment(),
        "a pod that disables it": deployment(hostNetwork=False, hostPID=False),
        "a volume declared explicitly": deployment(volumes=[{"name": "scratch", "emptyDir": {}}]),
        "a port declared explicitly": deployment(container(ports=[{"containerPort": 8080}])),
        "a node agent": agent(hostNetwork=True, volumes=[SOCKET]),
        "a volume of a CSI driver": _volume(csi={"driver": "efs.csi.aws.com", "volumeHandle": "fs-1"}),
        "local storage that the scheduler knows": _volume(local={"path": "/mnt/disks/ssd0"}),
        **GOOD_WORKLOADS,
    },
    fails={
        "the node's network": Fails(lone_pod(hostNetwork=True), "spec.hostNetwork", "network"),
        "the node's processes": Fails(deployment(hostPID=True), f"{POD}.hostPID", "processes"),
        "the node's shared memory": Fails(deployment(hostIPC=True), f"{POD}.hostIPC"),
        "a path of the node": Fails(
            deployment(volumes=[{"name": "scratch", "emptyDir": {}}, SOCKET]),
            f"{POD}.volumes[1].hostPath",
            "'/var/run/docker.sock'",
        ),
        "a port of the node": Fails(
            deployment(container(ports=[{"containerPort": 8080, "hostPort": 80}])),
            f"{POD}.containers[0].ports[0].hostPort",
            "port 80",
        ),
        "a DaemonSet of a team": Fails(
            agent(hostNetwork=True, namespace="serving"), f"{POD}.hostNetwork", "network"
        ),
        "a persistent volume": Fails(
            _volume(hostPath={"path": "/var/lib/kubelet"}), "spec.hostPath", "'/var/lib/kubelet'"
        ),
        "the network of a node of Ray": Fails(ray_cluster(hostNetwork=True), f"{RAY_WORKER}.hostNetwork"),
        "a path of a node of Ray": Fails(
            ray_cluster(volumes=[SOCKET]), f"{RAY_WORKER}.volumes[0].hostPath", "'/var/run/docker.sock'"
        ),
        "the processes of a node of a JobSet": Fails(job_set(hostPID=True), f"{JOB_SET}.hostPID"),
        "a path of the node that a TrainJob adds": Fails(
            train_job(volumes=[SOCKET]), "spec.podTemplateOverrides[0].spec.volumes[0].hostPath"
        ),
        "the network of a node of a predictor": Fails(
            inference_service(hostNetwork=True), "spec.predictor.hostNetwork"
        ),
        "the network of all Pods of a workflow": Fails(
            workflow({"container": container()}, hostNetwork=True), "spec.hostNetwork"
        ),
        "a path of the node for a scheduled workflow": Fails(
            workflow({"container": container()}, kind="CronWorkflow", volumes=[SOCKET]),
            "spec.workflowSpec.volumes[0].hostPath",
        ),
        "a Pod that a workflow creates from a text": Fails(
            workflow({"resource": {"action": "create", "manifest": MANIFEST}}),
            "spec.templates[0].resource.manifest.spec.hostPID",
        ),
        "the network in the values of a release": Fails(
            release({"controller": {"hostNetwork": True}}), "values.controller.hostNetwork"
        ),
        "a switch of the network in the values of a release": Fails(
            release({"hostNetwork": {"enabled": True}}), "values.hostNetwork"
        ),
        "the network in the values of a HelmRelease of Flux": Fails(
            custom("helm.toolkit.fluxcd.io/v2:HelmRelease", {"values": {"agent": {"hostNetwork": True}}}),
            "spec.values.agent.hostNetwork",
        ),
        "the network in the values of an Application of Argo CD": Fails(
            custom(
                "argoproj.io/v1alpha1:Application",
                {"source": {"helm": {"values": "agent:\n  hostNetwork: true\n"}}},
            ),
            "spec.source.helm.values.agent.hostNetwork",
        ),
        "a Deployment in a list": Fails(
            resource(
                "kubernetes:apps/v1:DeploymentList",
                {"items": [{"spec": {"template": {"spec": {"hostPID": True, "containers": []}}}}]},
            ),
            "items[0].spec.template.spec.hostPID",
        ),
        "a volume in the values of a release": Fails(
            release({"server": {"extraVolumes": [SOCKET]}}), "values.server.extraVolumes[0].hostPath"
        ),
        "a path in the values of a release": Fails(
            release({"persistence": {"hostPath": "/data"}}), "values.persistence.hostPath", "'/data'"
        ),
    },
    unknown={
        "whether it is in the node's network": deployment(hostNetwork=UNKNOWN),
        "the volumes": deployment(volumes=UNKNOWN),
        "a volume": deployment(volumes=[UNKNOWN]),
        "a port": deployment(container(ports=[{"containerPort": 8080, "hostPort": UNKNOWN}])),
        "the pod": lone_pod(containers=UNKNOWN),
        "the volumes of workers of Ray": ray_cluster(volumes=UNKNOWN),
        "the source of a persistent volume": _volume(hostPath=UNKNOWN),
        "the values of a release": release(UNKNOWN),
    },
    configured={
        "a namespace of agents": Case(
            agent(hostPID=True, namespace="monitoring"), {"agent_namespaces": ["monitoring"]}, fails=False
        ),
    },
)
