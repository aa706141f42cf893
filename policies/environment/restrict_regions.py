"""Resources are in the allowed regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ..framework import Entry, Option, Options, Outcome, Policy, Resource, Violation, check_each

POLICY = Policy(
    title="Only allowed regions",
    severity="high",
    description="The location of data is promised to the people whom it is about. The resources of an "
    "environment are in the region of its provider; other regions are listed in `regions`. If there is a "
    "list, it must contain the provider's region.",
    remediation="Move the resource into an allowed region, or list its region in `regions` of this policy "
    "for the profile.",
    frameworks=("NIST 800-53 SA-9(5)", "NIST 800-53 AC-4", "SOC 2 C1.1"),
    options={
        "regions": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "Allowed regions: eu-central-1, europe-west4, EU. Empty: the region of the provider.",
        )
    },
)

_KEYS: Final = ("region", "location", "locationId", "zone")
# Locations of resources that have no region.
_GLOBAL: Final = ("global", "aws-global")
_ZONES: Final = frozenset("abcdefgh")


@POLICY.on("aws:", "gcp:")
def on_resources(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Resources with an explicit region."""
    yield from check_each(_KEYS, _check_key, resource, _allowed(resource, options))


def _check_key(key: str, resource: Resource, allowed: Sequence[str]) -> Iterator[Outcome]:
    region = resource.known(key)
    if isinstance(region, str) and region and region.lower() not in _GLOBAL:
        yield from _check_region(region, key, allowed)


@POLICY.on("aws:dynamodb/table:Table", "aws:secretsmanager/secret:Secret")
def on_replicas(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Replicas in other regions."""
    key = "regionName" if resource.type == "aws:dynamodb/table:Table" else "region"
    yield from check_each(resource.entries("replicas"), _check_replica, key, _allowed(resource, options))


def _check_replica(replica: Entry, key: str, allowed: Sequence[str]) -> Iterator[Outcome]:
    yield from _check_region(replica.known(key), replica.path, allowed)


@POLICY.on("pulumi:providers:aws", "pulumi:providers:gcp")
def on_providers(resource: Resource, options: Options) -> Iterator[Outcome]:
    """Providers of other regions, where all resources without an explicit region are."""
    yield from _check_region(resource.known("region"), "region", options["regions"])


def _check_region(region: Any, path: str, allowed: Sequence[str]) -> Iterator[Outcome]:
    if isinstance(region, str) and allowed and not _is_in(region, allowed):
        yield Violation(path, f"is {region!r}; expected {', '.join(allowed)}")


def _allowed(resource: Resource, options: Options) -> Sequence[str]:
    region: Any = resource.provider.get("region")
    return options["regions"] or ([region] if isinstance(region, str) and region else [])


def _is_in(location: str, allowed: Sequence[str]) -> bool:
    """Return whether a region, a zone (europe-west4-a, eu-central-1a) or a multi-region is allowed."""
    low = location.lower()
    for region in map(str.lower, allowed):
        rest = low.removeprefix(region)
        if not rest or (low.startswith(region) and rest.lstrip("-") in _ZONES):
            return True
    return False
