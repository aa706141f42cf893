"""The catalog of accelerators: pure data and look-ups, no resources.

An environment names a card and how many of it a node has (`accelerator: h100`, `count: 8`); the catalog says
which machine that is. Cards are the same in every cloud (`cards`); the machines are a cloud's own (`aws`).
"""

import difflib
from collections.abc import Sequence

from aiplatform.accelerators.aws import MACHINES, Disks, Machine, Price
from aiplatform.accelerators.cards import ALSO_CALLED, CARDS, NEURON, NEURON_CORE, NVIDIA, Card

__all__ = [
    "CARDS",
    "NEURON",
    "NEURON_CORE",
    "NVIDIA",
    "Card",
    "Disks",
    "Machine",
    "Price",
    "aws_counts",
    "aws_machine",
    "aws_machines",
    "count_fault",
    "key_fault",
    "mig_fault",
]


def key_fault(accelerator: str) -> str | None:
    """What is wrong with an accelerator's name, with the nearest that exists; None where it is one."""
    if accelerator in CARDS:
        return None
    close = _nearest(accelerator.strip().lower())
    hint = f"; did you mean '{close}'?" if close else ""
    return f"expected one of {', '.join(CARDS)}{hint}"


def _nearest(word: str) -> str | None:
    if word in ALSO_CALLED:
        return ALSO_CALLED[word]
    bare = word.removeprefix("nvidia").removeprefix("aws").replace("tesla", "").strip(" -_.")
    if bare in CARDS:
        return bare
    close = difflib.get_close_matches(bare or word, [*CARDS, *ALSO_CALLED], n=1, cutoff=0.5)
    return ALSO_CALLED.get(close[0], close[0]) if close else None


def aws_counts(accelerator: str) -> Sequence[int]:
    """How many of a card a node on AWS can have, ascending."""
    return sorted({machine.count for machine in MACHINES if machine.accelerator == accelerator})


def count_fault(accelerator: str, count: int) -> str | None:
    """What is wrong with a count of a known accelerator, with those that exist; None where it is one."""
    counts = aws_counts(accelerator)
    if count in counts:
        return None
    return f"AWS has no instance type with {count} {accelerator}; expected {_words(counts)}"


def _words(numbers: Sequence[int]) -> str:
    texts = [str(number) for number in numbers]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def aws_machines(accelerator: str, count: int) -> Sequence[Machine]:
    """The instance types that carry `count` of a card, the preferred first; ValueError with the fault."""
    fault = key_fault(accelerator) or count_fault(accelerator, count)
    if fault:
        raise ValueError(fault)
    return [m for m in MACHINES if (m.accelerator, m.count) == (accelerator, count)]


def aws_machine(instance_type: str) -> Machine | None:
    """The accelerator machine of an instance type, or None where the catalog has none of that name."""
    return next((machine for machine in MACHINES if machine.type == instance_type), None)


def mig_fault(accelerator: str, profile: str) -> str | None:
    """What is wrong with a MIG profile for a known accelerator; None where the card has it."""
    card = CARDS[accelerator]
    if not card.mig:
        able = [key for key, other in CARDS.items() if other.mig]
        return f"{accelerator} has no MIG; those that have: {', '.join(able)}"
    return None if profile in card.mig else f"expected a profile of {accelerator}: {', '.join(card.mig)}"
