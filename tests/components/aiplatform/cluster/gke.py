"""Clusters on Google Cloud for the tests."""

from functools import cache
from typing import Any

from pulumi_gcp import container, serviceaccount

from aiplatform.cluster import Cluster
from tests.components.cloud_answers import PROJECT
from tests.components.recording import Recording, record

NETWORK: dict[str, Any] = {
    "cloud": "gcp",
    "project": PROJECT,
    "region": "europe-west4",
    "vpc_id": f"projects/{PROJECT}/global/networks/acme-dev-network",
    "cidr": "10.16.0.0/16",
    "private_subnet_ids": [f"projects/{PROJECT}/regions/europe-west4/subnetworks/acme-dev-nodes"],
    "intra_subnet_ids": [f"projects/{PROJECT}/regions/europe-west4/subnetworks/acme-dev-control-plane"],
    "services_cidr": "10.16.128.0/20",
    "zones": [
        {"id": f"europe-west4-{letter}", "name": f"europe-west4-{letter}", "private_subnet_id": "subnet"}
        for letter in "abc"
    ],
}
HOST = "acme-network-host"
SUBNETS = f"projects/{HOST}/regions/europe-west4/subnetworks"
SHARED: dict[str, Any] = {
    **NETWORK,
    "vpc_id": f"projects/{HOST}/global/networks/shared",
    "private_subnet_ids": [f"{SUBNETS}/ml-nodes"],
    "intra_subnet_ids": [],
    "pods_range": "ml-pods",
    "services_range": "ml-services",
}
"""A network of Shared VPC."""
KEY = "projects/acme-security/locations/europe-west4/keyRings/platform/cryptoKeys/data"
ARGS: dict[str, Any] = {"prefix": "acme-dev", "version": "1.35", "network": NETWORK}
GKE = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
ROLE = "gcp:projects/iAMMember:IAMMember"
ACCOUNT = f"acme-dev-nodes@{PROJECT}.iam.gserviceaccount.com"


def cluster(**arguments: Any) -> Recording:
    args: Any = {**ARGS, **arguments}
    return record(lambda: Cluster("cluster", args))


@cache
def default() -> Recording:
    """A cluster with only the required arguments, a pool's nodes, and a workload's identity."""

    def program() -> Cluster:
        args: Any = ARGS
        created = Cluster("cluster", args)
        node = container.NodePoolNodeConfigArgs(
            service_account=created.node_service_account, boot_disk_kms_key=created.disk_kms_key
        )
        container.NodePool("pool", cluster=created.name, node_config=node)
        serviceaccount.IAMMember(
            "workload",
            service_account_id=f"projects/{PROJECT}/serviceAccounts/reader@{PROJECT}.iam.gserviceaccount.com",
            role="roles/iam.workloadIdentityUser",
            member=created.workload_pool.apply(lambda pool: f"serviceAccount:{pool}[models/reader]"),
        )
        return created

    return record(program)


@cache
def full() -> Recording:
    """A cluster with all options."""
    return cluster(
        api_access={"mode": "dns"},
        system_nodes={"instance_types": ["n4-standard-4"], "min": 1, "max": 2, "disk_gib": 80},
        admins=["user:ada@acme.com", "group:platform@acme.com"],
        session_manager=True,
        gke={
            "control_plane": "zonal",
            "release_channel": "stable",
            "maintenance_window": {"start": "22:30", "hours": 6, "days": ["SA", "SU"]},
            "maintenance_exclusions": [
                {"name": "year-end", "start": "2026-12-18T00:00:00Z", "end": "2027-01-04T00:00:00Z"}
            ],
            "google_groups": "gke-security-groups@acme.com",
            "filestore": True,
            "gcs_fuse": False,
            "gateway_api": False,
            "image_streaming": False,
            "managed_prometheus": False,
            "workload_logs": False,
            "cost_allocation": False,
            "security_posture": False,
            "node_auto_provisioning": {
                "max_cpus": 512,
                "max_memory_gib": 4096,
                "accelerators": {"nvidia-l4": 8},
            },
            "autoscaling_profile": "optimize_utilization",
            "binary_authorization": ["europe-docker.pkg.dev/acme/**"],
            "multi_networking": True,
        },
        protect=True,
        deletion_protection=True,
        retain_data=True,
        tags={"team": "ml"},
    )
