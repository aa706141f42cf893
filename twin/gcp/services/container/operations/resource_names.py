"""Where a request of the container API points, and how things are named in the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from twin.gcp.api_server.errors import invalid, not_found
from twin.gcp.api_server.request import Call
from twin.gcp.api_server.state import Body, State
from twin.gcp.methods import Handler, handles
from twin.gcp.services.compute import capacity

CLUSTERS: Final = "container.clusters"
POOLS: Final = "container.nodePools"
ROOT: Final = "https://container.googleapis.com/v1"


def answers(method: str) -> Callable[[Handler], Handler]:
    """The function answers a method (`clusters.get`) of a location, and of a zone as the older API has it."""
    return handles(f"container.projects.locations.{method}", f"container.projects.zones.{method}")


@dataclass(frozen=True)
class Place:
    """projects/P/locations/L[/clusters/C[/nodePools/N]]"""

    project: str
    location: str
    cluster: str = ""
    pool: str = ""
    operation: str = ""

    @property
    def parent(self) -> str:
        """The location's relative name."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def region(self) -> str:
        """The region that the location is, or is in."""
        return capacity.region_of(self.location) or self.location

    @property
    def cluster_name(self) -> str:
        """The cluster's name in the state."""
        return f"container/{self.parent}/clusters/{self.cluster}"

    @property
    def pool_name(self) -> str:
        """The node pool's name in the state."""
        return f"{self.cluster_name}/nodePools/{self.pool}"

    def of(self, pool: str) -> Place:
        """A node pool of the same cluster."""
        return replace(self, pool=pool)


def of_name(name: str) -> Place:
    """The place of a relative name, or of a name in the state."""
    parts = name.removeprefix("container/").strip("/").split("/")
    found = dict(zip(parts[::2], parts[1::2], strict=False))
    return Place(
        found.get("projects", ""),
        found.get("locations") or found.get("zones", ""),
        found.get("clusters", ""),
        found.get("nodePools", ""),
        found.get("operations", ""),
    )


def of_call(call: Call) -> Place:
    """The place that a request names: by `name` or `parent`, or in the old way by `projectId`, `zone`..."""
    given = call.parameters
    # getServerConfig's `{+name}/serverConfig` leaves the location in `name`.
    full = given.get("name") or given.get("parent")
    if full:
        return of_name(full)
    return Place(
        given.get("projectId", call.project),
        given.get("zone", ""),
        given.get("clusterId", ""),
        given.get("nodePoolId", ""),
        given.get("operationId", ""),
    )


def location(place: Place) -> Place:
    """Refuse a location that is neither a zone nor a region."""
    if not capacity.is_zone(place.location) and not capacity.is_region(place.location):
        raise invalid(f'Location "{place.location}" does not exist.')
    return place


def cluster(state: State, place: Place) -> Body:
    """The cluster's own body, without its node pools. Raises 404."""
    found = state.get(place.cluster_name)
    if found is None:
        raise not_found(f"Not found: {place.parent}/clusters/{place.cluster}.")
    return found


def pool(state: State, place: Place) -> Body:
    """The node pool. Raises 404."""
    cluster(state, place)
    found = state.get(place.pool_name)
    if found is None:
        raise not_found(f"Not found: {place.parent}/clusters/{place.cluster}/nodePools/{place.pool}.")
    return found


def pools(state: State, place: Place) -> list[tuple[Place, Body]]:
    """The cluster's node pools, by name."""
    return [(of_name(name), body) for name, body in state.of(POOLS, f"{place.cluster_name}/nodePools/")]


def only(state: State) -> tuple[Place, Body] | None:
    """The one cluster of this instance, or None."""
    found = state.of(CLUSTERS, "container/")
    return (of_name(found[0][0]), found[0][1]) if found else None
