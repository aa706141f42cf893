"""Jobs of pools with a network between accelerators, and what the guardrails refuse next to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiplatform import gpu_tests, placement
from aiplatform._shared.images import images
from aiplatform.accelerators import fabric
from aiplatform.accelerators.gcp import Fabric
from aiplatform.gpu_checks import GpuChecks
from aiplatform.gpu_checks.args import NAMESPACE
from aiplatform.teams import Teams
from tests.components.aiplatform.fabric_pools import outputs
from tests.components.aiplatform.pools import GOOGLE_CLUSTER
from tests.components.recording import Recording, record
from tests.end_to_end.guardrail_cases import CONTROLLER, INSIDER
from tests.end_to_end.guardrail_objects import (
    GPU,
    IMAGE,
    QUEUE,
    custom,
    hardened,
    host_path,
    job,
    large_job_set,
    meta,
    pod,
    spec,
)
from tests.end_to_end.guardrails import ADMIN, Object, namespace

POOL: Final = "gpu"
"""The name of the pools of which the outputs are."""
KINDS: Final = ("efa", "tcpx", "tcpxo", "rdma")
Case = tuple[tuple[str, str], Object, str, str]


GPUDIRECT: Final[tuple[Fabric, ...]] = ("tcpx", "tcpxo", "rdma")


def namespace_of(kind: str) -> str:
    """Return the team's namespace whose Pods may use the network."""
    return f"{kind}-team"


MIXED: Final = "mixed-team"
"""The namespace of a team that uses pools with every kind of GPUDirect."""
FABRIC_TEAMS: Final = [*(namespace_of(kind) for kind in KINDS), MIXED]
_ALL: Final = {**fabric.access_of_pools({kind: kind for kind in GPUDIRECT}), "pools": [POOL]}
FABRIC_NAMESPACES: Final = {
    **{namespace_of(kind): fabric.access_of_pools({POOL: kind}) for kind in GPUDIRECT},
    MIXED: _ALL,
    NAMESPACE: _ALL,
}
"""Entries of `fabric_namespaces`."""
REGISTRIES: Final = [images()[f"gpudirect-{kind}-daemon"].repository for kind in ("tcpx", "tcpxo")]
"""Of the sidecars, which the program adds to `allowed_registries` and `digest_exceptions`."""


def with_fabrics(settings: Mapping[str, Any]) -> Object:
    """Return settings of the guardrails in which these namespaces are listed."""
    return {
        **settings,
        "allowed_registries": [*settings["allowed_registries"], *REGISTRIES],
        "digest_exceptions": [*settings["digest_exceptions"], *REGISTRIES],
        "fabric_namespaces": {**settings["fabric_namespaces"], **FABRIC_NAMESPACES},
    }


def fabric_teams() -> Iterator[Recording]:
    """Yield the namespaces of teams, and that of the tests of GPUs."""
    yield namespace("fabric", cloud="aws", queues=["default"], pod_security="privileged")
    yield namespace(namespace_of("efa"), cloud="aws", queues=["default"])
    yield record(lambda: Teams("teams", _teams()))
    checks: Any = {"queues": {POOL: "gpu-check-gpu"}, "cloud": "gcp", "fabric": [POOL]}
    yield record(lambda: GpuChecks("gpu-check", checks))


def _teams() -> Any:
    team = {"owners": ["group:research@acme.example"], "queue": "research", "fabric": [POOL]}
    names = [name for name in FABRIC_TEAMS if name in FABRIC_NAMESPACES]
    cluster = {**GOOGLE_CLUSTER, "workload_pool": "acme-dev-1234.svc.id.goog"}
    teams = dict.fromkeys(names, team)
    return {"prefix": "acme-dev", "cluster": cluster, "secret_stores": False, "teams": teams}


def _template(kind: str) -> Object:
    """A template of Pods with the placement on a pool with the network."""
    plain = spec({"memory": "64Gi"}, container={"command": ["torchrun"]})
    return placement.of(outputs(kind)).template({"spec": plain})


def _on_network(plain: Object) -> Object:
    """The specification of a Pod with the placement on a pool with TCPXO."""
    return dict(placement.of(outputs("tcpxo")).template({"spec": plain})["spec"])


LARGE: Final = {"team-a": large_job_set(dict), "tcpxo-team": large_job_set(_on_network)}
"""Namespace -> a workload that is expensive to evaluate."""


def _job(kind: str, *, read_only: bool = True, **changes: Any) -> Object:
    """A Job on such a pool. changes: fields of the specification of its Pods."""
    template = copy.deepcopy(_template(kind))
    result = job({**template["spec"], **changes}, QUEUE)
    result["spec"]["template"]["metadata"] = template["metadata"]
    for mount in template["spec"]["containers"][0]["volumeMounts"]:
        if not read_only:
            mount.pop("readOnly", None)
    return result


def fabric_pod(kind: str, devices: str = "", container: str = "", **changes: Any) -> Object:
    """A Pod of such a Job. devices: in the annotation for a container, by default the sidecar.
    changes: fields of its specification."""
    template = copy.deepcopy(_template(kind))
    added = {f"{fabric.DEVICES}{container or f'{kind}-daemon'}": devices} if devices else {}
    result = pod({**template["spec"], **changes}, QUEUE, owner="Job")
    result["metadata"]["annotations"] = {**template["metadata"]["annotations"], **added}
    return result


def _with_gpus(count: str) -> Object:
    """A Pod with all devices of a node whose workload requests fewer GPUs."""
    result = fabric_pod("tcpx")
    result["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = count
    return result


def _with_daemon_that_ends() -> Object:
    result = fabric_pod("tcpx")
    result["spec"]["initContainers"][1].pop("restartPolicy")
    return result


def on_pool(pod_spec: Object, **labels: str) -> Object:
    """The specification on nodes of the pool, with accelerators. labels: those that it selects instead."""
    result = copy.deepcopy(pod_spec)
    result["containers"][0]["resources"] = {"limits": dict(GPU)}
    return {**result, "nodeSelector": labels or {"ai-platform/pool": POOL}}


def _selecting(selector: Mapping[str, str]) -> Object:
    return {"nodeSelector": selector}


def _tolerating(*tolerations: Object) -> Object:
    """Changes of a Job: tolerations next to those of its placement."""
    return {"tolerations": [*_template("tcpxo")["spec"]["tolerations"], *tolerations]}


LOCKED: Final = hardened(capabilities={"add": ["IPC_LOCK"]})
INFINIBAND: Final = host_path("/dev/infiniband")


ADDITIONS: Final[Mapping[str, tuple[Object, int]]] = {
    "x": (
        pod(
            {
                **spec({"nvidia.com/gpu": "1"}),
                "initContainers": [{**spec()["containers"][0], "name": "x", "restartPolicy": "Always"}],
            },
            QUEUE,
            owner="Job",
        ),
        403,
    ),
    "tcpx-daemon": (fabric_pod("tcpx", "- path: /dev/nvidia0"), 200),
}
"""Sidecar -> its Pod in the namespace for TCPX, and the status where a user adds a device or a capability."""


def additions(container: str) -> dict[str, Object]:
    """Return the changes of a Pod, by the path after its own: a device for the container, and a debugger."""
    capable = {"name": "d", "image": IMAGE, "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}
    annotation = {f"{fabric.DEVICES}{container}": "- path: /dev/nvidia1"}
    return {
        "": {"metadata": {"annotations": annotation}},
        "/ephemeralcontainers": {"spec": {"ephemeralContainers": [capable]}},
    }


def _plain_pod(devices: str) -> Object:
    result = pod(spec(), owner="Job")
    result["metadata"]["annotations"] = {f"{fabric.DEVICES}main": devices}
    return result


def _unconfined(**context: Any) -> Object:
    """A Job in a namespace of the level `privileged` whose container has a wider security context."""
    return job(hardened(**context))


def _of_tests(body: Object) -> Object:
    """A workload, or its Pod, in the queue of the tests."""
    body["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = POOL
    return body


def _diagnostics() -> Object:
    result = gpu_tests.diagnostics(outputs("rdma"), "diag", NAMESPACE, "gpu-1", image=IMAGE, queue=POOL)
    result["metadata"] = meta(result["metadata"]["labels"])
    return result


def _test(kind: str) -> Object:
    """The JobSet of the bandwidth test, as in examples/nccl-test."""
    result = gpu_tests.bandwidth_test(outputs(kind), "nccl", namespace_of(kind), image=IMAGE)
    result["metadata"] = meta(result["metadata"]["labels"])
    return result


def _test_pod(kind: str) -> Object:
    template = _test(kind)["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]
    result = pod(template["spec"], QUEUE, owner="Job")
    result["metadata"]["annotations"] = template["metadata"]["annotations"]
    return result


DEVICE: Final = "devices.gke.io/ adds devices of the node"
SIDECAR: Final = "expected the name of an init container with restartPolicy Always"
WHOLE: Final = "devices.gke.io/ adds all GPUs of a node; expected limits"
SELECTOR: Final = "nodeSelector: the Pod uses its node"
TOLERATION: Final = "tolerations: the Pod uses its node"
ACCELERATORS: Final = "the Pod uses its node; expected a request of the accelerators"
LIMITS: Final = "takes the limits of the runtime away"
FABRIC_REFUSED: Final[Mapping[str, Case]] = {
    "seccomp off": (INSIDER, _unconfined(seccompProfile={"type": "Unconfined"}), "rdma-team", LIMITS),
    "AppArmor off": (INSIDER, _unconfined(appArmorProfile={"type": "Unconfined"}), "tcpx-team", LIMITS),
    "type of SELinux": (INSIDER, _unconfined(seLinuxOptions={"type": "spc_t"}), MIXED, LIMITS),
    "seccomp off for a Pod with the network": (
        INSIDER,
        _job("rdma", securityContext={"seccompProfile": {"type": "Unconfined"}}),
        "rdma-team",
        LIMITS,
    ),
    "AppArmor off by annotation": (
        CONTROLLER,
        pod(
            spec(),
            owner="Job",
            annotations={"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
        ),
        "rdma-team",
        LIMITS,
    ),
    "parameter of the kernel": (
        INSIDER,
        job(spec(securityContext={"sysctls": [{"name": "kernel.core_pattern", "value": "|/x"}]})),
        "tcpx-team",
        "sysctls: not safe for other Pods",
    ),
    "probe of another host": (
        INSIDER,
        job(spec(container={"livenessProbe": {"httpGet": {"host": "169.254.169.254", "port": 80}}})),
        "tcpx-team",
        "the kubelet would connect to another host",
    ),
    "network of a team in the namespace of tests": (
        ADMIN,
        _of_tests(_job("rdma", read_only=False)),
        NAMESPACE,
        "the path of the node is for reading",
    ),
    "Job in the namespace of tests": (INSIDER, job(spec(GPU), QUEUE), NAMESPACE, "forbidden"),
    "queue of tests": (
        INSIDER,
        custom("kueue.x-k8s.io/v1beta2", "LocalQueue", {"clusterQueue": "gpu-check-gpu"}),
        "team-a",
        "only the platform changes queues",
    ),
    "LocalQueue of tests in a team's namespace": (
        INSIDER,
        job(spec(GPU), {**QUEUE, "kueue.x-k8s.io/queue-name": POOL}),
        "tcpx-team",
        "is no queue of this namespace",
    ),
    "Pod of a network in a namespace without it": (INSIDER, _job("tcpxo"), "team-a", "hostPath is a folder"),
    "Pod of a network in the namespace of another": (INSIDER, _job("tcpxo"), "rdma-team", "hostPath is"),
    "libraries of the node, writable": (
        INSIDER,
        _job("rdma", read_only=False),
        "rdma-team",
        "the path of the node is for reading; expected readOnly: true",
    ),
    # Two of the eight accelerators of a node would be counted, and all used.
    "devices of a node for fewer accelerators": (CONTROLLER, _with_gpus("2"), "tcpx-team", WHOLE),
    "devices of a node without accelerators": (CONTROLLER, _with_gpus("0"), "tcpx-team", WHOLE),
    "devices for the workload's container": (
        CONTROLLER,
        fabric_pod("tcpx", "- path: /dev/nvidia0", "main"),
        "tcpx-team",
        SIDECAR,
    ),
    "devices for an init container that ends": (
        CONTROLLER,
        _with_daemon_that_ends(),
        "tcpx-team",
        SIDECAR,
    ),
    "devices by another annotation of the injector": (
        CONTROLLER,
        fabric_pod("tcpx", "- path: /dev/nvidia0", "tcpx-daemon.x"),
        "tcpx-team",
        SIDECAR,
    ),
    "path of the node on any node": (INSIDER, _job("tcpxo", nodeSelector={}), "tcpxo-team", SELECTOR),
    "path of the node on system nodes": (
        INSIDER,
        _job("tcpxo", **_selecting({"ai-platform/pool": "system"})),
        "tcpxo-team",
        SELECTOR,
    ),
    "path of the node in another pool": (
        INSIDER,
        _job("tcpxo", **_selecting({"cloud.google.com/compute-class": "other"})),
        "tcpxo-team",
        SELECTOR,
    ),
    "path of the node by the node's name, by a controller": (
        CONTROLLER,
        fabric_pod("tcpxo", nodeName="system-1"),
        "tcpxo-team",
        "nodeName: the Pod uses its node",
    ),
    "toleration of system nodes of EKS": (
        INSIDER,
        _job("tcpxo", **_tolerating({"key": "CriticalAddonsOnly", "operator": "Exists"})),
        "tcpxo-team",
        TOLERATION,
    ),
    "toleration of system nodes of GKE": (
        INSIDER,
        _job(
            "tcpxo",
            **_tolerating(
                {"key": "components.gke.io/gke-managed-components", "value": "true", "effect": "NoSchedule"}
            ),
        ),
        "tcpxo-team",
        TOLERATION,
    ),
    "toleration of every taint": (
        INSIDER,
        _job("tcpxo", **_tolerating({"operator": "Exists"})),
        "tcpxo-team",
        TOLERATION,
    ),
    "path of the node without accelerators": (
        INSIDER,
        job({**INFINIBAND, "nodeSelector": {"ai-platform/pool": POOL}}),
        "fabric",
        ACCELERATORS,
    ),
    "capability without accelerators": (
        INSIDER,
        job({**LOCKED, "nodeSelector": {"ai-platform/pool": POOL}}),
        "fabric",
        ACCELERATORS,
    ),
    "capability of an init container on any node": (
        INSIDER,
        job({**spec(GPU), "initContainers": [{**LOCKED["containers"][0], "name": "init"}]}, QUEUE),
        "fabric",
        SELECTOR,
    ),
    "network of any node": (INSIDER, job(spec(GPU, hostNetwork=True), QUEUE), "fabric", SELECTOR),
    "disk of the node by annotation": (
        CONTROLLER,
        fabric_pod("tcpxo", "- path: /dev/sda\n"),
        "tcpxo-team",
        DEVICE,
    ),
    "disk after a device that is listed": (
        CONTROLLER,
        fabric_pod("tcpxo", "- path: /dev/nvidia0\n- path: /dev/sda\n"),
        "tcpxo-team",
        DEVICE,
    ),
    "disk by another form of YAML": (
        CONTROLLER,
        fabric_pod("tcpxo", "[{path: /dev/sda}]"),
        "tcpxo-team",
        DEVICE,
    ),
    "device of another network": (
        CONTROLLER,
        fabric_pod("tcpx", "- path: /dev/dmabuf_import_helper"),
        "tcpx-team",
        DEVICE,
    ),
    "accelerators by annotation, past the quota": (
        CONTROLLER,
        _plain_pod("- path: /dev/nvidia0"),
        "team-a",
        DEVICE,
    ),
    "accelerators by annotation in any namespace": (
        CONTROLLER,
        _plain_pod("- path: /dev/nvidia0"),
        "scratch",
        DEVICE,
    ),
}
FABRIC_ADMITTED: Final = {
    **{f"Job on a pool with {kind}": (INSIDER, _job(kind), namespace_of(kind)) for kind in KINDS},
    **{f"its Pod with {kind}": (CONTROLLER, fabric_pod(kind), namespace_of(kind)) for kind in KINDS},
    **{f"bandwidth test on {kind}": (INSIDER, _test(kind), namespace_of(kind)) for kind in KINDS},
    **{f"its Pod on {kind}": (CONTROLLER, _test_pod(kind), namespace_of(kind)) for kind in KINDS},
    **{f"Job with {kind} next to others": (INSIDER, _job(kind), MIXED) for kind in GPUDIRECT},
    **{f"its Pod with {kind} next to others": (CONTROLLER, fabric_pod(kind), MIXED) for kind in GPUDIRECT},
    **{f"test of {kind} by the platform": (ADMIN, _of_tests(_test(kind)), NAMESPACE) for kind in GPUDIRECT},
    **{
        f"its Pod of {kind} by the platform": (CONTROLLER, _of_tests(_test_pod(kind)), NAMESPACE)
        for kind in GPUDIRECT
    },
    "diagnostics by the platform": (ADMIN, _diagnostics(), NAMESPACE),
    "safe parameter of the kernel": (
        INSIDER,
        job(spec(securityContext={"sysctls": [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]})),
        "tcpx-team",
    ),
    "probe of the Pod": (
        INSIDER,
        job(spec(container={"livenessProbe": {"httpGet": {"port": 80}}})),
        "tcpx-team",
    ),
    "device that is listed": (CONTROLLER, fabric_pod("tcpx", "- path: /dev/nvidia0"), "tcpx-team"),
    "path of the node in the pool": (INSIDER, job(on_pool(INFINIBAND), QUEUE), "fabric"),
    "path of the node by a ComputeClass": (
        INSIDER,
        job(on_pool(INFINIBAND, **{"cloud.google.com/compute-class": POOL}), QUEUE),
        "fabric",
    ),
    "capability in the pool": (INSIDER, job(on_pool(LOCKED), QUEUE), "fabric"),
    "network of nodes of the pool": (INSIDER, job(on_pool(spec(hostNetwork=True)), QUEUE), "fabric"),
    "other tolerations": (
        INSIDER,
        _job("tcpxo", **_tolerating({"key": "example.com/pool", "operator": "Exists"})),
        "tcpxo-team",
    ),
    "CPUs next to the network": (INSIDER, job(spec({"cpu": "2", "memory": "4Gi"})), "tcpxo-team"),
    "accelerators without the network": (INSIDER, job(spec(GPU), QUEUE), "tcpxo-team"),
}
