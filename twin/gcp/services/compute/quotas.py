"""Quotas of the Compute API, as new projects have them, and what is used of each.

Source: "Allocation quotas" of the Compute Engine documentation and the quotas page of a new project. They are
defaults: a project with history has more. GPUs start with none (GPUS_ALL_REGIONS 0) in a new project; the
twin gives some of each, since asking for quota is not what it is for.
"""

from __future__ import annotations

from typing import Final

from twin.gcp.api_server.errors import quota
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State

GLOBAL: Final = {
    "NETWORKS": (15, "networks"),
    "FIREWALLS": (200, "firewalls"),
    "ROUTES": (250, "routes"),
    "SUBNETWORKS": (275, "subnetworks"),
    "ROUTERS": (20, "routers"),
    "NETWORK_FIREWALL_POLICIES": (30, "firewallPolicies"),
    "GLOBAL_INTERNAL_ADDRESSES": (5000, "addresses"),
}
"""Metric to (limit, the word of what counts), of the whole project."""

REGIONAL: Final = {
    "STATIC_ADDRESSES": (69, "addresses"),
    "IN_USE_ADDRESSES": (69, "addresses"),
    "RESOURCE_POLICIES": (500, "resourcePolicies"),
    "RESERVATIONS": (100, "reservations"),
    "INSTANCE_GROUP_MANAGERS": (500, "instanceGroupManagers"),
    "INSTANCES": (6000, "instances"),
}
"""Metric to (limit, the word of what counts), of each region."""


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
