"""Whether the TrainJobs of runtimes fit on their pools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiplatform._shared.args import Problem, got
from stacks.settings import Settings
from stacks.settings.generated import stated


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield runtimes, and models of continuous training, with more nodes than their pool can have: Kueue
    would never admit their jobs."""
    if settings.training is None:
        return
    most = most_nodes(settings)
    topic: dict[str, Any] = stated(settings.training)
    pools = {f"torch-{name}": name for name in most}
    for name, runtime in topic.get("runtimes", {}).items():
        pools[name] = runtime["pool"]
        yield from _too_many(f"training.runtimes.{name}.nodes", runtime.get("nodes"), runtime["pool"], most)
    if settings.continuous_training is None:
        return
    for team, declared in stated(settings.continuous_training).get("teams", {}).items():
        for name, model in declared.get("models", {}).items():
            job = model.get("training", {})
            path = f"continuous_training.teams.{team}.models.{name}.training.nodes"
            yield from _too_many(path, job.get("nodes"), pools.get(job.get("runtime", ""), ""), most)


def most_nodes(settings: Settings) -> dict[str, int]:
    """Return pool -> the most nodes that it has: `max` of each entry of its capacity. Slices of TPUs, whose
    nodes are created together, have their own rule."""
    gpu_pools = {name: pool for name, pool in settings.gpu_pools.items() if pool.topology is None}
    return {
        name: pool.max * max(1, len(stated(pool).get("capacity", [])))
        for name, pool in {**settings.node_pools, **gpu_pools}.items()
    }


def _too_many(path: str, nodes: int | None, pool: str, most: Mapping[str, int]) -> Iterator[Problem]:
    if nodes is not None and pool in most and nodes > most[pool]:
        yield Problem(path, f"{got(nodes)}; expected at most {most[pool]}, the nodes that {pool!r} can have")
