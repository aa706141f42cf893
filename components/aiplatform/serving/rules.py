"""Rules of serving that concern several arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from aiplatform._shared.args import Problem, got, is_unknown, nearest, obeys
from aiplatform.naming import TAG_RULES
from aiplatform.queues import amounts
from aiplatform.serving import request_logs
from aiplatform.serving.engines import ENGINES, METRICS
from aiplatform.serving.resources import devices_of

if TYPE_CHECKING:
    from aiplatform.serving.args import ServedModel, ServingRuntime, ServingSettings
    from aiplatform.serving.pools import ServingPool

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SERVICE: Final = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_PLACEHOLDER: Final = re.compile(r"\$|\{\{(?!\.Name\}\})")
SAMPLES: Final = 4
"""Samples of Prometheus that a step of a rollout has at least (`SCRAPES` of containers/model_rollout)."""
_OURS: Final = (
    "--enable-lora",
    "--host",
    "--lora-modules",
    "--model",
    "--port",
    "--served-model-name",
    "--tensor-parallel-size",
)
"""Arguments of servers that the platform sets; of two the last one applies."""
_INSTEAD: Final = {
    "--enable-lora": ", and `adapters` of services",
    "--lora-modules": ", and `adapters` of services",
    "--tensor-parallel-size": ", and `tensor_parallel`",
}


def names(value: Mapping[str, Any]) -> str | None:
    """A rule: the keys are names of objects."""
    wrong = [name for name in value if not _LABEL.fullmatch(name)]
    if not wrong:
        return None
    return (
        f"with {', '.join(map(repr, wrong))}; expected names of 1 to 63 lower-case letters, digits and "
        "hyphens"
    )


def services(value: Mapping[str, Any]) -> str | None:
    """A rule: the keys are names of services."""
    wrong = [name for name in value if not _SERVICE.fullmatch(name)]
    if not wrong:
        return None
    return (
        f"with {', '.join(map(repr, wrong))}; expected names of 1 to 40 lower-case letters, digits and "
        "hyphens, a letter first: names of Services begin with them"
    )


def adapters(value: Mapping[str, Any]) -> str | None:
    """A rule: the keys are names of adapters, by which folders are named, too."""
    wrong = [name for name in value if not _LABEL.fullmatch(name)]
    if not wrong:
        return None
    return (
        f"with {', '.join(map(repr, wrong))}; expected names of 1 to 63 lower-case letters, digits and "
        "hyphens, which clients state as `model`"
    )


def weights(value: Any) -> str | None:
    """A rule: percentages that rise to 100."""
    if not value or value[-1] != 100 or any(before >= after for before, after in pairwise(value)):
        return "expected percentages that rise to 100, as in [10, 50, 100]"
    return None


def problems(settings: ServingSettings) -> Iterator[Problem]:
    """Yield the problems of runtimes, of the pools that they name, and of services."""
    if settings.model_store.cloud != settings.cloud:
        yield Problem(
            "model_store.cloud",
            f"{got(settings.model_store.cloud)}; expected the cluster's, {settings.cloud}",
        )
    if settings.cloud == "aws":
        yield from obeys("tags", settings.tags, TAG_RULES["aws"])
    elif settings.cluster.workload_pool is None:
        yield Problem(
            "cluster.workload_pool", "missing; expected the cluster's workload_pool as in Cluster.outputs"
        )
    if (
        settings.cloud == "aws"
        and settings.request_logs is not None
        and settings.request_logs.kms_key is None
    ):
        yield Problem("request_logs.kms_key", "missing; expected the arn of the bucket's key")
    yield from _pool_names(settings)
    yield from _default_runtimes(settings)
    for name, runtime in settings.runtimes.items():
        path = f"runtimes.{name}"
        if name in settings.defaults:
            yield Problem(
                path,
                f"the pool {settings.defaults[name].pool} has a runtime of this name by default; expected "
                f"another name, or `default_runtimes` without {settings.defaults[name].pool}",
            )
        yield from _runtime(settings, path, runtime)
    yield from _sizes_of_defaults(settings)
    yield from _teams(settings)
    yield from _rollouts(settings)


def _pool_names(settings: ServingSettings) -> Iterator[Problem]:
    first: set[str] = set()
    for key in ("gpu_pools", "node_pools"):
        for index, pool in enumerate(getattr(settings, key)):
            if pool.name in first:
                yield Problem(
                    f"{key}[{index}].name", f"{got(pool.name)} is used twice; expected another name"
                )
            first.add(pool.name)


def _default_runtimes(settings: ServingSettings) -> Iterator[Problem]:
    known = {pool.name: pool for pool in settings.gpu_pools}
    for index, name in enumerate(settings.default_runtimes or ()):
        path = f"default_runtimes[{index}]"
        if name not in known:
            expected = f"expected one of {', '.join(known)}" if known else "there are none"
            yield Problem(path, f"{got(name)}, which is no GPU pool; {expected}{nearest(name, known)}")
        elif reason := _unusable(known[name], "vllm"):
            yield Problem(path, f"{got(name)}, {reason}; expected it left out")
    for name, runtimes in settings.default_pools.items():
        pools = dict.fromkeys(runtime.pool for runtime in runtimes)
        if len(pools) > 1:
            yield Problem(
                "default_runtimes",
                f"the pools {', '.join(pools)} would have the same runtime, {name}; expected all but one of "
                "them left out, and entries of `runtimes` with other names in their place",
            )


def _unusable(pool: ServingPool, engine: Any) -> str | None:
    """Return why an engine cannot use a pool."""
    known = ENGINES[engine]
    if pool.device_class is not None:
        return "whose accelerators Pods claim, and a runtime has no claims"
    if pool.resource != known.accelerator:
        expected = f"{known.title} runs on {known.accelerator or 'nodes without accelerators'}"
        return f"whose nodes have {pool.resource or 'no accelerators'}, and {expected}"
    return None


def _runtime(settings: ServingSettings, path: str, runtime: ServingRuntime) -> Iterator[Problem]:
    pools = settings.pools
    pool = pools.get(runtime.pool)
    if pool is None:
        known = f"expected one of {', '.join(pools)}" if pools else "there are no pools"
        yield Problem(
            f"{path}.pool", f"{got(runtime.pool)}, which is no pool; {known}{nearest(runtime.pool, pools)}"
        )
        return
    if reason := _unusable(pool, runtime.engine):
        yield Problem(f"{path}.pool", f"{got(pool.name)}, {reason}; expected another pool")
        return
    yield from _image(settings, path, runtime, pool)
    yield from _parallelism(path, runtime, pool)
    yield from _size(path, runtime, pool)
    yield from _arguments(path, runtime.arguments)


def _image(
    settings: ServingSettings, path: str, runtime: ServingRuntime, pool: ServingPool
) -> Iterator[Problem]:
    if runtime.image is None:
        if pool.architecture != "x86_64":
            yield Problem(
                f"{path}.image",
                f"missing, and the platform's images are for x86_64, not for the {pool.architecture} nodes "
                f"of {pool.name}; expected an image",
            )
        elif not ENGINES[runtime.engine].image and settings.server_image is None:
            yield Problem(
                f"{path}.image", "missing; expected an image, or `server_image`, that of all such runtimes"
            )
    elif settings.require_digests and "@sha256:" not in runtime.image:
        yield Problem(
            f"{path}.image", f"{got(runtime.image)} without a digest; expected it with @sha256:... at its end"
        )


def _parallelism(path: str, runtime: ServingRuntime, pool: ServingPool) -> Iterator[Problem]:
    parallel, most = runtime.tensor_parallel, pool.resources_per_node
    if parallel is None:
        return
    if not most:
        yield Problem(
            f"{path}.tensor_parallel",
            f"{got(parallel)} of {runtime.engine}; expected it left out: only vLLM has it",
        )
    elif parallel > most:
        yield Problem(
            f"{path}.tensor_parallel",
            f"{got(parallel)}; expected 1 to {most}, the GPUs of a node of {pool.name}: a Pod of this "
            "runtime is on one node; examples/several-nodes has a model over several",
        )


def _size(path: str, runtime: ServingRuntime, pool: ServingPool) -> Iterator[Problem]:
    node = {
        "cpu": amounts.usable_cpu(pool.vcpus_per_node) // amounts.MILLI if pool.vcpus_per_node else None,
        "memory_gib": (
            amounts.usable_memory(pool.memory_gib_per_node) // amounts.MIB_PER_GIB
            if pool.memory_gib_per_node
            else None
        ),
    }
    for key, most in node.items():
        stated = getattr(runtime, key)
        if stated is not None and most is not None and stated > most:
            yield Problem(
                f"{path}.{key}", f"{got(stated)}; expected at most {most}, what Pods can use of a node"
            )
        if stated is None and most is None and pool.resources_per_node:
            yield Problem(f"{path}.{key}", f"missing; expected a value: the size of {pool.name} is not known")


def _sizes_of_defaults(settings: ServingSettings) -> Iterator[Problem]:
    pools = settings.pools
    for runtime in settings.defaults.values():
        pool = pools[runtime.pool]
        if not (pool.vcpus_per_node and pool.memory_gib_per_node):
            yield Problem(
                "default_runtimes",
                f"the size of the nodes of {pool.name} is not known; expected it left out, and a runtime "
                "with `cpu` and `memory_gib` for it",
            )


def _arguments(path: str, arguments: list[str]) -> Iterator[Problem]:
    for index, argument in enumerate(arguments):
        name = argument.partition("=")[0].replace("_", "-")
        if name in _OURS or name in ("--model-name", "--model-dir", "--http-port", "--framework"):
            yield Problem(
                f"{path}.arguments[{index}]",
                f"{got(argument)}, which the platform sets; expected other arguments"
                + _INSTEAD.get(name, ""),
            )
        elif _PLACEHOLDER.search(argument):
            yield Problem(
                f"{path}.arguments[{index}]",
                f"{got(argument)}; expected one without `$`, a placeholder of templates, and without "
                "`{{`, which KServe evaluates, but for `{{.Name}}`",
            )


def _rollouts(settings: ServingSettings) -> Iterator[Problem]:
    rollouts = settings.rollouts
    if rollouts is None:
        return
    if settings.prometheus_url is None:
        yield Problem(
            "rollouts",
            "they go back by the gateway's metrics, and there is no `prometheus_url`; expected the address, "
            "or no rollouts",
        )
    shortest = SAMPLES * rollouts.scrape_seconds
    if rollouts.step_minutes * 60 < shortest:
        yield Problem(
            "rollouts.step_minutes",
            f"{got(rollouts.step_minutes)}; expected at least {-(-shortest // 60)}: {SAMPLES} samples of "
            f"Prometheus, which are {rollouts.scrape_seconds} seconds apart",
        )


def _teams(settings: ServingSettings) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, team in settings.teams.items():
        namespace = settings.namespace(name)
        before = first.setdefault(namespace, name)
        if before != name:
            yield Problem(
                f"teams.{name}.namespace",
                f"{got(namespace)}, which is the namespace of {before}; expected another one",
            )
        for service, served in team.services.items():
            yield from _service(settings, f"teams.{name}.services.{service}", served)


def _service(settings: ServingSettings, path: str, served: ServedModel) -> Iterator[Problem]:
    runtimes = settings.all_runtimes
    runtime = runtimes.get(served.runtime)
    if runtime is None:
        known = f"expected one of {', '.join(runtimes)}" if runtimes else "there are no runtimes"
        yield Problem(
            f"{path}.runtime",
            f"{got(served.runtime)}, which is no runtime; {known}{nearest(served.runtime, runtimes)}",
        )
        return
    yield from _arguments(path, served.arguments)
    yield from _adapters(path, served, runtime)
    yield from request_logs.problems(settings, path, served)
    yield from _replicas(settings, path, served, runtime)
    pool = settings.pools.get(runtime.pool)
    limit = getattr(pool, "max_nodes", None)
    if pool is None or not isinstance(limit, int) or is_unknown(limit):
        return
    devices = devices_of(runtime, pool)
    most = limit * (pool.resources_per_node // devices) if 0 < devices <= pool.resources_per_node else None
    if most is not None and served.most > most:
        yield Problem(
            f"{path}.max_replicas" if served.max_replicas is not None else f"{path}.min_replicas",
            f"{got(served.most)} with {devices} GPUs each; expected at most {most}: {pool.name} has at most "
            f"{limit} nodes of {pool.resources_per_node} GPUs",
        )


def _adapters(path: str, served: ServedModel, runtime: ServingRuntime) -> Iterator[Problem]:
    if served.adapters and not ENGINES[runtime.engine].adapters:
        having = ", ".join(engine.title for engine in ENGINES.values() if engine.adapters)
        yield Problem(
            f"{path}.adapters",
            f"stated, and {ENGINES[runtime.engine].title} has none; expected them left out, or a runtime of "
            f"{having}",
        )
    service = path.rpartition(".")[2]
    for name, adapter in served.adapters.items():
        if name in (service, f"{service}-blue", f"{service}-green"):
            yield Problem(
                f"{path}.adapters.{name}",
                "has the name by which clients request the service's model; expected another name",
            )
        if adapter.model == served.model:
            yield Problem(
                f"{path}.adapters.{name}.model",
                f"{got(adapter.model)}, which is the service's model; expected that of an adapter of it",
            )


def _replicas(
    settings: ServingSettings, path: str, served: ServedModel, runtime: ServingRuntime
) -> Iterator[Problem]:
    if served.max_replicas is not None and served.max_replicas < served.min_replicas:
        yield Problem(
            f"{path}.max_replicas",
            f"{got(served.max_replicas)}; expected at least {served.min_replicas}, `min_replicas`",
        )
        return
    if not served.scales:
        return
    metric = METRICS[served.metric]
    if runtime.engine != metric.engine:
        key, value = "max_replicas", max(1, served.min_replicas)
        if served.max_replicas is None:
            key, value = "min_replicas", served.most
        yield Problem(
            f"{path}.{key}",
            f"{got(getattr(served, key))}, and {ENGINES[runtime.engine].title} has no metric {served.metric} "
            f"to scale by; expected {value}, or a runtime of {ENGINES[metric.engine].title}",
        )
    elif served.min_replicas == 0 and not metric.at_zero:
        yield Problem(
            f"{path}.min_replicas",
            f"got 0, and {served.metric} has no series while no Pod runs, so that nothing would start "
            "one, and nothing keeps a request until then; expected 1 or more",
        )
    if settings.prometheus_url is None:
        yield Problem(
            f"{path}.max_replicas",
            f"{got(served.most)} without `prometheus_url`, which has the metric to scale by; expected "
            f"{max(1, served.min_replicas)}, or the address",
        )
