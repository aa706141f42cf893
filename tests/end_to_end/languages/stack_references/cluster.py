"""A cluster in the network of another stack."""

import pulumi
import pulumi_gcp as gcp

from aiplatform.cluster import Cluster
from aiplatform.references import NetworkReferenceArgs, from_output

google = gcp.Provider("google")
exported = pulumi.StackReference("organization/foundation/team").get_output("network")
network = from_output(
    NetworkReferenceArgs,
    exported,
    cloud="gcp",
    project="twin-project",
    region="us-central1",
    zones=["us-central1-a", "us-central1-b"],
    pods_cidr="10.16.0.0/17",
    services_cidr="10.16.128.0/20",
)
Cluster(
    "cluster",
    {"prefix": "team-dev", "version": "1.35", "network": network},
    pulumi.ResourceOptions(providers=[google]),
)
