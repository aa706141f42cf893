"""Spot machines with accelerators have a maximum price."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Deferred, Option, Options, Outcome, Policy, Resource, Violation
from ..framework.accelerators import accelerator, may_have_accelerators

POLICY = Policy(
    title="Spot machines with accelerators have a maximum price",
    severity="medium",
    description="An EC2 spot request without a maximum price pays up to the on-demand price, which is tens "
    "of dollars an hour for eight GPUs. The maximum is at most that of the profile; below the market price "
    "a request waits, or is interrupted earlier. Google Cloud sets the price of spot machines itself, and "
    "node groups of EKS have no maximum: their number is limited instead.",
    remediation="Set `spotOptions.maxPrice`, `spotPrice` or `spotMaxPrice` to US dollars an hour, or have "
    "`most` raised for this profile in enforcement.yaml.",
    frameworks=("NIST 800-53 SC-6",),
    options={
        "most": Option(
            {"type": "number", "exclusiveMinimum": 0}, 40, "The most US dollars an hour for one machine."
        ),
    },
)
_MARKET: Final = "instanceMarketOptions"
_MIXED: Final = "mixedInstancesPolicy"
_ALL: Final = 100


@POLICY.on("aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance")
def on_machines(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Spot machines, and templates of them."""
    if resource.known(f"{_MARKET}.marketType") == "spot" and may_have_accelerators(resource):
        yield from _check(resource, f"{_MARKET}.spotOptions.maxPrice", options["most"])


@POLICY.on("aws:ec2/spotInstanceRequest:SpotInstanceRequest")
def on_requests(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Requests for one machine."""
    if may_have_accelerators(resource):
        yield from _check(resource, "spotPrice", options["most"])


@POLICY.on("aws:autoscaling/group:Group")
def on_groups(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Groups with spot machines; by default all machines are on-demand."""
    share = resource.known(f"{_MIXED}.instancesDistribution.onDemandPercentageAboveBaseCapacity")
    if share is not None and share < _ALL and _may_have_accelerators(resource):
        yield from _check(resource, f"{_MIXED}.instancesDistribution.spotMaxPrice", options["most"])


def _may_have_accelerators(group: Resource) -> bool:
    try:
        overrides = group.entries(f"{_MIXED}.launchTemplate.overrides")
        return any(accelerator(str(override.known("instanceType"))) for override in overrides)
    except Deferred:
        return True


def _check(resource: Resource, path: str, most: float) -> Iterator[Outcome]:
    try:
        price = float(resource.known(path))
    except (TypeError, ValueError):
        # Not set, or empty: EC2 refuses any other value that is not a number.
        yield Violation(path, "is not set, so a machine costs up to its on-demand price")
        return
    if price > most:
        yield Violation(path, f"is {price:g} dollars an hour, more than {most:g}")
