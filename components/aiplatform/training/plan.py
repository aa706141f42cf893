"""ClusterTrainingRuntimes from the arguments. Pure.

API: trainer.kubeflow.org/v1alpha1 of Trainer 2.3, whose webhook checks the names of jobs and containers; its
template is a JobSet (jobset.x-k8s.io/v1alpha2 of JobSet 0.12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from aiplatform import placement
from aiplatform._shared.images import images, mirrored
from aiplatform._shared.kubernetes.pod_fabric import SHARED_MEMORY
from aiplatform.accelerators.fabric import as_output
from aiplatform.queues.plan import HOSTNAME
from aiplatform.training import resources
from aiplatform.training.args import Initializers, TrainingRuntime, TrainingSettings
from aiplatform.training.frameworks import FRAMEWORKS, FrameworkName, framework_of, image_of
from aiplatform.training.pools import TrainingPool

API_VERSION: Final = "trainer.kubeflow.org/v1alpha1"
KIND: Final = "ClusterTrainingRuntime"
IMMUTABLE: Final = (
    "spec.template.spec.failurePolicy",
    "spec.template.spec.network",
    "spec.template.spec.replicatedJobs[*].dependsOn",
    "spec.template.spec.startupPolicy",
    "spec.template.spec.successPolicy",
    "spec.template.spec.volumeClaimPolicies",
)
"""What the API server lets no runtime change (`self == oldSelf` in the definition, which has JobSet's rules):
a new object takes the place of the old one. TrainJobs that exist keep what they began with: Trainer stores a
copy of the runtime for each (trainer v2.3.0, pkg/runtime/core/snapshot.go)."""
NODE: Final = "node"
"""The name of the job with the nodes, and of its container: Trainer looks for both."""
HOME: Final = "/training"
"""The home of the user, which is writable; images know no user with the number of ours."""
USER: Final = 1000
FILES_AT: Final = "/etc/platform"
"""Where Pods mount the files of their team, such as the configuration of PyIceberg."""
WORKSPACE: Final = "/workspace"
"""Where initializers write to (Trainer's constant)."""
_VOLUME: Final = "initializer"
"""Trainer refuses a TrainJob with an initializer whose container has no mount of this name."""
_FRAMEWORK: Final = "trainer.kubeflow.org/framework"
"""The label by which the Kubeflow SDK knows a runtime's framework."""
_STEP: Final = "trainer.kubeflow.org/trainjob-ancestor-step"
_POOL: Final = "ai-platform/pool"
_PREFERRED: Final = "kueue.x-k8s.io/podset-preferred-topology"
_UNCONSTRAINED: Final = "kueue.x-k8s.io/podset-unconstrained-topology"
_EXCLUSIVE: Final = "alpha.jobset.sigs.k8s.io/exclusive-topology"
_NODE_POOL: Final = "cloud.google.com/gke-nodepool"
"""GKE's label: a slice of several nodes is one node pool."""
_DISRUPTED: Final = "DisruptionTarget"
"""The condition of a Pod that was evicted, preempted or lost with its node (Kubernetes, "Disruptions")."""
_DISK: Final = "ephemeral-storage"
"""The resource of the node's disk. Kueue counts none of it (addons/values/kueue.py)."""
_NOT_SCALED_DOWN: Final = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
_NOT_CONSOLIDATED: Final = {"karpenter.sh/do-not-disrupt": "true"}


def runtimes(settings: TrainingSettings, mirrors: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return name -> manifest of each runtime."""
    pools = settings.pools
    return {
        name: _runtime(settings, name, runtime, pools[runtime.pool], mirrors)
        for name, runtime in settings.all_runtimes.items()
    }


def _runtime(
    settings: TrainingSettings,
    name: str,
    runtime: TrainingRuntime,
    pool: TrainingPool,
    mirrors: Mapping[str, str],
) -> dict[str, Any]:
    framework = runtime.framework or framework_of(pool)
    assert framework is not None, "training/rules.py refuses it"  # noqa: S101
    node: dict[str, Any] = {"name": NODE, "template": _node(settings, framework, runtime, pool, mirrors)}
    jobs: list[dict[str, Any]] = []
    job_set: dict[str, Any] = {
        # Pods find each other before all of them are ready.
        "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True},
        "failurePolicy": _failure_policy(runtime),
    }
    if runtime.initializers is not None:
        jobs = [_initializer(settings, kind, runtime, pool, mirrors) for kind in runtime.initializers.kinds]
        node["dependsOn"] = [{"name": job["name"], "status": "Complete"} for job in jobs]
        job_set["volumeClaimPolicies"] = [_claim(runtime.initializers)]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name,
            "labels": {
                _FRAMEWORK: framework,
                _POOL: pool.name,
                "app.kubernetes.io/managed-by": "ai-platform",
            },
        },
        "spec": {
            "mlPolicy": {
                "numNodes": resources.nodes_of(runtime, pool),
                **FRAMEWORKS[framework].policy,
            },
            "template": {"spec": {**job_set, "replicatedJobs": [*jobs, node]}},
        },
    }


def _failure_policy(runtime: TrainingRuntime) -> dict[str, Any]:
    """Return the policy by which all nodes start again when one fails. Trainer has no elastic mode."""
    disruption = {
        "name": "disruption",
        "action": "RestartJobSetAndIgnoreMaxRestarts",
        "onJobFailureReasons": ["PodFailurePolicy"],
        "onJobFailureMessagePatterns": [_DISRUPTED],
        "targetReplicatedJobs": [NODE],
    }
    return {
        "maxRestarts": runtime.max_restarts,
        # New Pods have the names of the old ones in DNS, which must be gone before.
        "restartStrategy": "BlockingRecreate",
        "rules": [*_initializer_fails(runtime), disruption],
    }


def _initializer_fails(runtime: TrainingRuntime) -> list[dict[str, Any]]:
    """Return the rule by which a download that takes too long fails the TrainJob. JobSet's webhook refuses a
    rule that names a job which is not there (jobset v0.12.0, pkg/webhooks/jobset_webhook.go)."""
    if runtime.initializers is None:
        return []
    rule = {
        "name": "download",
        # The next one would take as long.
        "action": "FailJobSet",
        "onJobFailureReasons": ["DeadlineExceeded"],
        "targetReplicatedJobs": [_initializer_name(kind) for kind in runtime.initializers.kinds],
    }
    return [rule]


def _initializer_name(kind: str) -> str:
    """Return the name of the job of an initializer, by which Trainer finds it."""
    return f"{kind}-initializer"


def _node(
    settings: TrainingSettings,
    framework: FrameworkName,
    runtime: TrainingRuntime,
    pool: TrainingPool,
    mirrors: Mapping[str, str],
) -> dict[str, Any]:
    """Return the template of the Job with the nodes."""
    spec = {
        "backoffLimit": 0,
        "completionMode": "Indexed",
        "podFailurePolicy": {
            # Without it the Job would replace the Pod, and the others would wait for it for ever.
            "rules": [{"action": "FailJob", "onPodConditions": [{"type": _DISRUPTED, "status": "True"}]}]
        },
        "template": _pods(settings, framework, runtime, pool, mirrors),
    }
    metadata: dict[str, Any] = {"labels": {_STEP: "trainer"}}
    if resources.slice_nodes(pool) > 1:
        # Chips of two slices are not connected.
        metadata["annotations"] = {_EXCLUSIVE: _NODE_POOL}
    return {"metadata": metadata, "spec": spec}


def _cpu_limit(runtime: TrainingRuntime, pool: TrainingPool) -> dict[str, str]:
    """Return a limit of CPU where there is none of an accelerator: the Kubeflow SDK (0.5) refuses a runtime
    whose limits name neither."""
    if pool.resources_per_node and pool.device_class is None:
        return {}
    return {"cpu": str(resources.cpu_of(runtime, pool))}


def _pods(
    settings: TrainingSettings,
    framework: FrameworkName,
    runtime: TrainingRuntime,
    pool: TrainingPool,
    mirrors: Mapping[str, str],
) -> dict[str, Any]:
    """Return the template of Pods, as placement has it for the pool."""
    on_pool = _placement(runtime, pool)
    memory, disk = resources.memory_of(runtime, pool), resources.disk_of(runtime, pool)
    environment = {"HOME": HOME, "USER": "training", **FRAMEWORKS[framework].environment}
    requirements = dict(on_pool.requirements or {})
    setup = requirements.pop("setup", None)
    if setup is not None:
        # A TrainJob replaces the command, which would have to source it. Bash does so by this variable, and
        # the Kubeflow SDK runs programs by bash.
        environment["BASH_ENV"] = setup
    on_pool = replace(on_pool, requirements=requirements or None)
    image = runtime.image or mirrored(images()[image_of(framework, pool)].reference, mirrors)
    container = {
        "name": NODE,
        "image": image,
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "envFrom": [
            {"configMapRef": {"name": settings.configuration, "optional": True}},
            *({"secretRef": {"name": name, "optional": True}} for name in settings.credentials),
        ],
        "resources": {
            "requests": {
                "cpu": str(resources.cpu_of(runtime, pool)),
                "memory": f"{memory}Gi",
                _DISK: disk,
            },
            "limits": {"memory": f"{memory}Gi", _DISK: disk, **_cpu_limit(runtime, pool)},
        },
        "securityContext": _container_security(root=_needs_root(on_pool)),
        "volumeMounts": [
            {"name": "home", "mountPath": HOME},
            {"name": "shared-memory", "mountPath": SHARED_MEMORY},
            {"name": "files", "mountPath": FILES_AT, "readOnly": True},
            *([{"name": _VOLUME, "mountPath": WORKSPACE}] if runtime.initializers is not None else []),
        ],
    }
    shared_memory = {"medium": "Memory", "sizeLimit": resources.shared_memory_of(memory)}
    spec: dict[str, Any] = {
        # podFailurePolicy needs it.
        "restartPolicy": "Never",
        # Training needs no API of Kubernetes; identities of clouds do not depend on it.
        "automountServiceAccountToken": False,
        "securityContext": _pod_security(root=_needs_root(on_pool)),
        "containers": [container],
        "volumes": [
            # Also where a TrainJob replaces the resources of its nodes (`resourcesPerNode`).
            {"name": "home", "emptyDir": {"sizeLimit": disk}},
            {"name": "shared-memory", "emptyDir": shared_memory},
            {"name": "files", "configMap": {"name": settings.files, "optional": True}},
        ],
    }
    if settings.service_account is not None:
        spec["serviceAccountName"] = settings.service_account
    annotations = {**_protection(settings.cloud), **_topology(settings, pool)}
    return on_pool.template({"metadata": {"annotations": annotations}, "spec": spec})


def _placement(runtime: TrainingRuntime, pool: TrainingPool) -> placement.Placement:
    known = {
        "name": pool.name,
        "resource": pool.resource,
        "resources_per_node": pool.resources_per_node,
        "node_selector": pool.node_selector,
        "taints": [asdict(taint) for taint in pool.taints],
        "efa_interfaces": getattr(pool, "efa_interfaces", 0),
        "network_interfaces": getattr(pool, "network_interfaces", None),
        "pod_requirements": as_output(pool.pod_requirements),
    }
    if runtime.interconnect == "none":
        known |= {"efa_interfaces": 0, "network_interfaces": None, "pod_requirements": None}
    return placement.of(known, resources.devices_of(runtime, pool) or None)


def _topology(settings: TrainingSettings, pool: TrainingPool) -> dict[str, str]:
    """Return the request to place the Pods close together: at the lowest level of the pool's topology, and at
    the next ones where they do not fit. A TPU slice is one place already."""
    kind = settings.topologies.get(pool.name)
    if kind is None or pool.topology is not None:
        return {}
    return {_PREFERRED: pool.topology_labels[-1] if kind == "network" and pool.topology_labels else HOSTNAME}


def _protection(cloud: str) -> dict[str, str]:
    """Return annotations against scaling down nodes in use: one Pod that moves restarts all."""
    return {**_NOT_SCALED_DOWN, **(_NOT_CONSOLIDATED if cloud == "aws" else {})}


def _needs_root(on_pool: placement.Placement) -> bool:
    """Return whether the user must be root, as whom the sockets and devices of GPUDirect are used."""
    return on_pool.requirements is not None and on_pool.requirements["fabric"] != "efa"


def _pod_security(*, root: bool) -> dict[str, Any]:
    """Return the security context of Pods as the level `restricted` requires it, or that of root."""
    context: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if root:
        # Stated: images may name another user, as those of `aiplatform image build` do.
        return {**context, "runAsUser": 0, "runAsGroup": 0}
    return {**context, "runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER}


def _container_security(*, root: bool) -> dict[str, Any]:
    context: dict[str, Any] = {"allowPrivilegeEscalation": False}
    return context if root else {**context, "capabilities": {"drop": ["ALL"]}}


def _initializer(
    settings: TrainingSettings,
    kind: str,
    runtime: TrainingRuntime,
    pool: TrainingPool,
    mirrors: Mapping[str, str],
) -> dict[str, Any]:
    """Return the Job of an initializer: its name is that of its container and of its step."""
    name, initializers = _initializer_name(kind), runtime.initializers
    assert initializers is not None, "called for those alone"  # noqa: S101
    disk = f"{resources.INITIALIZER_DISK}Gi"
    container = {
        "name": name,
        "image": mirrored(images()[f"trainer-{name}"].reference, mirrors),
        "env": [{"name": "HOME", "value": HOME}],
        # The region of the team's buckets, and proxies.
        "envFrom": [{"configMapRef": {"name": settings.configuration, "optional": True}}],
        "resources": {
            "requests": {
                "cpu": f"{resources.INITIALIZER_CPU}m",
                "memory": f"{resources.INITIALIZER_MEMORY}Mi",
                _DISK: disk,
            },
            "limits": {"memory": "4Gi", _DISK: disk},
        },
        "securityContext": _container_security(root=False),
        "volumeMounts": [
            {"name": "home", "mountPath": HOME},
            {"name": _VOLUME, "mountPath": WORKSPACE},
        ],
    }
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": _pod_security(root=False),
        "containers": [container],
        "volumes": [{"name": "home", "emptyDir": {"sizeLimit": disk}}],
    }
    if settings.service_account is not None:
        spec["serviceAccountName"] = settings.service_account
    template: dict[str, Any] = {"spec": spec}
    if not initializers.shared:
        template = _next_to_the_node(settings, pool, spec)
    job = {
        "backoffLimit": 2,
        "activeDeadlineSeconds": initializers.timeout_minutes * 60,
        "template": template,
    }
    return {"name": name, "template": {"metadata": {"labels": {_STEP: name}}, "spec": job}}


def _next_to_the_node(
    settings: TrainingSettings, pool: TrainingPool, spec: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the template of Pods of an initializer on the nodes of its runtime's pool. A volume that one
    node can mount is created in the zone of the first Pod that mounts it: elsewhere that may be a zone
    without nodes of the pool, and the node of the TrainJob could never start."""
    known = {
        "name": pool.name,
        "resource": "",
        "node_selector": pool.node_selector,
        "taints": [asdict(taint) for taint in pool.taints],
    }
    annotations = _protection(settings.cloud)
    if pool.name in settings.topologies:
        # Kueue assigns a flavor with a topology only to Pods that request one.
        annotations[_UNCONSTRAINED] = "true"
    return placement.of(known).template({"metadata": {"annotations": annotations}, "spec": spec})


def _claim(initializers: Initializers) -> dict[str, Any]:
    """Return the policy by which JobSet creates the volume of a TrainJob, and mounts it into all Pods with a
    mount of its name."""
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteMany" if initializers.shared else "ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{initializers.storage_gib}Gi"}},
    }
    if initializers.storage_class is not None:
        spec["storageClassName"] = initializers.storage_class
    # The default, stated: JobSet's webhook adds it when a JobSet is created and not when it is changed, and
    # the field is immutable. Trainer would resume no TrainJob (jobset v0.12.0, rules of its webhooks).
    retention = {"whenDeleted": "Delete"}
    return {"templates": [{"metadata": {"name": _VOLUME}, "spec": spec}], "retentionPolicy": retention}
