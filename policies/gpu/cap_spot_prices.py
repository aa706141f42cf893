"""Who asks for a spot machine with accelerators says what it may cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided
from ..pack.accelerators import accelerator, accelerators

POLICY = Policy(
    title="Spot machines with accelerators have a price limit",
    severity="medium",
    description="A spot request of EC2 that names no price pays up to that of an on-demand machine, which "
    "for eight GPUs is tens of dollars an hour. It names one, and none above what the profile allows; below "
    "the market it waits, or is taken back sooner. Google Cloud sets the price of spot machines itself, and "
    "node groups of EKS take no limit: what counts there is how many there may be.",
    remediation="Set `spotOptions.maxPrice`, `spotPrice` or `spotMaxPrice` to US dollars an hour, or have "
    "`most` raised for this profile in strictness.yaml.",
    frameworks=("NIST 800-53 SC-6",),
    options={
        "most": Option(
            {"type": "number", "exclusiveMinimum": 0}, 40, "The most US dollars an hour of one machine."
        ),
    },
)

_MARKET: Final = "instanceMarketOptions"
_MIXED: Final = "mixedInstancesPolicy"
_ALL: Final = 100


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance")
def on_machines(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Machines, and templates of them, that are bought on the spot market."""
    kind = resource.get(f"{_MARKET}.marketType")
    if kind is UNKNOWN:
        yield Undecided(f"{_MARKET}.marketType")
    elif kind == "spot" and any(True for _ in accelerators(resource)):
        yield from _judged(resource, f"{_MARKET}.spotOptions.maxPrice", options)


@POLICY.on("aws:ec2/spotInstanceRequest:SpotInstanceRequest")
def on_requests(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Requests of one machine."""
    if any(True for _ in accelerators(resource)):
        yield from _judged(resource, "spotPrice", options)


@POLICY.on("aws:autoscaling/group:Group")
def on_groups(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Groups of which a part is spot; all is on-demand unless it is said."""
    share = resource.get(f"{_MIXED}.instancesDistribution.onDemandPercentageAboveBaseCapacity")
    overrides = (path for path, _ in resource.items(f"{_MIXED}.launchTemplate.overrides"))
    kinds: list[Any] = [resource.get(f"{path}.instanceType") for path in overrides]
    if not any(kind is UNKNOWN or (isinstance(kind, str) and accelerator(kind)) for kind in kinds):
        return
    if share is UNKNOWN:
        yield Undecided(f"{_MIXED}.instancesDistribution.onDemandPercentageAboveBaseCapacity")
    elif share is not None and share < _ALL:
        yield from _judged(resource, f"{_MIXED}.instancesDistribution.spotMaxPrice", options)


def _judged(resource: Resource, path: str, options: Options) -> Iterator[Judgement]:
    said, most = resource.get(path), options["most"]
    if said is UNKNOWN:
        yield Undecided(path)
        return
    try:
        price = float(said)
    except (TypeError, ValueError):
        # Nothing, or the empty text: EC2 refuses any other that is no number.
        yield Finding(path, "is not set, so a machine costs up to its on-demand price")
        return
    if price > most:
        yield Finding(path, f"is {price:g} dollars an hour, more than {most:g}")
