"""Tests of the accelerators of a pool, as Jobs and JobSets in the form of manifests. Pure.

    gpu_tests.bandwidth_test(pool, "nccl", "research", image="registry.acme.com/torch:2.9")

pool: the outputs of a GpuPool, from the component or from an output of a stack.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Literal

from aiplatform import placement
from aiplatform.accelerators.fabric import LIBRARIES

Collective = Literal["all_reduce", "all_gather"]
Script = Literal["bandwidth", "hardware"]
QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
PRIORITY_LABEL: Final = "kueue.x-k8s.io/priority-class"
LABEL: Final = "ai-platform/gpu-test"
"""The label of tests: `bandwidth`, `diagnostics` or `hardware`."""
_USER: Final = ({"name": "HOME", "value": "/tmp"}, {"name": "USER", "value": "test"})  # noqa: S108
"""PyTorch needs the name and a folder of its user, and images know no user with the number of ours."""
_PORT: Final = 29500
_AWS_TESTS: Final = (
    "aws-samples/awsome-distributed-training, micro-benchmarks/nccl-tests/README.md, commit 7217859"
)
_TOOLKIT: Final = "GoogleCloudPlatform/cluster-toolkit, commit 1047080"


@dataclass(frozen=True)
class Bandwidth:
    """The bus bandwidth of a collective operation between two nodes, as nccl-tests measures it.

    gib: size of the message, GiB. gb_per_second: 10^9 bytes.
    """

    collective: Collective
    gib: float
    gb_per_second: float
    source: str


EXPECTED: Final[Mapping[str, Bandwidth]] = {
    "p4de.24xlarge": Bandwidth("all_reduce", 2, 78.3, _AWS_TESTS),
    "p5.48xlarge": Bandwidth("all_reduce", 8, 479.3, _AWS_TESTS),
    "a3-highgpu-8g": Bandwidth(
        "all_gather", 0.5, 70.9, f"{_TOOLKIT}, examples/gke-a3-highgpu/multi-node-test-plan.md"
    ),
    "a3-megagpu-8g": Bandwidth("all_gather", 8, 188.7, f"{_TOOLKIT}, examples/gke-a3-megagpu/README.md"),
    "a3-ultragpu-8g": Bandwidth(
        "all_gather",
        8,
        328.9,
        f"{_TOOLKIT}, examples/gke-consumption-options/dws-flex-start/README.md",
    ),
}
"""Machine type -> what its publisher measured. Other types have no published value."""
TOLERATED: Final = 0.8
"""The part of the expected bandwidth below which a test fails. A network that falls back to TCP has a
tenth."""


def bandwidth_test(
    pool: Mapping[str, Any],
    name: str,
    namespace: str,
    *,
    image: str,
    queue: str = "default",
    priority: str | None = None,
    nodes: int = 2,
    expected: Bandwidth | None = None,
) -> dict[str, Any]:
    """Return a JobSet that measures the bandwidth between whole nodes of a pool.

    image: with PyTorch for CUDA, Python and bash; on AWS also with libfabric and aws-ofi-nccl. namespace: of
    a team whose LocalQueue `queue` admits to the pool; with GPUDirect one of `fabric_namespaces`. priority: a
    WorkloadPriorityClass. Default: none. nodes: at least 2. Its last line of output is a JSON object. Raises
    ValueError for a pool without such a network.
    """
    if not pool.get("pod_requirements"):
        raise ValueError(f"pool {pool['name']!r} has no network between the accelerators of several nodes")
    if nodes < 2:
        raise ValueError(f"nodes: got {nodes}; expected at least 2, between which to measure")
    measured = expected or Bandwidth("all_reduce", 8, 0, "")
    command = [
        "torchrun",
        f"--nnodes={nodes}",
        f"--nproc-per-node={pool['resources_per_node']}",
        # Static: c10d gives up after a minute, while another node may still pull the image.
        "--rdzv-conf=timeout=1200",
        "--node-rank=$(JOB_COMPLETION_INDEX)",
        f"--master-addr={name}-nodes-0-0.{name}",
        f"--master-port={_PORT}",
        "/test/bandwidth.py",
        f"--collective={measured.collective}",
        f"--bytes={int(measured.gib * 2**30)}",
    ]
    container = {
        "name": "test",
        "image": image,
        "command": command,
        "securityContext": _security(root=pool["pod_requirements"]["fabric"] != "efa"),
        # So that the log states the network that NCCL uses.
        "env": [*_USER, {"name": "NCCL_DEBUG", "value": "INFO"}],
        "resources": _resources(pool, cpu=32, memory=200),
        "volumeMounts": [{"name": "test", "mountPath": "/test", "readOnly": True}],
    }
    volume = {"name": "test", "configMap": {"name": name}}
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": [volume]}
    template = placement.of(pool).template({"spec": spec})
    job = {
        "parallelism": nodes,
        "completions": nodes,
        "completionMode": "Indexed",
        "backoffLimit": 0,
        "activeDeadlineSeconds": 1800,
        "template": template,
    }
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": _metadata(name, namespace, queue, "bandwidth", priority),
        "spec": {
            "failurePolicy": {"maxRestarts": 0},
            "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True},
            "replicatedJobs": [{"name": "nodes", "replicas": 1, "template": {"spec": job}}],
        },
    }


def script(name: str, namespace: str, test: Script = "bandwidth") -> dict[str, Any]:
    """Return the ConfigMap with the program of a test of this name."""
    text = files("aiplatform").joinpath(f"gpu_{test}.py").read_text()
    metadata = {"name": name, "namespace": namespace, "labels": {LABEL: test}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {f"{test}.py": text}}


def hardware_test(
    pool: Mapping[str, Any],
    name: str,
    namespace: str,
    node: str,
    *,
    image: str,
    minutes: float,
    program: str,
    queue: str = "default",
    priority: str | None = None,
) -> dict[str, Any]:
    """Return a Job that tests all GPUs of a node with PyTorch: memory, matrix products and copies. For nodes
    with an engine of DCGM, next to which no other one may run.

    image: with PyTorch for CUDA and Python. minutes: of the products; the rest takes one or two. program: the
    name of the ConfigMap, by `script(program, namespace, "hardware")`. Its last line of output is a JSON
    object.
    """
    container = {
        "name": "test",
        "image": image,
        "command": ["python", "/test/hardware.py", f"--minutes={minutes:g}"],
        "env": [
            *_USER,
            # Without it cuBLAS may choose another sum each time ("Results Reproducibility").
            {"name": "CUBLAS_WORKSPACE_CONFIG", "value": ":4096:8"},
        ],
        "securityContext": _security(root=False),
        "resources": _resources(pool, cpu=8, memory=32),
        "volumeMounts": [{"name": "test", "mountPath": "/test", "readOnly": True}],
    }
    volume = {"name": "test", "configMap": {"name": program}}
    return _on_node(pool, container, node, _metadata(name, namespace, queue, "hardware", priority), [volume])


def diagnostics(
    pool: Mapping[str, Any],
    name: str,
    namespace: str,
    node: str,
    *,
    image: str,
    queue: str = "default",
    priority: str | None = None,
    level: int = 2,
) -> dict[str, Any]:
    """Return a Job that runs NVIDIA's diagnostics (`dcgmi diag`) on all accelerators of a node.

    level: 1 (seconds, tests no GPU), 2 (minutes) or 3 (half an hour). It starts an engine of DCGM. Not for
    nodes of EKS with the node monitoring agent: that has an engine, a second one makes the agent report the
    hardware as failed, and the node is replaced. Its output is JSON.
    """
    # GKE mounts the driver's libraries there. The engine starts in the background.
    command = (
        f'export LD_LIBRARY_PATH="${{LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}}{LIBRARIES}"; '
        f"nv-hostengine >/dev/null && exec dcgmi diag --run {level} --json"
    )
    container = {
        "name": "test",
        "image": image,
        "command": ["/bin/sh", "-ec", command],
        "securityContext": _security(root=True),
        "resources": _resources(pool, cpu=2, memory=16),
    }
    metadata = _metadata(name, namespace, queue, "diagnostics", priority)
    return _on_node(pool, container, node, metadata, [])


def _on_node(
    pool: Mapping[str, Any],
    container: dict[str, Any],
    node: str,
    metadata: dict[str, Any],
    volumes: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return a Job on one node, with all of its accelerators."""
    spec = placement.of(pool).pod(
        {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [container],
            "nodeSelector": {"kubernetes.io/hostname": node},
            # A node that is cordoned because of an error can be tested.
            "tolerations": [
                {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}
            ],
            **({"volumes": volumes} if volumes else {}),
        }
    )
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 3600,
            "template": {"metadata": {"labels": {LABEL: metadata["labels"][LABEL]}}, "spec": spec},
        },
    }


def _resources(pool: Mapping[str, Any], cpu: int, memory: int) -> dict[str, Any]:
    """Return what a test requests: at most half of a node, so that it fits. memory: GiB."""
    cpu = min(cpu, int(pool.get("vcpus_per_node") or 2 * cpu) // 2)
    memory = min(memory, int(pool.get("memory_gib_per_node") or 2 * memory) // 2)
    requests = {"cpu": str(cpu), "memory": f"{memory}Gi"}
    return {"limits": {"memory": requests["memory"]}, "requests": requests}


def _security(*, root: bool) -> dict[str, Any]:
    """Return a security context as the Pod Security level `restricted` requires it. root: whether the user
    is root, as whom GPUDirect's sockets and an engine of DCGM are used; then it is that of `baseline`."""
    context: dict[str, Any] = {
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if root:
        return context
    return {**context, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True, "runAsUser": 1000}


def _metadata(name: str, namespace: str, queue: str, kind: str, priority: str | None) -> dict[str, Any]:
    labels = {QUEUE_LABEL: queue, LABEL: kind, **({PRIORITY_LABEL: priority} if priority else {})}
    return {"name": name, "namespace": namespace, "labels": labels}
