"""A network on Google Cloud, which other stacks use."""

import pulumi
import pulumi_gcp as gcp

from aiplatform.network import Network

google = gcp.Provider("google")
network = Network(
    "network",
    {
        "cloud": "gcp",
        "prefix": "team-dev",
        "cidr": "10.16.0.0/16",
        "zone_count": 2,
        "gcp": {"project": "twin-project", "region": "us-central1"},
    },
    pulumi.ResourceOptions(providers=[google]),
)
pulumi.export("network", network.outputs)
