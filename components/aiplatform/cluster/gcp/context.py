"""What the modules of a cluster on GKE share: its location, and the enabled APIs."""

from dataclasses import dataclass

from aiplatform._shared.context import Context
from aiplatform._shared.gcp.apis import Apis
from aiplatform.cluster.args import GKE, ClusterSettings


@dataclass(frozen=True)
class Location:
    """Project, region and zones of a cluster; all of them are plain."""

    project: str
    region: str
    control_plane: str
    """The region, or a zone where the control plane runs in one zone."""
    zones: tuple[str, ...]
    """The zones of nodes."""

    @property
    def workload_pool(self) -> str:
        """The pool of the project's workload identities."""
        return f"{self.project}.svc.id.goog"


def location_of(settings: ClusterSettings) -> Location:
    """Return the location of a cluster whose arguments are checked."""
    network = settings.network
    zones = tuple(zone.id for zone in network.listed_zones)
    region = network.region or ""
    return Location(
        project=network.project or "",
        region=region,
        control_plane=zones[0] if settings.gke.control_plane == "zonal" else region,
        zones=zones,
    )


@dataclass(frozen=True)
class GkeContext(Context[ClusterSettings]):
    """The component, its settings, its location, and the APIs that are enabled there."""

    location: Location
    apis: Apis

    @property
    def cluster_name(self) -> str:
        """The physical name of the cluster."""
        return GKE.of(self.settings.prefix)
