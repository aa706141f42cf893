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

Keys are dotted paths without indices (`capacity.reservation_id`) and names (`functions.arn`). The entry of an
object applies to all of its keys without a separate entry, and that of `""` to the whole component.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, cast

from aiplatform._shared.args import Problem, got

Cloud = Literal["aws", "gcp"]

CLOUDS: Final[Mapping[Cloud, str]] = {"aws": "AWS", "gcp": "Google Cloud"}
"""The clouds, with their names in texts."""


@dataclass(frozen=True)
class Refused:
    """An argument that a cloud does not support. reason: why, and what to do instead. default: its default,
    which has no effect there, of an argument that is true or false."""

    reason: str
    default: bool = False


@dataclass(frozen=True)
class CloudSupport:
    """What an argument becomes on each cloud, in one line, or why it is refused there."""

    aws: str | Refused
    gcp: str | Refused


SupportTable = Mapping[str, CloudSupport]


def refused(reason: str, *, default: bool = False) -> Refused:
    """Return the entry for an argument that a cloud does not support. reason: why, and what to do instead.
    default: of an argument that is true or false."""
    return Refused(reason, default)


class CloudNeutral:
    """A model of arguments for every cloud, which refuses those that its own cloud does not support.

    A model sets `cloud_support`, and has `cloud` as a field or a property.
    """

    cloud_support: ClassVar[SupportTable] = {}

    def unsupported(self, arguments: Mapping[str, Any]) -> Iterator[Problem]:
        """Return the problems of arguments that this cloud does not support. arguments: as in the program."""
        # A field in some models, a property in others: no annotation here fits both.
        cloud: Cloud = getattr(self, "cloud")  # noqa: B009
        whole = self.cloud_support.get("")
        meaning = getattr(whole, cloud) if whole is not None else None
        if isinstance(meaning, Refused):
            yield Problem("", f"{CLOUDS[cloud]} does not support this component: {meaning.reason}")
            return
        yield from _unsupported(cloud, self.cloud_support, arguments, "", "")


def _unsupported(
    cloud: Cloud, support: SupportTable, value: object, path: str, line: str
) -> Iterator[Problem]:
    """line: the path without indices, which is the key of the table."""
    entry = support.get(line) if line else None
    meaning = getattr(entry, cloud) if entry is not None else None
    if isinstance(meaning, Refused):
        # The default and an empty list or object have no effect, so they are accepted everywhere.
        if value is not meaning.default and not _is_empty(value):
            yield Problem(path, f"{got(value)}, which {CLOUDS[cloud]} does not support: {meaning.reason}")
        return
    if isinstance(value, Mapping):
        start = f"{line}."
        below = {entry.removeprefix(start).partition(".")[0] for entry in support if entry.startswith(start)}
        entries = cast("Mapping[str, object]", value)
        for key, item in entries.items():
            # Of an object whose keys are names the table has the keys of its entries.
            is_name = bool(line and below) and key not in below and isinstance(entries[key], Mapping)
            yield from _unsupported(
                cloud, support, item, _joined(path, key), line if is_name else _joined(line, key)
            )
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _unsupported(cloud, support, item, f"{path}[{index}]", line)


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else str(key)


def _is_empty(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple)) and not value
