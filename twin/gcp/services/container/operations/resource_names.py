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
    places = dict(zip(parts[::2], parts[1::2], strict=False))
    return Place(
        places.get("projects", ""),
        places.get("locations") or places.get("zones", ""),
        places.get("clusters", ""),
        places.get("nodePools", ""),
        places.get("operations", ""),
    )


def of_call(call: Call) -> Place:
    """The place that a request names: by `name` or `parent`, or in the old way by `projectId`, `zone`..."""
    parameters = call.parameters
    # getServerConfig's `{+name}/serverConfig` leaves the location in `name`.
    full = parameters.get("name") or parameters.get("parent")
    if full:
        return of_name(full)
    return Place(
        parameters.get("projectId", call.project),
        parameters.get("zone", ""),
        parameters.get("clusterId", ""),
        parameters.get("nodePoolId", ""),
        parameters.get("operationId", ""),
    )


def location(place: Place) -> Place:
    """Refuse a location that is neither a zone nor a region."""
    if not capacity.is_zone(place.location) and not capacity.is_region(place.location):
        raise invalid(f'Location "{place.location}" does not exist.')
    return place


def cluster(state: State, place: Place) -> Body:
    """The cluster's own body, without its node pools. Raises 404."""
    cluster = state.get(place.cluster_name)
    if cluster is None:
        raise not_found(f"Not found: {place.parent}/clusters/{place.cluster}.")
    return cluster


def pool(state: State, place: Place) -> Body:
    """The node pool. Raises 404."""
    cluster(state, place)
    pool = state.get(place.pool_name)
    if pool is None:
        raise not_found(f"Not found: {place.parent}/clusters/{place.cluster}/nodePools/{place.pool}.")
    return pool


def pools(state: State, place: Place) -> list[tuple[Place, Body]]:
    """The cluster's node pools, by name."""
    return [(of_name(name), body) for name, body in state.of(POOLS, f"{place.cluster_name}/nodePools/")]


def only(state: State) -> tuple[Place, Body] | None:
    """The one cluster of this instance, or None."""
    clusters = state.of(CLUSTERS, "container/")
    return (of_name(clusters[0][0]), clusters[0][1]) if clusters else None
