"""Requests to a cluster with the guardrails: what they refuse, and what users and controllers need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.end_to_end.guardrail_objects import (
    DIGEST,
    GPU,
    QUEUE,
    controlled,
    cron_job,
    custom,
    group_set,
    hardened,
    host_path,
    image,
    ingress,
    initial,
    job,
    job_set,
    meta,
    pod,
    ray,
    service,
    sidecar,
    spec,
    train_job,
)
from tests.end_to_end.guardrails import ADMIN, Object

SETTINGS: Final[Mapping[str, Any]] = {
    "system_namespaces": ["argo", "kuberay-operator", "kubeflow-system"],
    "pod_creators": ["system:serviceaccount:jupyterhub:hub"],
    "allowed_registries": ["registry.acme.com", "quay.io/argoproj"],
    "require_digests": True,
    "digest_exceptions": ["quay.io/argoproj", "registry.acme.com/old:1"],
    "fabric_namespaces": {
        "fabric": {
            "host_paths": ["/dev/infiniband"],
            "capabilities": ["IPC_LOCK"],
            "host_network": True,
            "pools": ["gpu"],
        }
    },
    "adapters": {"p5": 4, "p4d": 0.5},
    "public_namespaces": ["gateway"],
    "required_labels": ["cost-center"],
}

DEVELOPER: Final = ("dana", "team-a-developers")
INSIDER: Final = ("ivan", "team-a-insiders")
"""A user with every right in the team's namespaces: what holds them back is not RBAC."""
OPERATOR: Final = ("olga", "operators")
"""A user that may create and change namespaces, and does not administer the cluster."""


def account(where: str, name: str) -> tuple[str, str]:
    return (f"system:serviceaccount:{where}:{name}", "")


CONTROLLER: Final = account("kube-system", "job-controller")
JOBSET: Final = account("jobset-system", "jobset-controller-manager")
KUEUE: Final = account("kueue-system", "kueue-controller-manager")
LWS: Final = account("lws-system", "lws-controller-manager")
ARGO: Final = account("argo", "argo-workflow-controller")
RAY: Final = account("kuberay-operator", "kuberay-operator")
HUB: Final = account("jupyterhub", "hub")
NEIGHBOUR: Final = account("team-b", "runner")

LOCAL_QUEUE: Final = custom("kueue.x-k8s.io/v1beta2", "LocalQueue", {"clusterQueue": "team-b"})
CLAIM: Final = {"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]}
ON_GPU_NODES: Final = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
GROUP: Final = {
    "kueue.x-k8s.io/pod-group-name": "g",
    "kueue.x-k8s.io/pod-group-total-count": "2",
    "kueue.x-k8s.io/pod-group-fast-admission": "true",
    "kueue.x-k8s.io/role-hash": "x",
}
A_GROUP: Final = "kueue.x-k8s.io/pod-group-name: Kueue counts a group by its first Pod"
INITIAL: Final = "initContainers: one requests an accelerator"
NO_QUEUE: Final = "requests an accelerator, or its runtime does, without a queue"
NOT_A_TEAM: Final = "expected a team's namespace"
FORGED: Final = "only controllers create or change what another workload controls"

Case = tuple[tuple[str, str], Object, str, str]

BYPASSES: Final[Mapping[str, Case]] = {
    "bare Pod": (INSIDER, pod(spec(GPU)), "team-a", "expected "),
    "bare Pod with a queue": (INSIDER, pod(spec(GPU), QUEUE), "team-a", "only controllers create Pods here"),
    "other namespace": (INSIDER, job(spec(GPU), QUEUE), "scratch", NOT_A_TEAM),
    "bare Pod in another namespace": (INSIDER, pod(spec(GPU), QUEUE), "scratch", NOT_A_TEAM),
    "queue of another team": (
        INSIDER,
        job(spec(GPU), {**QUEUE, "kueue.x-k8s.io/queue-name": "team-b"}),
        "team-a",
        "is no queue of this namespace",
    ),
    "queue that leads to another team's": (INSIDER, LOCAL_QUEUE, "team-a", "only the platform changes"),
    "Deployment": (INSIDER, controlled("Deployment", spec(GPU)), "team-a", NO_QUEUE),
    "StatefulSet": (INSIDER, controlled("StatefulSet", spec(GPU)), "team-a", NO_QUEUE),
    "DaemonSet": (INSIDER, controlled("DaemonSet", spec(GPU), QUEUE), "team-a", "no queue for the acc"),
    "ReplicaSet": (INSIDER, controlled("ReplicaSet", spec(GPU), QUEUE), "team-a", "no queue for the acc"),
    "RayCluster": (INSIDER, ray("RayCluster", spec(GPU)), "team-a", NO_QUEUE),
    "RayJob": (INSIDER, ray("RayJob", spec(GPU)), "team-a", NO_QUEUE),
    "JobSet": (INSIDER, job_set(spec(GPU)), "team-a", NO_QUEUE),
    "LeaderWorkerSet": (INSIDER, group_set(spec(GPU)), "team-a", NO_QUEUE),
    "TrainJob": (INSIDER, train_job(), "team-a", NO_QUEUE),
    "CronJob": (INSIDER, cron_job(spec(GPU)), "team-a", NO_QUEUE),
    "Job without label": (INSIDER, job(spec(GPU)), "team-a", NO_QUEUE),
    "Job without label by a developer": (DEVELOPER, job(spec(GPU)), "team-a", NO_QUEUE),
    "accelerator of an init container": (
        INSIDER,
        job({**spec(), "initContainers": [{**spec(GPU)["containers"][0], "name": "init"}]}),
        "team-a",
        NO_QUEUE,
    ),
    # Kueue counts three of them as the largest one where a device class offers the resource, too.
    "accelerators of sidecars in a queue": (INSIDER, job(sidecar(GPU), QUEUE), "team-a", INITIAL),
    "accelerators of sidecars, by a controller": (
        CONTROLLER,
        pod(sidecar(GPU), owner="Job"),
        "team-a",
        INITIAL,
    ),
    "accelerator of an init container in a queue": (INSIDER, job(initial(GPU), QUEUE), "team-a", INITIAL),
    "partition of a GPU": (INSIDER, job(spec({"nvidia.com/mig-1g.10gb": "1"})), "team-a", NO_QUEUE),
    "TPU": (INSIDER, job(spec({"google.com/tpu": "4"})), "team-a", NO_QUEUE),
    "Neuron core": (INSIDER, job(spec({"aws.amazon.com/neuroncore": "2"})), "team-a", NO_QUEUE),
    "device class as a resource": (
        INSIDER,
        job(spec({"deviceclass.resource.kubernetes.io/gpu.nvidia.com": "1"})),
        "team-a",
        NO_QUEUE,
    ),
    "ResourceClaim": (INSIDER, job(spec(None, **CLAIM), QUEUE), "team-a", "no quota counts them"),
    "forged owner": (INSIDER, job(spec(GPU), QUEUE, owner="JobSet"), "team-a", FORGED),
    "forged owner of CPUs": (INSIDER, job(spec(), owner="JobSet"), "team-a", FORGED),
    "forged owner of a ReplicaSet": (
        INSIDER,
        controlled("ReplicaSet", spec(), owner="Deployment"),
        "team-a",
        FORGED,
    ),
    "forged owner that is a Pod": (
        INSIDER,
        controlled("StatefulSet", spec(GPU), QUEUE, owner="Pod"),
        "team-a",
        FORGED,
    ),
    "another team's service account": (NEIGHBOUR, job(spec(GPU)), "team-a", NO_QUEUE),
    "node with accelerators without one": (
        INSIDER,
        job(spec(None, **ON_GPU_NODES)),
        "team-a",
        "expected no toleration",
    ),
    "toleration of every taint": (
        INSIDER,
        job(spec(None, tolerations=[{"operator": "Exists"}])),
        "team-a",
        "expected no toleration",
    ),
    "node by its name": (INSIDER, job(spec(None, nodeName="gpu-1")), "team-a", "nodeName"),
    "priority class of the system": (
        INSIDER,
        job(spec(GPU, priorityClassName="system-cluster-critical"), QUEUE),
        "team-a",
        "priorityClassName: not for this namespace",
    ),
    "priority class of serving": (
        INSIDER,
        job(spec(GPU, priorityClassName="serving"), QUEUE),
        "team-a",
        "priorityClassName: not for this namespace",
    ),
    "priority class in the queue": (
        INSIDER,
        job(spec(GPU), {**QUEUE, "kueue.x-k8s.io/priority-class": "serving"}),
        "team-a",
        "kueue.x-k8s.io/priority-class is not for this namespace",
    ),
    "step of a workflow": (ARGO, pod(spec(GPU), owner="Workflow"), "team-a", NO_QUEUE),
    # For Kueue the request of a group is that of its first Pod times their count: with one that has no GPU,
    # others with eight would be admitted.
    "first Pod of a group by annotation": (
        CONTROLLER,
        pod(spec(), QUEUE, owner="ReplicaSet", annotations=GROUP),
        "team-a",
        A_GROUP,
    ),
    "second Pod of a group by annotation": (
        CONTROLLER,
        pod(spec(GPU), QUEUE, owner="ReplicaSet", annotations=GROUP),
        "team-a",
        A_GROUP,
    ),
    "Pod of a group by label": (
        CONTROLLER,
        pod(spec(GPU), {**QUEUE, "kueue.x-k8s.io/pod-group-name": "g"}, owner="ReplicaSet"),
        "team-a",
        A_GROUP,
    ),
    "notebook in a group": (HUB, pod(spec(GPU), QUEUE, annotations=GROUP), "team-a", A_GROUP),
    "forged owner on a node with accelerators": (
        INSIDER,
        pod(spec(None, **ON_GPU_NODES), owner="ReplicaSet"),
        "scratch",
        "expected no toleration",
    ),
}

AWS: Final = "service.beta.kubernetes.io/aws-load-balancer"
SCHEME: Final = f"{AWS}-scheme"
INTERNAL: Final = {f"{AWS}-internal": "true"}
EXTERNAL_TYPE: Final = {f"{AWS}-type": "external", f"{AWS}-nlb-target-type": "ip"}
AWS_CLASS: Final = "service.k8s.aws/nlb"
GOOGLE_INTERNAL: Final = {"networking.gke.io/load-balancer-type": "Internal"}
PUBLIC: Final = "would be public"
REFUSED: Final[Mapping[str, Case]] = {
    "no tag": (INSIDER, job(image("registry.acme.com/train")), "team-a", "no tag, or the tag"),
    "port and no tag": (INSIDER, job(image("registry.acme.com:5000/x")), "team-a", "no tag, or the tag"),
    "latest": (INSIDER, job(image("registry.acme.com/train:latest")), "team-a", "no tag, or the tag"),
    "other registry": (INSIDER, job(image(f"evil.com/train:1{DIGEST}")), "team-a", "registry is not allowed"),
    "registry that begins alike": (
        INSIDER,
        job(image(f"registry.acme.com.evil.com/train:1{DIGEST}")),
        "team-a",
        "registry is not allowed",
    ),
    "no digest": (INSIDER, job(image("registry.acme.com/train:1")), "team-a", "no digest"),
    "tag next to an exception": (INSIDER, job(image("registry.acme.com/old:10")), "team-a", "no digest"),
    "image of a volume": (
        INSIDER,
        job(spec(volumes=[{"name": "v", "image": {"reference": "evil.com/model:1"}}])),
        "team-a",
        "registry is not allowed",
    ),
    "image in a JobSet": (INSIDER, job_set(image("evil.com/train:1")), "team-a", "registry is not allowed"),
    "hostPath": (INSIDER, job(host_path("/etc")), "scratch", "hostPath is a folder of the node"),
    "hostPath of a fabric elsewhere": (INSIDER, job(host_path("/dev/infiniband")), "scratch", "hostPath is"),
    "another hostPath in a fabric": (INSIDER, job(host_path("/dev")), "fabric", "hostPath is a folder"),
    "capability": (
        INSIDER,
        job(hardened(capabilities={"add": ["SYS_ADMIN"]})),
        "fabric",
        "capabilities.add: not allowed here",
    ),
    "privileged": (
        INSIDER,
        job(hardened(privileged=True, allowPrivilegeEscalation=True)),
        "fabric",
        "a privileged container",
    ),
    "host network": (INSIDER, job(spec(hostNetwork=True)), "scratch", "expected neither"),
    "host port": (
        INSIDER,
        job(spec(container={"ports": [{"containerPort": 80, "hostPort": 80}]})),
        "scratch",
        "expected neither",
    ),
    "host processes": (INSIDER, job(spec(hostPID=True)), "scratch", "hostPID and hostIPC"),
    "public load balancer": (INSIDER, service("LoadBalancer"), "scratch", PUBLIC),
    # Kubernetes' own controller makes it, which knows no scheme.
    "internal scheme without a class": (
        INSIDER,
        service("LoadBalancer", {SCHEME: "internal"}),
        "scratch",
        PUBLIC,
    ),
    "class of another controller": (
        INSIDER,
        service("LoadBalancer", {SCHEME: "internal", **EXTERNAL_TYPE}, loadBalancerClass="x/y"),
        "scratch",
        PUBLIC,
    ),
    "class without a scheme": (
        INSIDER,
        service("LoadBalancer", loadBalancerClass=AWS_CLASS),
        "scratch",
        PUBLIC,
    ),
    "load balancer of a Service of another type": (
        INSIDER,
        service("ClusterIP", {**EXTERNAL_TYPE, SCHEME: "internet-facing"}),
        "scratch",
        PUBLIC,
    ),
    "load balancer of targets by their addresses": (
        INSIDER,
        service("ClusterIP", {f"{AWS}-type": "nlb-ip"}),
        "scratch",
        PUBLIC,
    ),
    "public by both annotations": (
        INSIDER,
        service(
            "LoadBalancer",
            {SCHEME: "internet-facing", "service.beta.kubernetes.io/aws-load-balancer-internal": "true"},
        ),
        "scratch",
        PUBLIC,
    ),
    "public Ingress": (
        INSIDER,
        ingress({"alb.ingress.kubernetes.io/scheme": "internet-facing"}),
        "scratch",
        PUBLIC,
    ),
    "addresses of others": (
        INSIDER,
        service("ClusterIP", externalIPs=["192.0.2.1"]),
        "scratch",
        "spec.externalIPs redirects",
    ),
    "missing label": (
        INSIDER,
        {**job(spec()), "metadata": {"generateName": "x-"}},
        "team-a",
        "some are missing; expected cost-center",
    ),
    **BYPASSES,
}

ADMITTED: Final[Mapping[str, tuple[tuple[str, str], Object, str]]] = {
    "CPU Job": (DEVELOPER, job(spec({"cpu": "2", "memory": "64Gi"})), "team-a"),
    "Job in a queue": (DEVELOPER, job(spec(GPU), QUEUE), "team-a"),
    "Job in a queue with EFA": (DEVELOPER, job(spec({**GPU, "vpc.amazonaws.com/efa": "4"}), QUEUE), "team-a"),
    "Job on its nodes": (DEVELOPER, job(spec(GPU, **ON_GPU_NODES), QUEUE), "team-a"),
    "Job with a priority": (DEVELOPER, job(spec(GPU, priorityClassName="training"), QUEUE), "team-a"),
    "Job with a priority in the queue": (
        DEVELOPER,
        job(spec(GPU), {**QUEUE, "kueue.x-k8s.io/priority-class": "training-high"}),
        "team-a",
    ),
    "serving where it is allowed": (ADMIN, job(spec(GPU, priorityClassName="serving"), QUEUE), "team-b"),
    "Deployment": (DEVELOPER, controlled("Deployment", spec(GPU), QUEUE), "team-a"),
    "StatefulSet": (DEVELOPER, controlled("StatefulSet", spec(GPU), QUEUE), "team-a"),
    "CronJob": (DEVELOPER, cron_job(spec(GPU), QUEUE), "team-a"),
    "JobSet": (DEVELOPER, job_set(spec(GPU), QUEUE), "team-a"),
    "LeaderWorkerSet": (DEVELOPER, group_set(spec(GPU), QUEUE), "team-a"),
    "RayCluster": (DEVELOPER, ray("RayCluster", spec(GPU), QUEUE), "team-a"),
    "RayJob": (DEVELOPER, ray("RayJob", spec(GPU), QUEUE), "team-a"),
    "TrainJob": (DEVELOPER, train_job(QUEUE), "team-a"),
    "Job of a JobSet": (JOBSET, job(spec(GPU), owner="JobSet"), "team-a"),
    "Job of a JobSet on the nodes of its flavor": (
        JOBSET,
        job(spec(None, **ON_GPU_NODES), owner="JobSet"),
        "team-a",
    ),
    "workers of a LeaderWorkerSet": (LWS, controlled("StatefulSet", spec(GPU), owner="Pod"), "team-a"),
    "RayCluster of a RayJob": (
        RAY,
        {**ray("RayCluster", spec(GPU)), "metadata": meta(owner="RayJob")},
        "team-a",
    ),
    # Kueue's webhook sets it on every Pod that it holds back.
    "Pod of a Deployment with Kueue's hash": (
        CONTROLLER,
        pod(spec(GPU), QUEUE, owner="ReplicaSet", annotations={"kueue.x-k8s.io/role-hash": "x"}),
        "team-a",
    ),
    "Pod of a Deployment on the nodes of its flavor": (
        CONTROLLER,
        pod(spec(None, **ON_GPU_NODES), owner="ReplicaSet"),
        "scratch",
    ),
    "Pod of a Job": (CONTROLLER, pod(spec(GPU), owner="Job"), "team-a"),
    "Pod of a StatefulSet": (CONTROLLER, pod(spec(GPU), owner="StatefulSet"), "team-a"),
    "Pod of a Deployment": (CONTROLLER, pod(spec(GPU), QUEUE, owner="ReplicaSet"), "team-a"),
    "worker of a RayCluster": (RAY, pod(spec(GPU), owner="RayCluster"), "team-a"),
    "image that needs no digest": (DEVELOPER, job(image("registry.acme.com/old:1")), "team-a"),
    "step of a workflow": (ARGO, pod(image("quay.io/argoproj/argoexec:v4.0.6"), owner="Workflow"), "team-a"),
    "step of a workflow in a queue": (ARGO, pod(spec(GPU), QUEUE, owner="Workflow"), "team-a"),
    "notebook": (HUB, pod(spec(GPU), QUEUE), "team-a"),
    "init container with a network card": (
        DEVELOPER,
        job(initial({"cpu": "1", "vpc.amazonaws.com/efa": "1"}), QUEUE),
        "team-a",
    ),
    "sidecar without an accelerator": (CONTROLLER, pod(sidecar({"cpu": "1"}), owner="Job"), "team-a"),
    "internal load balancer": (INSIDER, service("LoadBalancer", INTERNAL), "scratch"),
    "internal load balancer by class": (
        INSIDER,
        service("LoadBalancer", {SCHEME: "internal"}, loadBalancerClass=AWS_CLASS),
        "scratch",
    ),
    "internal load balancer by class, as before": (
        INSIDER,
        service("LoadBalancer", INTERNAL, loadBalancerClass=AWS_CLASS),
        "scratch",
    ),
    "internal load balancer by type": (
        INSIDER,
        service("LoadBalancer", {SCHEME: "internal", **EXTERNAL_TYPE}),
        "scratch",
    ),
    "public load balancer of the gateway": (INSIDER, service("LoadBalancer"), "gateway"),
    "service": (INSIDER, service("ClusterIP"), "scratch"),
    "Ingress": (INSIDER, ingress(), "scratch"),
    "anything in kube-system": (ADMIN, pod({**host_path("/"), "hostNetwork": True}), "kube-system"),
}

GOOGLE_REFUSED: Final = {
    "load balancer": service("LoadBalancer"),
    "load balancer with another cloud's annotation": service("LoadBalancer", {SCHEME: "internal"}),
    "class that has precedence over the annotation": service(
        "LoadBalancer", GOOGLE_INTERNAL, loadBalancerClass="networking.gke.io/l4-regional-external"
    ),
    "class that some versions do not read": service(
        "LoadBalancer", loadBalancerClass="networking.gke.io/l4-regional-internal-legacy"
    ),
    "regional Ingress": ingress({"kubernetes.io/ingress.class": "gce-regional-external"}),
    "Ingress of several clusters": ingress({"kubernetes.io/ingress.class": "gce-multi-cluster"}),
    "Ingress without a class": ingress(),
    "Ingress of class gce": ingress({"kubernetes.io/ingress.class": "gce"}),
    "external Gateway": custom(
        "gateway.networking.k8s.io/v1", "Gateway", {"gatewayClassName": "gke-l7-global-external-managed"}
    ),
}
_REGIONAL: Final = "networking.gke.io/l4-regional-internal"
GOOGLE_ADMITTED: Final = {
    "load balancer": service("LoadBalancer", GOOGLE_INTERNAL),
    "load balancer by class": service("LoadBalancer", loadBalancerClass=_REGIONAL),
    "load balancer as before": service("LoadBalancer", {"cloud.google.com/load-balancer-type": "Internal"}),
    "Ingress": ingress({"kubernetes.io/ingress.class": "gce-internal"}),
    "Ingress of another controller": ingress(ingressClassName="envoy"),
    "Gateway": custom("gateway.networking.k8s.io/v1", "Gateway", {"gatewayClassName": "gke-l7-rilb"}),
}
