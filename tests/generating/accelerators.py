"""The catalog of accelerators as a page."""

from __future__ import annotations

from aiplatform.accelerators import CARDS, NVIDIA, Machine
from aiplatform.accelerators.aws import MACHINES, PRICE_DATE, PRICE_REGION, PRICE_SOURCE
from tests.generating.tables import code, page, table


def text() -> str:
    """docs/accelerators.md."""
    return page(
        "# Accelerators",
        "An environment says which card and how many of it a node has (`accelerator: h100`, `count: 8`); the "
        "catalog (`components/aiplatform/accelerators/`) knows the machine.",
        "## Cards",
        table(
            ["accelerator", "product", "memory, GiB", "a Pod asks for", "MIG profiles (how many a card)"],
            (
                (
                    code(card.key),
                    f"{'NVIDIA' if card.resource == NVIDIA else 'AWS'} {card.product}",
                    f"{card.memory_mib / 1024:.4g}",
                    code(card.resource) + (f", {card.neuron_cores} cores" if card.neuron_cores else ""),
                    ", ".join(f"{code(profile)} ({count})" for profile, count in card.mig.items()),
                )
                for card in CARDS.values()
            ),
        ),
        "## On AWS",
        "Of the instance types with the same card and count the first is preferred; the others serve as "
        "alternatives for spot. Which zones offer a type is asked when a program runs.",
        table(
            [
                "accelerator",
                "count",
                "instance type",
                "vCPU",
                "memory, GiB",
                "accelerator memory, GiB",
                "network cards",
                "EFA interfaces",
                "instance store, GB",
                "capacity blocks",
                "USD per hour",
            ],
            (_machine(machine) for machine in _sorted()),
        ),
        f"Prices are on demand for Linux in {PRICE_REGION} on {PRICE_DATE}, without tax or discount; their "
        f"source is {PRICE_SOURCE}. A dash: the price list of that region has none.",
    )


def _sorted() -> list[Machine]:
    cards = list(CARDS)
    # Stable: among equals the catalog's order says which is preferred.
    return sorted(MACHINES, key=lambda machine: (cards.index(machine.accelerator), machine.count))


def _machine(machine: Machine) -> list[object]:
    disks = machine.disks
    return [
        code(machine.accelerator),
        machine.count,
        code(machine.type),
        machine.vcpus,
        machine.memory_gib,
        f"{machine.count * machine.card.memory_mib / 1024:.4g}",
        machine.network_cards,
        machine.efa_interfaces or "",
        f"{disks.count} x {disks.gb}" if disks.count else "",
        "yes" if machine.capacity_block else "",
        f"{machine.price.usd_per_hour:.2f}" if machine.price else "",
    ]
