"""The routes of a VPC on Google Cloud."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_gcp import compute

from aiplatform.network.gcp.context import VpcContext
from aiplatform.network.gcp.google_apis import DIRECT, VIRTUAL

_ANYWHERE: Final = "0.0.0.0/0"
_GATEWAY: Final = "default-internet-gateway"


def create_routes(
    context: VpcContext,
    network: compute.Network,
    google_apis_ready: Sequence[pulumi.Resource],
    nat: Sequence[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Create the routes to Google's APIs, and to the internet where there is NAT. Both use the internet
    gateway, and traffic to Google's APIs never leaves Google's network.

    google_apis_ready: the DNS records and firewall rules by which Google's APIs are reached. Nodes depend on
    the routes, and the routes on these and on NAT. The nodes do not depend on them directly: when a resource
    is deleted before it is replaced, those with a property of it are replaced as well, which would replace
    the cluster. The names of routes are generated, so they are not deleted before they are replaced, and
    resources that only depend on another are not replaced with it.
    """
    settings = context.settings
    apis = VIRTUAL[settings.gcp.google_apis].cidr
    ranges = {"google-apis": (apis, google_apis_ready), "google-apis-direct": (DIRECT, google_apis_ready)}
    if settings.nat != "none":
        ranges["internet"] = (_ANYWHERE, nat)
    return [
        compute.Route(
            f"{context.name}-{purpose}",
            project=context.project,
            description=f"{purpose} of {settings.prefix}",
            network=network.id,
            dest_range=range_,
            next_hop_gateway=_GATEWAY,
            priority=1000,
            opts=context.options(*needed),
        )
        for purpose, (range_, needed) in ranges.items()
    ]
