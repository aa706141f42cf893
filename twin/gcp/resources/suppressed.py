"""The provider's functions that suppress a difference, by their names in twin/gcp/facts.json."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from twin.gcp.resources.links import same_thing

_PART: Final = re.compile(r"([\d.]+)(d|h|ms|us|ns|m|s)")
_SECONDS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def _case(old: str, new: str) -> bool:
    return old.lower() == new.lower()


def _duration(old: str, new: str) -> bool:
    return seconds(old) == seconds(new)


def seconds(text: str) -> Any:
    """A duration (`30d`, `1h30m`, `86400s`) in seconds; what is none stays as it is."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return text
    return round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 9)


def _time(old: str, new: str) -> bool:
    try:
        return datetime.fromisoformat(old) == datetime.fromisoformat(new)
    except ValueError:
        return False


def _address(old: str, new: str) -> bool:
    try:
        return ipaddress.ip_address(old) == ipaddress.ip_address(new)
    except ValueError:
        return False


def _range_or_size(old: str, new: str) -> bool:
    # `/20` asks for a range of that size; the answer is the range.
    return new.startswith("/") and old.endswith(new)


def _project(old: str, new: str) -> bool:
    # `projects/NUMBER/...` and `projects/ID/...` of one project.
    return old.split("/")[2:] == new.split("/")[2:] if "/" in old and "/" in new else same_thing(old, new)


_ALIKE: Final[dict[str, Callable[[str, str], bool]]] = {
    "CompareSelfLinkOrResourceName": same_thing,
    "CompareSelfLinkRelativePaths": same_thing,
    "CompareResourceNames": same_thing,
    "CompareProjectName": same_thing,
    "CompareIpAddressOrSelfLinkOrResourceName": same_thing,
    "ProjectNumberDiffSuppress": _project,
    "CaseDiffSuppress": _case,
    "DurationDiffSuppress": _duration,
    "durationDiffSuppress": _duration,
    "TimestampDiffSuppress": _time,
    "Rfc3339TimeDiffSuppress": _time,
    "IpDiffSuppress": _address,
    "CidrOrSizeDiffSuppress": _range_or_size,
    "caseDiffDashSuppress": lambda old, new: _case(old.replace("-", "_"), new.replace("-", "_")),
    "CompareCryptoKeyVersions": lambda old, new: old.partition("/cryptoKeyVersions/")[0] == new,
    "LastSlashDiffSuppress": lambda old, new: old.rstrip("/") == new.rstrip("/"),
    "OptionalSurroundingSpacesSuppress": lambda old, new: old.strip() == new.strip(),
}
"""What is not here is either in a table entry's own `alike`, or a difference."""


def alike(function: str, old: Any, new: Any) -> bool:
    """Whether the provider's function calls two values the same. function: with what it is given."""
    name, _, argument = function.partition("(")
    if name == "EmptyOrDefaultStringSuppress":
        return {old or "", new or ""} <= {"", argument.rstrip(")")}
    check = _ALIKE.get(name)
    return bool(check and isinstance(old, str) and isinstance(new, str) and check(old, new))
