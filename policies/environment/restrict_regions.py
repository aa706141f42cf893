"""Data stays where it was said to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..pack import UNKNOWN, Finding, Judgement, Option, Options, Policy, Resource, Undecided

POLICY = Policy(
    title="Only the regions that are allowed",
    severity="high",
    description="Where data may lie is a promise to those whom it is about. What an environment makes is "
    "in the region of its provider; other regions are listed in `regions`. Once they are "
    "listed, the provider's own must be among them.",
    remediation="Move the resource into an allowed region, or list its region in `regions` of this policy "
    "for the profile.",
    frameworks=("NIST 800-53 SA-9(5)", "NIST 800-53 AC-4", "SOC 2 C1.1"),
    options={
        "regions": Option(
            {"type": "array", "items": {"type": "string"}},
            [],
            "Regions that are allowed: eu-central-1, europe-west4, EU. Empty: the provider's own.",
        )
    },
)

_KEYS: Final = ("region", "location", "locationId", "zone")
# Of what lies nowhere or everywhere by its nature.
_EVERYWHERE: Final = ("global", "aws-global")


@POLICY.on("aws:", "gcp:")
def on_resources(resource: Resource, options: Options) -> Iterator[Judgement]:
    """What says a region of its own."""
    for key in _KEYS:
        said = resource.get(key)
        if said is UNKNOWN:
            yield Undecided(key)
        elif isinstance(said, str) and said and said.lower() not in _EVERYWHERE:
            allowed = _allowed(resource, options)
            if allowed and not _is_in(said, allowed):
                yield Finding(key, f"is {said!r}, but allowed is {', '.join(allowed)}")


@POLICY.on("aws:dynamodb/table:Table", "aws:secretsmanager/secret:Secret")
def on_replicas(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Replicas in other regions."""
    for path, replica in resource.items("replicas"):
        key = "regionName" if resource.type == "aws:dynamodb/table:Table" else "region"
        region = replica.get(key)
        if region is UNKNOWN:
            yield Undecided(f"{path}.{key}")
        allowed = _allowed(resource, options)
        if isinstance(region, str) and allowed and not _is_in(region, allowed):
            yield Finding(path, f"copies to {region!r}, but allowed is {', '.join(allowed)}")


@POLICY.on("pulumi:providers:aws", "pulumi:providers:gcp")
def on_providers(resource: Resource, options: Options) -> Iterator[Judgement]:
    """Providers of a region that is not listed: what says none of its own is there."""
    region = resource.get("region")
    if region is UNKNOWN:
        yield Undecided("region")
    elif isinstance(region, str) and options["regions"] and not _is_in(region, options["regions"]):
        yield Finding("region", f"is {region!r}, but allowed is {', '.join(options['regions'])}")


def _allowed(resource: Resource, options: Options) -> list[str]:
    listed: list[str] = options["regions"]
    own: Any = resource.provider.get("region")
    return listed or ([own] if isinstance(own, str) and own else [])


def _is_in(place: str, allowed: list[str]) -> bool:
    """Whether a region, a zone of one (europe-west4-a, eu-central-1a) or a multi-region is allowed."""
    low = place.lower()
    for region in (each.lower() for each in allowed):
        rest = low.removeprefix(region)
        if not rest or (low.startswith(region) and rest.lstrip("-") in _ZONES):
            return True
    return False


_ZONES: Final[Mapping[str, None]] = dict.fromkeys("abcdefgh")
