"""The service agents of Google Cloud: service accounts by which its services act in the project."""

from dataclasses import dataclass

import pulumi
from pulumi import Output
from pulumi_gcp import organizations, projects

from aiplatform._shared.dependencies import after
from aiplatform.cluster.gcp.context import GkeContext


@dataclass(frozen=True)
class ServiceAgents:
    """The email addresses of the service agents."""

    gke: Output[str]
    compute: Output[str]
    cloud_services: Output[str]
    """The Google APIs service agent, by which managed instance groups create instances."""


def service_agents(context: GkeContext) -> ServiceAgents:
    """Return the service agents. Google creates them when an API is enabled; that of GKE is requested,
    because in some projects it is created only with the first cluster."""
    project, apis = context.location.project, context.apis
    identity = projects.ServiceIdentity(
        f"{context.name}-gke-agent",
        project=project,
        service="container.googleapis.com",
        opts=context.options(apis["container"]),
    )
    description = organizations.get_project_output(
        project_id=project,
        opts=pulumi.InvokeOutputOptions(
            parent=context.parent, depends_on=[apis["cloudresourcemanager"], apis["compute"]]
        ),
    )

    def agent(service: str) -> Output[str]:
        return description.number.apply(lambda number: f"service-{number}@{service}.iam.gserviceaccount.com")

    # By its name: an API may have several agents, and ServiceIdentity returns one of them.
    return ServiceAgents(
        gke=after(agent("container-engine-robot"), identity),
        compute=agent("compute-system"),
        cloud_services=description.number.apply(lambda number: f"{number}@cloudservices.gserviceaccount.com"),
    )
