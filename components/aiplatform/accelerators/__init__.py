"""The catalog of accelerators: pure data and look-ups, no resources.

An environment names an accelerator and the count of a node (`accelerator: h100`, `count: 8`); the catalog
states which machine that is. Accelerators are the same on every cloud (`cards`), machines are not (`aws`,
`gcp`).
"""

import difflib
from collections.abc import Sequence

from aiplatform._shared.cloud_support import CLOUDS, Cloud
from aiplatform.accelerators import gcp
from aiplatform.accelerators.aws import MACHINES, Disks, Machine, Price
from aiplatform.accelerators.cards import ALSO_CALLED, CARDS, NEURON, NEURON_CORE, NVIDIA, TPU, Card

__all__ = [
    "CARDS",
    "NEURON",
    "NEURON_CORE",
    "NVIDIA",
    "TPU",
    "Card",
    "Disks",
    "Machine",
    "Price",
    "aws_counts",
    "aws_machine",
    "aws_machines",
    "count_problem",
    "gcp",
    "gcp_machine",
    "gcp_machines",
    "key_problem",
    "mig_problem",
    "offered",
    "offered_problem",
]


def key_problem(accelerator: str, cloud: Cloud | None = None) -> str | None:
    """Return the problem of an unknown accelerator's name, with the names of the cloud (or all) and the
    nearest one; None for a known name."""
    if accelerator in CARDS:
        return None
    close = _nearest(accelerator.strip().lower())
    hint = f"; did you mean '{close}'?" if close else ""
    return f"expected one of {', '.join(offered(cloud) if cloud else CARDS)}{hint}"


def _nearest(word: str) -> str | None:
    if word in ALSO_CALLED:
        return ALSO_CALLED[word]
    bare = word.removeprefix("nvidia").removeprefix("aws").replace("tesla", "").strip(" -_.")
    if bare in CARDS:
        return bare
    close = difflib.get_close_matches(bare or word, [*CARDS, *ALSO_CALLED], n=1, cutoff=0.5)
    return ALSO_CALLED.get(close[0], close[0]) if close else None


def offered(cloud: Cloud) -> Sequence[str]:
    """Return the accelerators of a cloud, in the catalog's order."""
    names = {machine.accelerator for machine in (MACHINES if cloud == "aws" else gcp.MACHINES)}
    return [key for key in CARDS if key in names]


def offered_problem(accelerator: str, cloud: Cloud) -> str | None:
    """Return the problem of a known accelerator that the cloud does not have; None where it has it."""
    names = offered(cloud)
    if accelerator in names:
        return None
    return f"which {CLOUDS[cloud]} does not have; expected one of {', '.join(names)}"


def counts(accelerator: str, cloud: Cloud) -> Sequence[int]:
    """Return the counts of an accelerator that nodes on a cloud can have, ascending."""
    machines = MACHINES if cloud == "aws" else gcp.MACHINES
    return sorted({machine.count for machine in machines if machine.accelerator == accelerator})


def aws_counts(accelerator: str) -> Sequence[int]:
    """Return the counts of an accelerator that nodes on AWS can have, ascending."""
    return counts(accelerator, "aws")


def count_problem(accelerator: str, count: int, cloud: Cloud = "aws") -> str | None:
    """Return the problem of a count of a known accelerator, with those that exist; None for one that
    exists."""
    known = counts(accelerator, cloud)
    if not known:
        return offered_problem(accelerator, cloud)
    if count in known:
        return None
    what = "instance type" if cloud == "aws" else "machine type"
    return f"{CLOUDS[cloud]} has no {what} with {count} {accelerator}; expected {_words(known)}"


def _words(numbers: Sequence[int]) -> str:
    texts = [str(number) for number in numbers]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def aws_machines(accelerator: str, count: int) -> Sequence[Machine]:
    """Return AWS's instance types with `count` of an accelerator, the preferred first.

    Raises ValueError with the problem.
    """
    problem = key_problem(accelerator) or count_problem(accelerator, count)
    if problem:
        raise ValueError(problem)
    return [m for m in MACHINES if (m.accelerator, m.count) == (accelerator, count)]


def aws_machine(instance_type: str) -> Machine | None:
    """Return the machine of an instance type, or None where the catalog does not have it."""
    return next((machine for machine in MACHINES if machine.type == instance_type), None)


def gcp_machines(accelerator: str, count: int) -> Sequence[gcp.Machine]:
    """Return Google Cloud's machine types with `count` of an accelerator, the preferred first.

    Raises ValueError with the problem.
    """
    problem = key_problem(accelerator) or count_problem(accelerator, count, "gcp")
    if problem:
        raise ValueError(problem)
    return [m for m in gcp.MACHINES if (m.accelerator, m.count) == (accelerator, count)]


def gcp_machine(machine_type: str) -> gcp.Machine | None:
    """Return the machine of a type with built-in accelerators, or None where the catalog does not have it."""
    return next((m for m in gcp.MACHINES if m.type == machine_type and not m.attached), None)


def mig_problem(accelerator: str, profile: str) -> str | None:
    """Return the problem of a MIG profile for a known accelerator; None where the accelerator has it."""
    card = CARDS[accelerator]
    if not card.mig:
        supported = [key for key, other in CARDS.items() if other.mig]
        return f"but {accelerator} has no MIG; accelerators with MIG: {', '.join(supported)}"
    return None if profile in card.mig else f"expected a profile of {accelerator}: {', '.join(card.mig)}"
