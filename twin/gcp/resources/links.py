"""Names and links of Google's resources: one network is `vpc`, `projects/p/global/networks/vpc` and a URL."""

from __future__ import annotations

import re
from typing import Any, Final

_HOST: Final = re.compile(r"(?:https?:)?//[^/]+/(?:compute/)?(?:v\d\w*/|beta/)?")


def relative(link: str) -> str:
    """The link without host and version: `projects/p/global/networks/vpc`."""
    match = _HOST.match(link)
    return link[match.end() :] if match else link


def same_thing(one: Any, other: Any) -> bool:
    """Whether both name the same resource: by the last part where one of them is no more than a name, as the
    provider's CompareSelfLinkOrResourceName decides."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    if "/" not in one or "/" not in other:
        return one.rpartition("/")[2] == other.rpartition("/")[2]
    first, second = relative(one), relative(other)
    # `regions/r/subnetworks/s` lacks the project.
    return first == second or first.endswith(f"/{second}") or second.endswith(f"/{first}")


def project_of(link: str) -> str:
    """The project that a link names, "" where it names none."""
    match = re.search(r"projects/([^/]+)/", f"{link}/")
    return match[1] if match else ""


def last_of(link: Any) -> Any:
    """The name at the end of a link."""
    return link.rpartition("/")[2] if isinstance(link, str) else link
