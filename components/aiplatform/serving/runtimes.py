"""ClusterServingRuntimes from the arguments. Pure.

API: serving.kserve.io/v1alpha1 of KServe 0.20, which takes the container `kserve-container` for the server,
copies everything else of the runtime into the Pod, and adds the container that copies the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from aiplatform import placement
from aiplatform._shared.images import images, mirrored
from aiplatform._shared.kubernetes.pod_fabric import SHARED_MEMORY
from aiplatform.serving import resources
from aiplatform.serving.args import ServingRuntime, ServingSettings
from aiplatform.serving.engines import ENGINES, HOME, PORT
from aiplatform.serving.pools import ServingPool

API_VERSION: Final = "serving.kserve.io/v1alpha1"
KIND: Final = "ClusterServingRuntime"
CONTAINER: Final = "kserve-container"
"""The name by which KServe knows the server's container (its constant)."""
POOL: Final = "ai-platform/pool"
PORT_NAME: Final = "metrics"
"""The name by which the monitor of workloads (component Observability) finds the only port of a server."""
_PROBE_SECONDS: Final = 10


def runtimes(settings: ServingSettings, mirrors: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return name -> manifest of each runtime."""
    return {name: runtime(settings, name, mirrors) for name in settings.all_runtimes}


def runtime(settings: ServingSettings, name: str, mirrors: Mapping[str, str]) -> dict[str, Any]:
    """Return the manifest of one runtime."""
    stated = settings.all_runtimes[name]
    return _runtime(settings, name, stated, settings.pools[stated.pool], mirrors)


def image_of(settings: ServingSettings, runtime: ServingRuntime, mirrors: Mapping[str, str]) -> str:
    """Return the image of a runtime."""
    if runtime.image is not None:
        return runtime.image
    name = ENGINES[runtime.engine].image
    return mirrored(images()[name].reference, mirrors) if name else str(settings.server_image)


def _runtime(
    settings: ServingSettings,
    name: str,
    runtime: ServingRuntime,
    pool: ServingPool,
    mirrors: Mapping[str, str],
) -> dict[str, Any]:
    engine = ENGINES[runtime.engine]
    memory = resources.memory_of(runtime, pool)
    devices = resources.devices_of(runtime, pool)
    volumes: dict[str, dict[str, Any]] = {"home": {}, "temporary": {}}
    mounts = {"home": HOME, "temporary": "/tmp"}  # noqa: S108 - in the container
    arguments = [*engine.arguments]
    if runtime.engine == "vllm":
        arguments.append(f"--tensor-parallel-size={devices}")
    if devices > 1:
        # The default of 64 MiB is too small for NCCL between the GPUs of a node.
        volumes["shared-memory"] = {"medium": "Memory", "sizeLimit": resources.shared_memory_of(memory)}
        mounts["shared-memory"] = SHARED_MEMORY
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": image_of(settings, runtime, mirrors),
        **({"command": list(engine.command)} if engine.command else {}),
        "args": [*arguments, *runtime.arguments],
        "env": [{"name": key, "value": value} for key, value in {"HOME": HOME, **engine.environment}.items()],
        "ports": [{"name": PORT_NAME, "containerPort": PORT, "protocol": "TCP"}],
        "resources": _requests(runtime, pool, memory, devices),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            **({"readOnlyRootFilesystem": True} if engine.read_only else {}),
        },
        "readinessProbe": {**_probe(engine.ready), "failureThreshold": 3},
        "startupProbe": {
            **_probe(engine.ready),
            "failureThreshold": runtime.start_minutes * 60 // _PROBE_SECONDS,
        },
        "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in mounts.items()],
    }
    placed = placement.of(
        {
            "name": pool.name,
            "resource": pool.resource,
            "resources_per_node": pool.resources_per_node,
            "node_selector": pool.node_selector,
            "taints": [asdict(taint) for taint in pool.taints],
        },
        devices or None,
    ).pod({"containers": [container]})
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": name,
            "labels": {POOL: pool.name, "app.kubernetes.io/managed-by": "ai-platform"},
        },
        "spec": {
            # Only by name: a model never gets GPUs because of its format.
            "supportedModelFormats": [{"name": engine.format, "version": "1", "autoSelect": False}],
            **({"protocolVersions": list(engine.protocols)} if engine.protocols else {}),
            **placed,
            "volumes": [{"name": volume, "emptyDir": source} for volume, source in volumes.items()],
        },
    }


def _requests(runtime: ServingRuntime, pool: ServingPool, memory: int, devices: int) -> dict[str, Any]:
    requests = {"cpu": str(resources.cpu_of(runtime, pool)), "memory": f"{memory}Gi"}
    if runtime.storage_gib is not None:
        requests["ephemeral-storage"] = f"{runtime.storage_gib}Gi"
    if devices:
        requests[pool.resource] = str(devices)
    # KServe limits a container that states none to one CPU.
    return {"requests": requests, "limits": {"cpu": requests["cpu"], "memory": f"{memory}Gi"}}


def _probe(path: str) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": _PROBE_SECONDS,
        "timeoutSeconds": 5,
    }
