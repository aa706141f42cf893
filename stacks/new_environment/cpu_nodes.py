"""The CPU nodes of a new environment file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from stacks.new_environment.answers import Answers, Offers
from stacks.profiles import PROFILES


@dataclass(frozen=True)
class General:
    """The pool of CPU nodes. cpus: the quota of its queue."""

    types: Sequence[str]
    min: int
    max: int
    cpus: int
    capacity: Sequence[str] = ()


_GENERAL: Final[Mapping[str, Mapping[str, General]]] = {
    "aws": {
        "dev": General(("m7i.large", "m6i.large"), 0, 4, 8, ("spot", "on_demand")),
        "staging": General(("m7i.xlarge", "m6i.xlarge"), 1, 8, 16),
        "prod": General(("m7i.2xlarge", "m6i.2xlarge"), 2, 20, 64),
    },
    "gcp": {
        "dev": General(("e2-standard-4",), 0, 4, 8),
        "staging": General(("e2-standard-8",), 1, 8, 32),
        "prod": General(("n2-standard-8",), 2, 20, 64),
    },
}
"""Cloud -> profile -> its pool, of types with the same number of vCPUs."""


def general(answers: Answers, offers: Offers) -> General:
    """Return the pool, of the types that the region offers."""
    pool = _GENERAL[answers.cloud][answers.profile]
    types = tuple(kind for kind in pool.types if _in_region(kind, offers))
    return replace(pool, types=types or pool.types)


def problem(answers: Answers, offers: Offers) -> str | None:
    """Return why the region cannot have the nodes of the profile; None where it can, or nothing is known."""
    profile = PROFILES[answers.cloud][answers.profile]
    for types in (general(answers, offers).types, profile["cluster"]["system_nodes"]["instance_types"]):
        if offers and not any(_in_region(kind, offers) for kind in types):
            return (
                f"got {answers.region!r}, which does not offer {' or '.join(types)}; expected another region"
            )
    return None


def _in_region(kind: str, offers: Offers) -> bool:
    return not offers or any(kind in types for types in offers.values())
