"""Pods that run as processes on GKE: Google's library finds the identity of their service account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from tests.end_to_end import gke_cluster
from tests.end_to_end.harness import Twin
from twin.tests.gcp.services.container.scene import PROJECT, REGION
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

NAME = "gke-processes"
ACCOUNT = f"trainer@{PROJECT}.iam.gserviceaccount.com"
TABLE = f"""
["pods/tool"]
folder = "{Path(__file__).parent}/pod_images/google"
entrypoint = ["python", "identity.py"]
"""


def _cluster(twin: Twin) -> None:
    """Create a cluster with a node, and an account that Pods of default/trainer may impersonate."""
    gke_cluster.create(twin, "trainer")
    accounts = twin.google("iam", "v1").projects().serviceAccounts()
    # The pool of identities comes with the cluster.
    member = f"serviceAccount:{PROJECT}.svc.id.goog[default/trainer]"
    binding = {"role": "roles/iam.workloadIdentityUser", "members": [member]}
    accounts.setIamPolicy(
        resource=f"projects/{PROJECT}/serviceAccounts/{ACCOUNT}", body={"policy": {"bindings": [binding]}}
    ).execute()


@pytest.fixture(scope="module")
def core(home: Path) -> Iterator[Any]:
    """The core API of a cluster on GKE whose nodes are ready."""
    folder = home / "twins" / NAME
    folder.mkdir(parents=True)
    (folder / "images.toml").write_text(TABLE)
    twin = Twin(NAME, home)
    try:
        place = ("--cloud", "gcp", "--account", PROJECT, "--region", REGION)
        twin.cli("twin", "start", "--name", NAME, *place)
        _cluster(twin)
        yield kubernetes.client.CoreV1Api(
            kubernetes.config.new_client_from_config(str(twin.instance.kubeconfig))
        )
    finally:
        twin.remove()


def _identity(core: Any, account: str, annotations: dict[str, str]) -> str:
    """Run a Pod of a service account; return what it prints."""
    core.create_namespaced_service_account(
        "default", {"metadata": {"name": account, "annotations": annotations}}
    )
    container = {"name": "main", "image": "registry.example/pods/tool:1"}
    spec = {"serviceAccountName": account, "restartPolicy": "Never", "containers": [container]}
    core.create_namespaced_pod("default", {"metadata": {"name": account}, "spec": spec})
    finished = ("Succeeded", "Failed")
    eventually(
        "the Pod has ended",
        lambda: core.read_namespaced_pod(account, "default").status.phase in finished,
        60,
    )
    return core.read_namespaced_pod_log(account, "default")


def test_googles_library_gets_the_identity_of_a_pods_service_account(core: Any) -> None:
    annotation = {"iam.gke.io/gcp-service-account": ACCOUNT}
    assert _identity(core, "trainer", annotation).split() == [PROJECT, ACCOUNT]
    assert _identity(core, "plain", {}).split() == [PROJECT, f"{PROJECT}.svc.id.goog"]
    refused = _identity(core, "stranger", annotation)
    assert "RefreshError" in refused, "no policy allows it to impersonate the account"
