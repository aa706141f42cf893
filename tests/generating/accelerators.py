"""The catalog of accelerators as a page."""

from __future__ import annotations

from aiplatform.accelerators import CARDS, Machine
from aiplatform.accelerators import gcp as google
from aiplatform.accelerators.aws import MACHINES, PRICE_DATE, PRICE_REGION, PRICE_SOURCE
from tests.generating.tables import code, page, table

MAKERS = {"nvidia": "NVIDIA", "neuron": "AWS", "tpu": "Google"}
ALWAYS = "always"


def text() -> str:
    """Return docs/accelerators.md."""
    return page(
        "# Accelerators",
        "An environment states the card and how many of them a node has (`accelerator: h100`, `count: 8`); "
        "the catalog (`components/aiplatform/accelerators/`) contains the machines.",
        "## Cards",
        table(
            ["accelerator", "product", "memory, GiB", "a Pod asks for", "MIG profiles (how many a card)"],
            (
                (
                    code(card.key),
                    f"{MAKERS[card.vendor]} {card.product}",
                    f"{card.memory_mib / 1024:.4g}",
                    code(card.resource) + (f", {card.neuron_cores} cores" if card.neuron_cores else ""),
                    ", ".join(f"{code(profile)} ({count})" for profile, count in card.mig.items()),
                )
                for card in CARDS.values()
            ),
        ),
        "## On AWS",
        "Of the instance types with the same card and count the first is preferred; the others serve as "
        "alternatives for spot. The zones that offer a type are read when a program runs.",
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
        "## On Google Cloud",
        "Of the machine types with the same card and count the first is preferred; `instance_types` names "
        "another. The zones that offer a type are read when a program runs. Local SSDs are of "
        f"{google.SSD_GIB} GiB; where they are not always there, `instance_store: raid0` adds them.",
        table(
            [
                "accelerator",
                "count",
                "machine type",
                "vCPU",
                "memory, GiB",
                "accelerator memory, GiB",
                "GPUDirect",
                "local SSDs",
                "sold as",
                "USD per hour",
            ],
            (_google_machine(machine) for machine in google.MACHINES),
        ),
        "MIG on GKE: "
        + "; ".join(f"{code(card)}: {', '.join(sizes)}" for card, sizes in google.PARTITIONS.items())
        + ".",
        "Slices of TPUs: "
        + "; ".join(f"{code(card)}: {', '.join(shapes)}" for card, shapes in google.TOPOLOGIES.items())
        + f". Those that take several nodes are made of nodes with {google.CHIPS_OF_SLICES} chips.",
        "Flex-start and queued TPUs are sold in few zones: "
        + "; ".join(
            f"{code(card)}: {', '.join(sorted(zones))}" for card, zones in google.FLEX_START_ZONES.items()
        )
        + " (as of 2025).",
        f"Prices are on demand in {google.PRICE_REGION}, of the machine with its cards, without tax or "
        "discount; their sources are "
        + " and ".join(sorted({m.price.source for m in google.MACHINES if m.price is not None}))
        + ". A dash: no public record gives it.",
    )


def _google_machine(machine: google.Machine) -> list[object]:
    disks = f"{machine.local_ssds}" + (f", {ALWAYS}" if machine.ssds_built_in else "")
    kinds = ("reserved", "on_demand", "spot", "flex_start", "queued")
    return [
        code(machine.accelerator),
        machine.count,
        code(machine.type),
        machine.vcpus,
        f"{machine.memory_gib:g}",
        f"{machine.count * machine.card.memory_mib / 1024:.4g}",
        f"{machine.fabric.upper()}, {machine.gpu_nics} cards" if machine.fabric else "",
        disks if machine.local_ssds else "",
        "all" if machine.sold == google.EVERY_KIND else ", ".join(k for k in kinds if k in machine.sold),
        f"{machine.price.usd_per_hour:.2f}" if machine.price else "",
    ]


def _sorted() -> list[Machine]:
    cards = list(CARDS)
    # Stable: among equals the order of the catalog is the order of preference.
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
