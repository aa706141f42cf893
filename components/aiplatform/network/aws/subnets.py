"""The subnets of each zone of a VPC."""

from dataclasses import dataclass
from ipaddress import IPv4Network

from pulumi_aws import ec2

from aiplatform.network.aws.context import VpcContext
from aiplatform.network.aws.planning import ZonePlan


@dataclass(frozen=True)
class Zone:
    """A zone and its subnets."""

    name: str
    id: str
    private: ec2.Subnet
    public: ec2.Subnet
    intra: ec2.Subnet


def create_zone(context: VpcContext, network: ec2.Vpc, zone_id: str, name: str, subnets: ZonePlan) -> Zone:
    """Create the subnets of a zone."""

    def subnet(tier: str, cidr: IPv4Network, **tags: str) -> ec2.Subnet:
        ours = {"ai-platform/network": context.settings.prefix, "ai-platform/tier": tier}
        return ec2.Subnet(
            f"{context.name}-{tier}-{zone_id}",
            vpc_id=network.id,
            availability_zone_id=zone_id,
            cidr_block=str(cidr),
            # Load balancers and NAT gateways have their own addresses; nothing else is public.
            map_public_ip_on_launch=False,
            tags=context.tags(f"{tier}-{zone_id}", **ours, **tags),
            opts=context.options(),
        )

    # By these roles the AWS Load Balancer Controller and EKS select subnets of load balancers.
    return Zone(
        name=name,
        id=zone_id,
        private=subnet("private", subnets.private, **{"kubernetes.io/role/internal-elb": "1"}),
        public=subnet("public", subnets.public, **{"kubernetes.io/role/elb": "1"}),
        intra=subnet("intra", subnets.intra),
    )
