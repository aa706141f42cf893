"""The subnets of a VPC on Google Cloud, which are regional."""

from dataclasses import dataclass
from ipaddress import IPv4Network

from pulumi_gcp import compute

from aiplatform.network.gcp.context import VpcContext


@dataclass(frozen=True)
class Subnets:
    """The subnets that the outputs name."""

    nodes: compute.Subnetwork
    control_plane: compute.Subnetwork


def create_subnets(context: VpcContext, network: compute.Network) -> Subnets:
    """Create the subnets of nodes and Pods, of the control plane, and of the region's load balancers."""
    plan = context.plan
    nodes = _subnet(
        context,
        network,
        "nodes",
        plan.nodes,
        private_ip_google_access=True,
        secondary_ip_ranges=[
            compute.SubnetworkSecondaryIpRangeArgs(range_name="pods", ip_cidr_range=str(plan.pods)),
            compute.SubnetworkSecondaryIpRangeArgs(range_name="services", ip_cidr_range=str(plan.services)),
        ],
        log_config=_log_config(context),
    )
    control_plane = _subnet(
        context,
        network,
        "control-plane",
        plan.control_plane,
        private_ip_google_access=True,
        log_config=_log_config(context),
    )
    # For the proxies of the region's load balancers (Gateway API); it cannot have flow logs.
    _subnet(context, network, "proxies", plan.proxies, purpose="REGIONAL_MANAGED_PROXY", role="ACTIVE")
    return Subnets(nodes, control_plane)


def _subnet(
    context: VpcContext, network: compute.Network, purpose_name: str, cidr: IPv4Network, **more: object
) -> compute.Subnetwork:
    return compute.Subnetwork(
        f"{context.name}-{purpose_name}",
        compute.SubnetworkArgs(
            project=context.project,
            region=context.region,
            network=network.id,
            name=context.physical_name(purpose_name),
            ip_cidr_range=str(cidr),
            **more,  # type: ignore[arg-type]
        ),
        opts=context.options(delete_before_replace=True),
    )


def _log_config(context: VpcContext) -> compute.SubnetworkLogConfigArgs | None:
    if not context.settings.flow_log_retention_days:
        return None
    # All flows, in the same intervals as on AWS: shorter ones are expensive for the traffic of a training.
    return compute.SubnetworkLogConfigArgs(
        aggregation_interval="INTERVAL_10_MIN", flow_sampling=1.0, metadata="INCLUDE_ALL_METADATA"
    )
