"""The clouds, and what each argument of a component becomes on each of them.

Arguments are cloud-neutral: one type for all clouds. An entity's `cloud_support.py` states for every argument
what it becomes on AWS and on Google Cloud, or why that cloud does not support it. The same table refuses such
an argument with that reason, and is printed in docs/clouds.md:

    SUPPORT: Final[SupportTable] = {
        "nat": CloudSupport(aws="NAT gateways and elastic addresses", gcp="Cloud NAT on a Cloud Router"),
        "endpoints": CloudSupport(
            aws="interface endpoints (PrivateLink)",
            gcp=refused("Private Google Access reaches every Google API from the subnets; leave it out"),
        ),
    }

    @dataclass(frozen=True)
    class NetworkSettings(CloudNeutral):
        cloud_support = SUPPORT
        cloud: Literal["aws", "gcp"] = "aws"

Keys are dotted paths without indices (`capacity.reservation_id`); what is said of an object holds for all in
it that has no line of its own, and what is said of `""` for the whole component.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, cast

from aiplatform._shared.args import Problem, got

Cloud = Literal["aws", "gcp"]

CLOUDS: Final[Mapping[Cloud, str]] = {"aws": "AWS", "gcp": "Google Cloud"}
"""The clouds, with their names as people write them."""


@dataclass(frozen=True)
class Refused:
    """An argument that a cloud has no place for. reason: why, and what to do instead."""

    reason: str


@dataclass(frozen=True)
class CloudSupport:
    """What an argument becomes on each cloud, in one line, or that it is refused there."""

    aws: str | Refused
    gcp: str | Refused


SupportTable = Mapping[str, CloudSupport]


def refused(reason: str) -> Refused:
    """An argument that a cloud has no place for; the reason ends with what to do instead."""
    return Refused(reason)


class CloudNeutral:
    """A model of arguments that are meant for every cloud: what its own has no place for is refused.

    A model says `cloud_support`, and has `cloud` as a field or a property.
    """

    cloud_support: ClassVar[SupportTable] = {}

    def misplaced(self, given: Mapping[str, Any]) -> Iterator[Problem]:
        """The given arguments that this cloud has no place for. `given`: as the program wrote them."""
        # A field in one model, a property in another: no annotation here would suit both.
        cloud: Cloud = getattr(self, "cloud")  # noqa: B009
        whole = self.cloud_support.get("")
        meaning = getattr(whole, cloud) if whole is not None else None
        if isinstance(meaning, Refused):
            yield Problem("", f"{CLOUDS[cloud]} has no place for this component: {meaning.reason}")
            return
        yield from _misplaced(cloud, self.cloud_support, given, "", "")


def _misplaced(cloud: Cloud, support: SupportTable, value: object, path: str, line: str) -> Iterator[Problem]:
    """line: the path without indices, by which the table knows it."""
    here = support.get(line) if line else None
    meaning = getattr(here, cloud) if here is not None else None
    if isinstance(meaning, Refused):
        # `false` and an empty list or object ask for nothing, so they fit everywhere.
        if value is not False and not _is_empty(value):
            yield Problem(path, f"{got(value)}, which {CLOUDS[cloud]} has no place for: {meaning.reason}")
        return
    if isinstance(value, Mapping):
        for key, entry in cast(Mapping[str, Any], value).items():
            yield from _misplaced(cloud, support, entry, _joined(path, key), _joined(line, key))
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(cast("list[Any]", value)):
            yield from _misplaced(cloud, support, entry, f"{path}[{index}]", line)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else str(key)


def _is_empty(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple)) and not value
