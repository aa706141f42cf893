"""A template of Pods, as in manifests, with what the network between its accelerators needs. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from aiplatform.accelerators.fabric import HUGE_PAGES

SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - a path in containers
_VOLUME: Final = "fabric"

Object = Mapping[str, Any]


def with_fabric(template: Object, requirements: Object) -> dict[str, Any]:
    """Return a template of Pods that meets the requirements.

    template: `metadata` and `spec`. Its first container is that of the workload; what it states itself
    (variables, mounts at the same paths) is kept. requirements: an output `pod_requirements`. Raises
    ValueError, with the key of the template, where the requirements cannot be met.
    """
    metadata, spec = mapping(template, "metadata"), mapping(template, "spec")
    workload, *others = items(spec, "containers")
    mounted = {mount["mountPath"] for mount in items(workload, "volumeMounts")}
    volumes = _Volumes()
    container = _container(workload, requirements, volumes)
    if SHARED_MEMORY not in mounted:
        memory = {"medium": "Memory", "sizeLimit": requirements.get("shared_memory") or "64Gi"}
        container["volumeMounts"].append(volumes.empty("shared-memory", SHARED_MEMORY, memory))
    _start(container, requirements)
    initial = items(spec, "initContainers")
    sidecar = mapping(requirements, "sidecar")
    if sidecar:
        initial.insert(0, _sidecar(sidecar, requirements, volumes))
    if requirements.get("ready_file"):
        initial.insert(0, _wait(workload, requirements, volumes))
    result = {
        **spec,
        "containers": [container, *others],
        "volumes": [*items(spec, "volumes"), *volumes.values],
        **({"initContainers": initial} if initial else {}),
    }
    annotations = {**mapping(metadata, "annotations"), **mapping(requirements, "annotations")}
    return {**template, "metadata": {**metadata, "annotations": annotations}, "spec": result}


def mapping(parent: Object, key: str) -> dict[str, Any]:
    """Return an object in a manifest; empty where there is none."""
    return dict(parent.get(key) or {})


def items(parent: Object, key: str) -> list[dict[str, Any]]:
    """Return a list of objects in a manifest; empty where there is none."""
    return list(parent.get(key) or [])


class _Volumes:
    """The volumes that the template gets, each once."""

    def __init__(self) -> None:
        self.values: list[dict[str, Any]] = []

    def empty(self, name: str, path: str, source: Object) -> dict[str, Any]:
        """Return the mount of a directory that is as old as the Pod."""
        return self._mount(f"{_VOLUME}-{name}", path, {"emptyDir": dict(source)})

    def node(self, path: str, on_node: str, *, read_only: bool) -> dict[str, Any]:
        """Return the mount of a path of the node."""
        name = f"{_VOLUME}-node{on_node.replace('/', '-').replace('_', '-')}"
        mount = self._mount(name, path, {"hostPath": {"path": on_node}})
        return {**mount, "readOnly": True} if read_only else mount

    def _mount(self, name: str, path: str, source: Object) -> dict[str, Any]:
        volume = {"name": name, **source}
        if volume not in self.values:
            self.values.append(volume)
        return {"name": name, "mountPath": path}


def _container(container: Object, requirements: Object, volumes: _Volumes) -> dict[str, Any]:
    """Return a container with variables, mounts, resources and capabilities. requirements: of it."""
    variables = items(container, "env")
    stated = {variable["name"] for variable in variables}
    variables += [
        {"name": name, "value": value}
        for name, value in mapping(requirements, "environment").items()
        if name not in stated
    ]
    mounts = items(container, "volumeMounts")
    mounted = {mount["mountPath"] for mount in mounts}
    mounts += _mounts(requirements, volumes, mounted)
    result = {**container, "env": variables, "volumeMounts": mounts}
    limits = mapping(requirements, "limits")
    if limits:
        resources = mapping(container, "resources")
        result["resources"] = {**resources, "limits": {**mapping(resources, "limits"), **limits}}
        _refuse_without_memory(resources, limits)
    if requirements.get("capabilities"):
        result["securityContext"] = _with_capabilities(container, requirements["capabilities"])
    return result


def _mounts(requirements: Object, volumes: _Volumes, mounted: Collection[str]) -> Iterator[dict[str, Any]]:
    for key, read_only in (("host_paths", False), ("read_only_host_paths", True)):
        for path, on_node in mapping(requirements, key).items():
            if path not in mounted:
                yield volumes.node(path, on_node, read_only=read_only)
    shared = requirements.get("shared_directory")
    if shared and shared not in mounted:
        yield volumes.empty("shared", shared, {})


def _refuse_without_memory(resources: Object, limits: Object) -> None:
    stated = {**mapping(resources, "requests"), **mapping(resources, "limits")}
    if HUGE_PAGES in limits and not {"cpu", "memory"} & stated.keys():
        raise ValueError(
            "containers[0].resources: the API server refuses huge pages alone; expected a request of memory "
            "or cpu too"
        )


def _with_capabilities(container: Object, capabilities: Iterable[str]) -> dict[str, Any]:
    context = mapping(container, "securityContext")
    stated = mapping(context, "capabilities")
    added = dict.fromkeys([*(stated.get("add") or []), *capabilities])
    return {**context, "capabilities": {**stated, "add": list(added)}}


def _start(container: dict[str, Any], requirements: Object) -> None:
    """Let the container source the script of its network before its own command."""
    setup = requirements.get("setup")
    if not setup:
        return
    command = container.get("command")
    if not command:
        raise ValueError(
            f"containers[0].command: missing; expected the command of the container: it runs after {setup}, "
            "which sets NCCL's variables"
        )
    container["command"] = ["/bin/bash", "-c", f'source {setup} && exec "$@"', "bash", *command]


def _wait(workload: Object, requirements: Object, volumes: _Volumes) -> dict[str, Any]:
    """Return an init container that ends once the node has the software. It has the image of the workload,
    which the node needs anyway."""
    file = requirements["ready_file"]
    if not workload.get("image"):
        raise ValueError(
            f"containers[0].image: missing; expected the image: an init container with it waits for {file}"
        )
    script = f'until [ -e "{file}" ]; do echo "waiting for {file} on the node"; sleep 5; done'
    readable = mapping(requirements, "read_only_host_paths")
    paths = {path: on_node for path, on_node in readable.items() if file.startswith(f"{path}/")}
    of_workload = {key: workload[key] for key in ("securityContext", "imagePullPolicy") if key in workload}
    return {
        "name": f"{_VOLUME}-wait",
        "image": workload["image"],
        "command": ["/bin/sh", "-c", script],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "volumeMounts": list(_mounts({"read_only_host_paths": paths}, volumes, ())),
        **of_workload,
    }


def _sidecar(sidecar: Object, requirements: Object, volumes: _Volumes) -> dict[str, Any]:
    container = {
        "name": sidecar["name"],
        "image": sidecar["image"],
        "command": list(sidecar["command"]),
        # What makes it a sidecar: the kubelet ends it after the workload.
        "restartPolicy": "Always",
        # For the quota of CPU and memory, and so that the node has both for it.
        "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
    }
    of_sidecar = {**sidecar, "shared_directory": requirements.get("shared_directory")}
    return _container(container, of_sidecar, volumes)
