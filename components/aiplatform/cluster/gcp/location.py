"""The location of a cluster on Google Cloud, and the service agents of Google there."""

from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_gcp import organizations, projects

from aiplatform._shared.dependencies import after
from aiplatform._shared.gcp.apis import Apis
from aiplatform.cluster.args import GKE, ClusterSettings


@dataclass(frozen=True)
class Place:
    """The cluster's own places and names, all of them plain."""

    project: str
    region: str
    location: str
    """Of the control plane: the region or a zone."""
    zones: tuple[str, ...]
    """Where nodes may stand."""
    cluster: str
    """The cluster's name."""

    @property
    def zonal(self) -> bool:
        """Whether the control plane runs in one zone."""
        return self.location != self.region

    @property
    def workload_pool(self) -> str:
        """The pool of the project's workload identities."""
        return f"{self.project}.svc.id.goog"


def place(settings: ClusterSettings) -> Place:
    """The place of a cluster whose arguments are checked."""
    network = settings.network
    zones = tuple(zone.id for zone in network.listed_zones)
    region = network.region or ""
    return Place(
        project=network.project or "",
        region=region,
        location=zones[0] if settings.gke.control_plane == "zonal" else region,
        zones=zones,
        cluster=GKE.of(settings.prefix),
    )


@dataclass(frozen=True)
class Agents:
    """Service accounts by which Google's own services act in the project, by their emails."""

    gke: Output[str]
    compute: Output[str]


def agents(parent: pulumi.Resource, name: str, project: str, apis: Apis) -> Agents:
    """Google makes them when an API is switched on; that of GKE is asked for, as in some projects it comes
    with the first cluster only."""
    identity = projects.ServiceIdentity(
        f"{name}-gke-agent",
        project=project,
        service="container.googleapis.com",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[apis["container"]]),
    )
    answer = organizations.get_project_output(
        project_id=project,
        opts=pulumi.InvokeOutputOptions(
            parent=parent, depends_on=[apis["cloudresourcemanager"], apis["compute"]]
        ),
    )

    def agent(service: str) -> Output[str]:
        return answer.number.apply(lambda number: f"service-{number}@{service}.iam.gserviceaccount.com")

    # By its name: an API may have several agents, and the answer is one of them.
    return Agents(gke=after(agent("container-engine-robot"), identity), compute=agent("compute-system"))
