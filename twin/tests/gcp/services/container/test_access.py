"""Tokens in the cluster, workload identities, and GKE's own components."""

from __future__ import annotations

from twin.gcp.credentials import deployer
from twin.kubernetes import manifests
from twin.tests.gcp.api_servers import PROJECT, client
from twin.tests.gcp.services.container.scene import NODES, Gke


def _grant(gke: Gke, role: str, member: str) -> None:
    crm = client(gke.server, "cloudresourcemanager").projects()
    policy = crm.getIamPolicy(resource=PROJECT, body={}).execute()
    policy["bindings"].append({"role": role, "members": [member]})
    crm.setIamPolicy(resource=PROJECT, body={"policy": policy}).execute()


def _policies(gke: Gke, member: str) -> list[str]:
    principal = gke.view("authenticate", token=gke.server.identity.token(member))["principal"]
    return [name for name, _ in principal["policies"]]


def test_the_owner_is_the_clusters_administrator_by_email(running: Gke) -> None:
    principal = running.view("authenticate", token=deployer(running.server.instance).access_token)[
        "principal"
    ]
    assert principal["username"] == f"platform-deployer@{PROJECT}.iam.gserviceaccount.com"
    assert principal["policies"] == [("container.admin", [])]
    assert running.view("authenticate", token="nonsense")["principal"] is None


def test_a_roles_rights_in_the_cluster_follow_its_permissions(running: Gke) -> None:
    assert _policies(running, "user:guest@acme.com") == [], "known, and without rights"
    for name, role, policy in (
        ("admin", "roles/container.admin", ["container.admin"]),
        ("dev", "roles/container.developer", ["container.developer"]),
        ("see", "roles/container.viewer", ["container.viewer"]),
        ("only", "roles/container.clusterViewer", []),
    ):
        _grant(running, role, f"user:{name}@acme.com")
        assert _policies(running, f"user:{name}@acme.com") == policy


def test_a_workload_is_the_account_that_lets_it(running: Gke) -> None:
    assert running.view("workload_role", namespace="jobs", service_account="train")["role"] is None
    member = f"serviceAccount:{PROJECT}.svc.id.goog[jobs/train]"
    policy = {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [member]}]}
    client(running.server, "iam").projects().serviceAccounts().setIamPolicy(
        resource=f"projects/{PROJECT}/serviceAccounts/{NODES}", body={"policy": policy}
    ).execute()
    assert running.view("workload_role", namespace="jobs", service_account="train")["role"] == NODES


def test_pods_get_tokens_of_the_account_that_they_may_impersonate(running: Gke) -> None:
    def member(account: str) -> str | None:
        names = {"namespace": "jobs", "service_account": "infer", "account": account}
        token = running.view("workload_token", **names)["token"]
        return token and running.server.identity.authenticate(token)

    assert member(NODES) is None, "no policy allows it"
    number = running.server.project_number
    pool = f"projects/{number}/locations/global/workloadIdentityPools/{PROJECT}.svc.id.goog"
    assert member("") == f"principal://iam.googleapis.com/{pool}/subject/ns/jobs/sa/infer"
    allowed = f"serviceAccount:{PROJECT}.svc.id.goog[jobs/infer]"
    policy = {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": [allowed]}]}
    client(running.server, "iam").projects().serviceAccounts().setIamPolicy(
        resource=f"projects/{PROJECT}/serviceAccounts/{NODES}", body={"policy": policy}
    ).execute()
    assert member(NODES) == f"serviceAccount:{NODES}"


def test_each_component_of_a_cluster_is_a_file(gke: Gke) -> None:
    gke.running(
        networkConfig={"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}, "enableMultiNetworking": True},
        addonsConfig={
            "gcsFuseCsiDriverConfig": {"enabled": True},
            "gcpFilestoreCsiDriverConfig": {"enabled": True},
        },
    )
    gke.add_pool("gpu", initialNodeCount=0, config={"machineType": "g2-standard-8"})
    gke.add_pool("tpu", initialNodeCount=0, config={"machineType": "ct5lp-hightpu-1t"})
    names = [addon["name"] for addon in gke.view("addons")["addons"]]
    for name in names:
        assert manifests.exists("gcp", name), name
        assert manifests.load("gcp", name, {"VERSION": "1", "DNS": "10.8.0.10"}), name
    assert {"anetd", "kube-dns", "gateway-api", "multi-networking", "tpu-device-plugin"} <= set(names)
    assert "kube-proxy" not in names, "Dataplane V2 has none"
    gke.update(desiredGatewayApiConfig={"channel": "CHANNEL_DISABLED"})
    addons = {addon["name"]: addon["status"] for addon in gke.view("addons")["addons"]}
    assert addons["gateway-api"] == "DELETING"
    gke.view("addon_status", name="gateway-api", status="GONE", issues=[])
    assert "gateway-api" not in {addon["name"] for addon in gke.view("addons")["addons"]}
