"""Choose the zones of a pool from its settings and the cloud's offerings. Pure: no resource, no call."""

from collections.abc import Mapping

from aiplatform._shared.args import ArgumentError, Problem, got
from aiplatform.node_pool.args import NodePoolSettings


def zones_for(pool: NodePoolSettings, offerings: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the ids of the zones of the pool's nodes. offerings: instance type -> zones that offer it.

    Raises ArgumentError where no zone offers the types.
    """
    offered = {type_: offerings[type_] for type_ in pool.instance_types if type_ in offerings}
    problems = [
        Problem(
            f"NodePoolArgs.instance_types[{index}]",
            f"{got(type_)}, which no zone of this region offers; is the name correct?",
        )
        for index, type_ in enumerate(pool.instance_types)
        if type_ not in offered
    ]
    # Every zone must offer every type, else some launches always fail.
    offering = frozenset[str].intersection(*offered.values()) if offered else frozenset[str]()
    ids = "zones" if pool.cloud == "gcp" else "zone ids"
    where = f"{ids} that do: {', '.join(sorted(offering))}" if offering else "is the name correct?"
    what = " and ".join(pool.instance_types)
    for index, zone in enumerate(pool.zones or []):
        if zone not in offering and not problems:
            reason = f"{got(zone)}, which does not offer {what}; {where}"
            problems.append(Problem(f"NodePoolArgs.zones[{index}]", reason))
    if not problems and not pool.zones_with(offering):
        reason = f"no zone of the network offers {what}; {where}"
        problems.append(Problem("NodePoolArgs.network.zones", reason))
    if problems:
        raise ArgumentError(problems)
    return pool.zones_with(offering)
