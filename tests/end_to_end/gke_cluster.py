"""A cluster with a node on the twin's GKE, by Google's APIs."""

from __future__ import annotations

from tests.end_to_end.harness import Twin
from twin.tests.gcp.services.container.scene import PARENT, PROJECT, RANGES, REGION, cluster_body
from twin.tests.waiting import eventually


def create(twin: Twin, *accounts: str) -> None:
    """Create the cluster `demo` in the project, and service accounts."""
    google = lambda api: twin.google(api, "v1")  # noqa: E731
    for api in ("iam", "cloudresourcemanager", "compute", "container"):
        service = f"projects/{PROJECT}/services/{api}.googleapis.com"
        google("serviceusage").services().enable(name=service, body={}).execute()
    compute = google("compute")
    compute.networks().insert(project=PROJECT, body={"name": "net", "autoCreateSubnetworks": False}).execute()
    subnetwork = {
        "name": "nodes",
        "network": f"projects/{PROJECT}/global/networks/net",
        "ipCidrRange": "10.0.0.0/20",
        "privateIpGoogleAccess": True,
        "secondaryIpRanges": RANGES,
    }
    eventually(
        "the subnetwork is created",
        lambda: compute.subnetworks().insert(project=PROJECT, region=REGION, body=subnetwork).execute(),
    )
    service_accounts = google("iam").projects().serviceAccounts()
    for name in ("gke-nodes", *accounts):
        service_accounts.create(
            name=f"projects/{PROJECT}", body={"accountId": name, "serviceAccount": {}}
        ).execute()
    clusters = google("container").projects().locations().clusters()
    eventually(
        "the cluster is requested",
        lambda: clusters.create(parent=PARENT, body={"cluster": cluster_body()}).execute(),
    )
    eventually(
        "the cluster runs",
        lambda: clusters.get(name=f"{PARENT}/clusters/demo").execute()["status"] == "RUNNING",
        120,
    )
