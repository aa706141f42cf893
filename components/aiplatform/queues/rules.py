"""Rules between the arguments of the queues: what Kueue or the pools could not fulfil."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from aiplatform._shared.args import Problem, got, is_unknown, nearest
from aiplatform.queues import amounts
from aiplatform.queues.amounts import CPU, MEMORY
from aiplatform.queues.pools import MOST_TAINTS, QUEUED, is_queued

if TYPE_CHECKING:
    from aiplatform.queues.args import Cohort, Queue, QueuesSettings, Quota, TopologyKind
    from aiplatform.queues.pools import Pool

_TOO_MANY_TAINTS: Final = (
    f"of length {MOST_TAINTS}; expected at most {MOST_TAINTS - 1} taints, as queued nodes have one of GKE's"
)
_WORDS: Final = {CPU: "vCPUs", MEMORY: "GiB of memory"}


def problems(settings: QueuesSettings) -> Iterator[Problem]:
    """Return the problems of the arguments that concern several keys."""
    pools: dict[str, Pool] = {}
    for key, entries in (("node_pools", settings.node_pools), ("gpu_pools", settings.gpu_pools)):
        for index, pool in enumerate(cast("Sequence[Pool]", entries)):
            if pools.setdefault(pool.name, pool) is not pool:
                yield Problem(f"{key}[{index}].name", f"{got(pool.name)}, which is another pool's, too")
    yield from _topologies(settings, pools)
    yield from _duplicates("cohorts", [cohort.name for cohort in settings.cohorts])
    yield from _duplicates("queues", [queue.name for queue in settings.queues])
    yield from _priorities(settings)
    yield from _cohorts(settings)
    for index, pool in enumerate(settings.gpu_pools):
        if is_queued(pool) and len(pool.taints) == MOST_TAINTS:
            yield Problem(f"gpu_pools[{index}].taints", _TOO_MANY_TAINTS)
    for index, queue in enumerate(settings.queues):
        yield from _queue(settings, queue, f"queues[{index}]")
    yield from _local_queues(settings.queues)
    of_quotas = list(_quotas(settings, pools))
    yield from of_quotas
    if not of_quotas:
        yield from _capacity(settings, pools)


def _duplicates(key: str, names: Iterable[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            yield Problem(f"{key}[{index}].name", f"{got(name)}, which duplicates {key}[{first[name]}]")


def _unknown_pool(name: str, pools: Mapping[str, Pool]) -> str:
    known = f"expected one of {', '.join(pools)}" if pools else "there are no pools"
    return f"{got(name)}; {known}{nearest(name, pools)}"


def _topologies(settings: QueuesSettings, pools: Mapping[str, Pool]) -> Iterator[Problem]:
    labels: list[str] = []
    for name, kind in settings.topologies.items():
        path, pool = f"topologies.{name}", pools.get(name)
        if pool is None:
            yield Problem(path, _unknown_pool(name, pools))
            continue
        if kind == "network":
            labels = labels or pool.topology_labels
            yield from _network_labels(pool, labels, path)
        yield from _number_of_nodes(pool, kind, path)


def _network_labels(pool: Pool, labels: list[str], path: str) -> Iterator[Problem]:
    if not pool.topology_labels:
        yield Problem(
            path,
            "got 'network', but the cloud does not label the machines of this pool; expected 'host', or no "
            "topology",
        )
    elif pool.topology_labels != labels:
        yield Problem(
            path,
            "got 'network', but its nodes have other topology labels than those of the pools before; "
            "expected the same labels, or 'host'",
        )


def _number_of_nodes(pool: Pool, kind: TopologyKind, path: str) -> Iterator[Problem]:
    if is_unknown(pool.min_nodes) or is_unknown(pool.max_nodes) or is_queued(pool):
        return
    least, most = int(cast(int, pool.min_nodes)), int(cast(int, pool.max_nodes))
    if least < most:
        what = "may be empty" if least == 0 else f"has {least} to {most} nodes"
        yield Problem(
            path,
            f"got {kind!r}, but the pool {what}: with a topology Kueue counts the nodes that exist, and no "
            "node is added for a workload that waits; expected as many nodes at least as at most, a pool "
            "of queued capacity, or no topology",
        )


def _priorities(settings: QueuesSettings) -> Iterator[Problem]:
    yield from _duplicates("priorities", [priority.name for priority in settings.priorities])
    others = [priority for priority in settings.priorities if not priority.serving]
    highest = max(others, key=lambda priority: priority.value, default=None)
    for index, priority in enumerate(settings.priorities):
        if priority.serving and highest is not None and priority.value <= highest.value:
            yield Problem(
                f"priorities[{index}].value",
                f"got {priority.value}; expected more than {highest.value}, the value of {highest.name!r}: "
                "training must not evict a model that serves production",
            )


def _cohorts(settings: QueuesSettings) -> Iterator[Problem]:
    parents = {cohort.name: cohort.parent for cohort in settings.cohorts}
    for index, cohort in enumerate(settings.cohorts):
        path = f"cohorts[{index}]"
        yield from _known_cohort(cohort.parent, f"{path}.parent", parents)
        cycle = _cycle(cohort.name, parents)
        if cycle:
            yield Problem(
                f"{path}.parent", f"{got(cohort.parent)}, which closes the cycle {' -> '.join(cycle)}"
            )
        yield from _weight(settings, cohort, path)
        yield from _limits_without(cohort.parent, cohort.quotas, path, "parent")


def _known_cohort(name: str | None, path: str, parents: Mapping[str, str | None]) -> Iterator[Problem]:
    if name is not None and name not in parents:
        known = f"expected one of {', '.join(parents)}" if parents else "expected an entry in cohorts"
        yield Problem(path, f"{got(name)}, which is no cohort; {known}{nearest(name, parents)}")


def _cycle(name: str, parents: Mapping[str, str | None]) -> list[str]:
    """Return the names from a cohort back to itself, or an empty list."""
    path, current = [name], parents.get(name)
    while current is not None and current not in path:
        path.append(current)
        current = parents.get(current)
    return [*path, name] if current == name else []


def _weight(settings: QueuesSettings, entry: Queue | Cohort, path: str) -> Iterator[Problem]:
    if entry.weight != 1 and not settings.fair_sharing:
        yield Problem(f"{path}.weight", f"got {entry.weight}; expected none without fair_sharing")
    if round(entry.weight * amounts.MILLI) != entry.weight * amounts.MILLI:
        yield Problem(f"{path}.weight", f"got {entry.weight}; expected at most three decimal places")


def _limits_without(group: str | None, quotas: Sequence[Quota], path: str, missing: str) -> Iterator[Problem]:
    for index, quota in enumerate(quotas):
        for key in ("borrow", "lend"):
            value = getattr(quota, key)
            if group is None and value is not None:
                yield Problem(
                    f"{path}.quotas[{index}].{key}", f"got {value}; expected none without a {missing}"
                )


def _queue(settings: QueuesSettings, queue: Queue, path: str) -> Iterator[Problem]:
    parents = {cohort.name: cohort.parent for cohort in settings.cohorts}
    yield from _known_cohort(queue.cohort, f"{path}.cohort", parents)
    yield from _weight(settings, queue, path)
    yield from _limits_without(queue.cohort, queue.quotas, path, "cohort")
    preemption = queue.preemption
    borrows = preemption.borrow_within_cohort != "Never"
    where = f"{path}.preemption.borrow_within_cohort"
    if borrows and settings.fair_sharing:
        yield Problem(
            where,
            f"{got(preemption.borrow_within_cohort)}; expected 'Never' with fair_sharing, which decides by "
            "shares who is evicted",
        )
    elif borrows and preemption.reclaim_within_cohort == "Never":
        yield Problem(
            where, f"{got(preemption.borrow_within_cohort)}; expected 'Never' where reclaim_within_cohort is"
        )
    if preemption.max_priority_threshold is not None and not borrows:
        yield Problem(
            f"{path}.preemption.max_priority_threshold",
            f"got {preemption.max_priority_threshold}; expected none without borrow_within_cohort",
        )


def _local_queues(queues: Sequence[Queue]) -> Iterator[Problem]:
    first: dict[tuple[str, str], str] = {}
    for index, queue in enumerate(queues):
        for number, local in enumerate(queue.local_queues):
            path = f"queues[{index}].local_queues[{number}]"
            other = first.setdefault((local.namespace, local.name), path)
            if other != path:
                yield Problem(
                    f"{path}.name",
                    f"{got(local.name)}, which {other} is in namespace {local.namespace!r}, too; expected "
                    "another name",
                )


def quotas_by_path(settings: QueuesSettings) -> Iterator[tuple[str, Quota]]:
    """Yield the quotas of all queues and cohorts with their paths."""
    for key in ("queues", "cohorts"):
        for index, entry in enumerate(getattr(settings, key)):
            for number, quota in enumerate(entry.quotas):
                yield f"{key}[{index}].quotas[{number}]", quota


def _quotas(settings: QueuesSettings, pools: Mapping[str, Pool]) -> Iterator[Problem]:
    pools_of: dict[str, set[str]] = {}
    for path, quota in quotas_by_path(settings):
        owner = path.rpartition(".")[0]
        if quota.pool in pools_of.setdefault(owner, set()):
            yield Problem(f"{path}.pool", f"{got(quota.pool)}, which another quota of {owner} states, too")
        pools_of[owner].add(quota.pool)
        pool = pools.get(quota.pool)
        if pool is None:
            yield Problem(f"{path}.pool", _unknown_pool(quota.pool, pools))
        else:
            yield from _quota(pool, quota, path)


def _quota(pool: Pool, quota: Quota, path: str) -> Iterator[Problem]:
    if QUEUED in pool.capacity_types and not is_queued(pool):
        yield Problem(
            f"{path}.pool",
            f"{got(pool.name)}, part of whose capacity is queued; expected a pool with queued capacity "
            "alone: Kueue requests nodes for all of a pool or for none",
        )
    if pool.resource and quota.accelerators is None:
        yield Problem(f"{path}.accelerators", f"missing; expected a number of {pool.resource}")
    elif not pool.resource and quota.accelerators is not None:
        yield Problem(
            f"{path}.accelerators",
            f"got {quota.accelerators}; expected cpu: {pool.name!r} is a pool without accelerators",
        )
    known = amounts.per_node(pool)
    for key, resource in (("cpu", CPU), ("memory_gib", MEMORY)):
        needed = resource not in known or (key == "cpu" and not pool.resource)
        if needed and getattr(quota, key) is None:
            yield Problem(f"{path}.{key}", f"missing; expected {_WORDS[resource]} of {pool.name!r}")
    quantity = amounts.stated_quantity(pool, quota)
    if quota.lend is not None and quota.lend > quantity:
        yield Problem(f"{path}.lend", f"got {quota.lend}; expected at most the quota, which is {quantity}")


def _capacity(settings: QueuesSettings, pools: Mapping[str, Pool]) -> Iterator[Problem]:
    """Report quotas of a pool that are more than it can have, one by one and all together."""
    of_pool: dict[str, list[tuple[str, Mapping[str, int]]]] = {}
    for path, quota in quotas_by_path(settings):
        pool = pools[quota.pool]
        of_pool.setdefault(pool.name, []).append((path, amounts.nominal(pool, quota)))
    for name, quotas in of_pool.items():
        pool = pools[name]
        if is_unknown(pool.max_nodes):
            continue
        nodes = int(cast(int, pool.max_nodes))
        most = {resource: amount * nodes for resource, amount in amounts.per_node(pool).items()}
        single = list(chain.from_iterable(_above(pool, path, amount, most) for path, amount in quotas))
        yield from single
        if not single:
            together = amounts.total([amount for _, amount in quotas])
            yield from _above(pool, "queues", together, most, "the quotas of all queues and cohorts together")


def _above(
    pool: Pool, path: str, amount: Mapping[str, int], most: Mapping[str, int], what: str = ""
) -> Iterator[Problem]:
    """Report the first resource of which there is too much: the others follow from it."""
    keys = {CPU: "cpu", MEMORY: "memory_gib"}
    resources = ([pool.resource] if pool.resource else []) + [*keys]
    for resource in (name for name in resources if amount.get(name, 0) > most.get(name, amount.get(name, 0))):
        stated = _words(resource, amount[resource])
        yield Problem(
            path if what else f"{path}.{keys.get(resource, 'accelerators')}",
            f"{f'{what} have {stated} of {pool.name!r}' if what else f'got {stated}'}; expected at most "
            f"{_words(resource, most[resource])}: the pool {pool.name!r} has at most "
            f"{int(cast(int, pool.max_nodes))} nodes",
        )
        return


def _words(resource: str, amount: int) -> str:
    if resource == CPU:
        return f"{amount / amounts.MILLI:g} vCPUs"
    if resource == MEMORY:
        return f"{amount / amounts.MIB_PER_GIB:.1f} GiB of memory"
    return f"{amount} {resource}"
