"""Quotas of the Compute API, as new projects have them, and what is used of each.

Source: "Allocation quotas" of the Compute Engine documentation and the quotas page of a new project. They are
defaults: a project with history has more. GPUs start with none (GPUS_ALL_REGIONS 0) in a new project; the
twin gives some of each, since asking for quota is not what it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twin.gcp import services
from twin.gcp.api_server.errors import quota
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State

GLOBAL: Final[Mapping[str, tuple[Any, ...]]] = services.tables("compute")["global_quotas"]

REGIONAL: Final[Mapping[str, tuple[Any, ...]]] = services.tables("compute")["regional_quotas"]


def check_quota(call: Call, metric: str, word: str, region: str = "") -> None:
    """Raise 403 quotaExceeded where one more is too much."""
    limit, _ = (REGIONAL if region else GLOBAL)[metric]
    if used(call.state, call.project, word, region) + 1 > limit:
        where = f"in region {region}" if region else "globally"
        raise quota(f"Quota '{metric}' exceeded.  Limit: {float(limit)} {where}.")


def used(state: State, project: str, word: str, region: str = "") -> int:
    """How many there are, in the project or in a region and its zones."""
    found = state.of(f"compute.{word}", f"compute/projects/{project}/")
    if not region:
        return len(found)
    return sum(name.split("/")[4].startswith(region) for name, _ in found if name.split("/")[3] != "global")


def shown(state: State, project: str, region: str = "") -> list[Body]:
    """The quotas as projects.get and regions.get answer them."""
    return [
        {"metric": metric, "limit": float(limit), "usage": float(used(state, project, word, region))}
        for metric, (limit, word) in (REGIONAL if region else GLOBAL).items()
    ]
