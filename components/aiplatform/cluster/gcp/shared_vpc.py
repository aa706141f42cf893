"""Permissions of a service project's agents in the host project of a Shared VPC."""

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_gcp import compute, projects

from aiplatform._shared.args import is_unknown
from aiplatform.cluster.gcp.context import GkeContext
from aiplatform.cluster.gcp.control_plane import first
from aiplatform.cluster.gcp.service_agents import ServiceAgents

HOST_AGENT_USER: Final = "roles/container.hostServiceAgentUser"
"""To use the host project's service agent of GKE, which configures the shared network."""
NETWORK_USER: Final = "roles/compute.networkUser"
"""To place instances and addresses in a subnet."""


def grant_in_host_project(context: GkeContext, agents: ServiceAgents) -> list[pulumi.Resource]:
    """Grant the agents of the cluster's project what a cluster in a shared network needs (GKE documentation,
    "Set up clusters with Shared VPC"); nothing where the network is in the same project, or where the
    arguments state that others grant it.

    Grants stay when the cluster is destroyed: each is the same for all clusters of the project.
    """
    network = context.settings.network
    if not network.is_shared_vpc or not context.settings.gke.shared_vpc_grants:
        return []
    options = ResourceOptions.merge(
        context.options(context.apis["cloudresourcemanager"], context.apis["compute"]),
        ResourceOptions(retain_on_delete=True),
    )
    host = network.network_project
    user = projects.IAMMember(
        f"{context.name}-host-agent-user",
        project=host,
        role=HOST_AGENT_USER,
        member=Output.concat("serviceAccount:", agents.gke),
        opts=options,
    )
    emails = {"gke": agents.gke, "google-apis": agents.cloud_services}
    return [
        user,
        *(
            compute.SubnetworkIAMMember(
                f"{context.name}-{purpose}-{agent}",
                project=host,
                region=context.location.region,
                subnetwork=first(ids).apply(lambda path: path.rpartition("/")[2]),
                role=NETWORK_USER,
                member=Output.concat("serviceAccount:", email),
                opts=options,
            )
            for purpose, ids in _subnets(context).items()
            for agent, email in emails.items()
        ),
    ]


def _subnets(context: GkeContext) -> Mapping[str, Input[list[Input[str]]]]:
    """Return the cluster's subnets: of the nodes, and of the control plane where it has another one."""
    network = context.settings.network
    nodes, control_plane = network.private_subnet_ids, network.intra_subnet_ids
    has_one = is_unknown(control_plane) or (bool(control_plane) and control_plane != nodes)
    return {"nodes": nodes, **({"control-plane": context.settings.control_plane_subnets} if has_one else {})}
