"""What the resources of Google Cloud refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp

PROJECT, REGION, ZONE = "acme-plain", "us-central1", "us-central1-a"
OPTIONS: Final = ("--region", REGION, "--account", PROJECT)
"""Of `twin start`."""
_APIS: Final = (
    *("iam", "cloudresourcemanager", "compute", "cloudkms", "dns", "logging", "monitoring", "storage"),
    *("bigquery", "sqladmin", "bigtableadmin", "secretmanager", "artifactregistry", "pubsub"),
    *("cloudscheduler", "run", "workflows", "workflowexecutions", "container", "firestore", "dataplex"),
)


@dataclass(frozen=True)
class Base:
    """Valid resources that exist."""

    network: str
    subnet: str
    ring: str
    account: str


def deploy() -> None:
    """Declare the base: the services, a network with a subnet, a key ring and a service account."""
    services = [
        gcp.projects.Service(api, service=f"{api}.googleapis.com", disable_on_destroy=False) for api in _APIS
    ]
    ready = pulumi.ResourceOptions(depends_on=services)
    network = gcp.compute.Network("base", name="base", auto_create_subnetworks=False, opts=ready)
    subnet = gcp.compute.Subnetwork(
        "base", name="base", region=REGION, network=network.id, ip_cidr_range="10.0.0.0/24"
    )
    ring = gcp.kms.KeyRing("base", location=REGION, opts=ready)
    account = gcp.serviceaccount.Account("base", account_id="base-nodes", opts=ready)
    exports = {"network": network.id, "subnet": subnet.id, "ring": ring.id, "account": account.email}
    for name, value in exports.items():
        pulumi.export(name, value)
