"""Rules of training that concern several arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from aiplatform._shared.args import Problem, got, is_unknown, nearest
from aiplatform._shared.kubernetes.node_labels import TPU_ACCELERATOR
from aiplatform.queues import amounts
from aiplatform.training.frameworks import FRAMEWORKS, framework_of, image_of
from aiplatform.training.resources import INITIALIZER_CPU, INITIALIZER_MEMORY, devices_of, slice_nodes

if TYPE_CHECKING:
    from aiplatform.training.args import TrainingRuntime, TrainingSettings
    from aiplatform.training.pools import TrainingPool

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HYPERDISK_ALONE: Final = ("tpu-v6e-slice",)
_TITLES: Final[Mapping[str, str]] = {"": "CPUs", "nvidia.com/gpu": "GPUs", "google.com/tpu": "TPUs"}


def names(value: Mapping[str, Any]) -> str | None:
    """A rule: the keys are names of objects."""
    wrong = [name for name in value if not _LABEL.fullmatch(name)]
    if not wrong:
        return None
    return (
        f"with {', '.join(map(repr, wrong))}; expected names of 1 to 63 lower-case letters, digits and "
        "hyphens"
    )


def problems(settings: TrainingSettings) -> Iterator[Problem]:
    """Yield the problems of runtimes and of the pools that they name."""
    yield from _pool_names(settings)
    yield from _defaults(settings)
    pools = settings.pools
    for name, runtime in settings.runtimes.items():
        path = f"runtimes.{name}"
        if name in settings.defaults:
            yield Problem(
                path,
                f"the pool {settings.defaults[name].pool} has a runtime of this name by default; expected "
                f"another name, or `default_runtimes` without {settings.defaults[name].pool}",
            )
        pool = pools.get(runtime.pool)
        if pool is None:
            known = f"expected one of {', '.join(pools)}" if pools else "there are no pools"
            yield Problem(
                f"{path}.pool",
                f"{got(runtime.pool)}, which is no pool; {known}{nearest(runtime.pool, pools)}",
            )
            continue
        yield from _framework(path, runtime, pool)
        yield from _image(path, runtime, pool, require_digest=settings.require_digests)
        yield from _size(path, runtime, pool)
        yield from _interconnect(path, runtime, pool)
        yield from _initializers(path, runtime, pool)


def _pool_names(settings: TrainingSettings) -> Iterator[Problem]:
    first: set[str] = set()
    for key in ("gpu_pools", "node_pools"):
        for index, pool in enumerate(getattr(settings, key)):
            if pool.name in first:
                yield Problem(
                    f"{key}[{index}].name", f"{got(pool.name)} is used twice; expected another name"
                )
            first.add(pool.name)


def _defaults(settings: TrainingSettings) -> Iterator[Problem]:
    known = {pool.name: pool for pool in settings.gpu_pools}
    for index, name in enumerate(settings.default_runtimes or ()):
        path = f"default_runtimes[{index}]"
        if name not in known:
            expected = f"expected one of {', '.join(known)}" if known else "there are none"
            yield Problem(path, f"{got(name)}, which is no GPU pool; {expected}{nearest(name, known)}")
        elif reason := _unusable(known[name]):
            yield Problem(path, f"{got(name)}, {reason}; expected it left out")
    for name, runtimes in settings.default_pools.items():
        pools = dict.fromkeys(runtime.pool for runtime in runtimes)
        if len(pools) > 1:
            yield Problem(
                "default_runtimes",
                f"the pools {', '.join(pools)} would have the same runtime, {name}; expected all but one of "
                "them left out, and entries of `runtimes` with other names in their place",
            )


def _unusable(pool: TrainingPool) -> str | None:
    """Return why no runtime can use a pool."""
    if pool.device_class is not None:
        # Trainer would start a process for each CPU.
        return "whose accelerators Pods claim, and Trainer counts processes by those that Pods request"
    if framework_of(pool) is None:
        return f"whose accelerators ({pool.resource}) no framework of Trainer uses"
    return None


def _framework(path: str, runtime: TrainingRuntime, pool: TrainingPool) -> Iterator[Problem]:
    reason = _unusable(pool)
    if reason is not None:
        yield Problem(f"{path}.pool", f"{got(pool.name)}, {reason}; expected another pool")
    elif runtime.framework is not None and not FRAMEWORKS[runtime.framework].runs_on(pool):
        yield Problem(
            f"{path}.framework",
            f"{got(runtime.framework)} on a pool with {_TITLES.get(pool.resource, pool.resource)}; expected "
            f"{framework_of(pool)}",
        )


def _image(
    path: str, runtime: TrainingRuntime, pool: TrainingPool, *, require_digest: bool
) -> Iterator[Problem]:
    if runtime.image is None:
        framework = runtime.framework or framework_of(pool)
        if framework is not None and pool.architecture != "x86_64":
            yield Problem(
                f"{path}.image",
                f"missing, and {image_of(framework, pool)} is for x86_64, not for the {pool.architecture} "
                f"nodes of {pool.name}; expected an image",
            )
    elif require_digest and "@sha256:" not in runtime.image:
        yield Problem(
            f"{path}.image", f"{got(runtime.image)} without a digest; expected it with @sha256:... at its end"
        )


def _size(path: str, runtime: TrainingRuntime, pool: TrainingPool) -> Iterator[Problem]:
    whole = pool.resources_per_node
    node = {"cpu": amounts.usable_cpu(pool.vcpus_per_node) // amounts.MILLI if pool.vcpus_per_node else None}
    node["memory_gib"] = (
        amounts.usable_memory(pool.memory_gib_per_node) // amounts.MIB_PER_GIB
        if pool.memory_gib_per_node
        else None
    )
    next_to = ""
    if whole and runtime.initializers is not None and not runtime.initializers.shared:
        # They run on nodes of the pool, before those of the TrainJob; Kueue counts all at once.
        number, next_to = len(runtime.initializers.kinds), " next to the initializers"
        for key, part in (("cpu", INITIALIZER_CPU / 1000), ("memory_gib", INITIALIZER_MEMORY / 1024)):
            usable = node[key]
            node[key] = usable - math.ceil(number * part) if usable else None
    processes = runtime.processes_per_node
    if pool.topology is not None:
        expected = slice_nodes(pool)
        if runtime.nodes not in (None, expected):
            yield Problem(
                f"{path}.nodes",
                f"{got(runtime.nodes)} on slices {pool.topology} of {expected} nodes; expected {expected}, "
                "or nothing",
            )
        if processes not in (None, 1):
            yield Problem(
                f"{path}.processes_per_node", f"{got(processes)} of JAX; expected 1 process, or nothing"
            )
    elif processes is not None and whole and processes > whole:
        yield Problem(
            f"{path}.processes_per_node",
            f"{got(processes)}; expected 1 to {whole}, the accelerators of a node of {pool.name}",
        )
    elif processes is not None and not whole and node["cpu"] is not None and processes > node["cpu"]:
        yield Problem(
            f"{path}.processes_per_node",
            f"{got(processes)}; expected 1 to {node['cpu']}, the vCPUs that Pods can use of a node of "
            f"{pool.name}",
        )
    if not whole and runtime.cpu is not None:
        yield Problem(
            f"{path}.cpu",
            f"{got(runtime.cpu)} on nodes without accelerators, where Trainer starts a process for each "
            "vCPU; expected processes_per_node instead",
        )
    for key, most in node.items():
        stated = getattr(runtime, key)
        if stated is not None and most is not None and stated > most:
            yield Problem(
                f"{path}.{key}",
                f"{got(stated)}; expected at most {most}, what Pods can use of a node{next_to}",
            )
        if stated is None and most is None and not (key == "cpu" and not whole):
            yield Problem(f"{path}.{key}", f"missing; expected a value: the size of {pool.name} is not known")


def _interconnect(path: str, runtime: TrainingRuntime, pool: TrainingPool) -> Iterator[Problem]:
    if runtime.interconnect != "required":
        return
    if pool.pod_requirements is None:
        yield Problem(
            f"{path}.interconnect",
            f"got 'required', and the nodes of {pool.name} have no network between their accelerators (EFA, "
            "GPUDirect); expected 'if_present', or a pool whose machines have one",
        )
    elif devices_of(runtime, pool) < pool.resources_per_node:
        yield Problem(
            f"{path}.processes_per_node",
            f"{got(runtime.processes_per_node)} with interconnect: required; expected "
            f"{pool.resources_per_node}, or nothing: only Pods with all accelerators of a node have its "
            "network",
        )


def _initializers(path: str, runtime: TrainingRuntime, pool: TrainingPool) -> Iterator[Problem]:
    initializers = runtime.initializers
    if initializers is None:
        return
    nodes = slice_nodes(pool) if pool.topology is not None else runtime.nodes or 1
    if nodes > 1 and not is_unknown(nodes) and not initializers.shared:
        yield Problem(
            f"{path}.initializers.shared",
            f"got false with {nodes} nodes, which all mount the volume; expected true, and a `storage_class` "
            "with such volumes",
        )
    if initializers.shared and initializers.storage_class is None:
        yield Problem(
            f"{path}.initializers.storage_class",
            "missing; expected a StorageClass whose volumes several nodes can mount",
        )
    elif initializers.storage_class is None and _needs_hyperdisk(pool):
        yield Problem(
            f"{path}.initializers.storage_class",
            f"missing, and the nodes of {pool.name} mount no Persistent Disk, of which the cluster's default "
            "class is; expected a StorageClass of Hyperdisk, such as hyperdisk",
        )


def _needs_hyperdisk(pool: TrainingPool) -> bool:
    """Return whether machines of a pool mount Hyperdisk alone, as A3 Ultra, A4 and TPU v6e do (Google Cloud,
    "About Google Cloud Hyperdisk": machine type support)."""
    if pool.pod_requirements is not None and pool.pod_requirements.fabric == "rdma":
        return True
    return pool.node_selector.get(TPU_ACCELERATOR) in _HYPERDISK_ALONE
