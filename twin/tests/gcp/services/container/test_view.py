"""Google Cloud as the controller sees it, in the types of the control plane."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from twin.gcp.api_server.errors import GoogleError
from twin.gcp.cloud_client import GcpView
from twin.gcp.credentials import deployer
from twin.kubernetes.cloud_interface import InsufficientCapacity, Taint
from twin.tests.gcp import api_servers
from twin.tests.gcp.api_servers import PROJECT, REGION
from twin.tests.gcp.services.container.scene import Gke


class Near(GcpView):
    """The view, with the API server in this process: a refusal becomes what the API server answers."""

    def __init__(self, gke: Gke) -> None:
        super().__init__(gke.server.instance)
        self._gke = gke

    def _post(self, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            return 200, json.loads(json.dumps(self._gke.view(path.rpartition("/")[2], **json.loads(body))))
        except GoogleError as error:
            return error.code, {"code": error.reason, "message": error.message}


@pytest.fixture
def view(cluster: Gke) -> Near:
    instance = cluster.server.instance
    instance.ports.setdefault("cloud", 1)
    return Near(cluster)


def test_the_cluster_its_machines_groups_and_components_come_in_the_views_types(
    cluster: Gke, view: Near
) -> None:
    cluster_view = view.cluster()
    assert cluster_view is not None
    assert (cluster_view.name, cluster_view.status, cluster_view.service_cidr) == (
        "demo",
        "ACTIVE",
        "10.8.0.0/20",
    )
    assert cluster_view.issuer.startswith("https://container.googleapis.com/v1/projects/")
    limits = {"enabled": True, "maxNodeCount": 2}
    cluster.add_pool("gpu", config={"machineType": "g2-standard-8"}, autoscaling=limits)
    machines = {machine.labels["cloud.google.com/gke-nodepool"]: machine for machine in view.machines()}
    assert machines["gpu"].devices == {"nvidia.com/gpu": 1}
    assert machines["gpu"].taints == (Taint("nvidia.com/gpu", "NoSchedule", "present"),)
    groups = {group.node_group: group for group in view.groups()}
    assert (groups["gpu"].built_in, groups["gpu"].maximum, groups["gpu"].desired) == (True, 2, 1)
    assert groups["gpu"].location_policy == "BALANCED"
    assert groups["first"].built_in is False
    assert "anetd" in {addon.name for addon in view.addons()}
    assert view.autoscaling_profile() == "BALANCED"
    principal = view.authenticate(deployer(cluster.server.instance).access_token)
    assert principal is not None
    assert principal.policies == (("container.admin", ()),)


def _policy(cluster: Gke, rule: dict[str, Any], **more: Any) -> None:
    allow = {"evaluationMode": "ALWAYS_ALLOW", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}
    api_servers.client(cluster.server, "binaryauthorization").projects().updatePolicy(
        name=f"projects/{PROJECT}/policy",
        body={"defaultAdmissionRule": allow, "clusterAdmissionRules": {f"{REGION}.demo": rule}, **more},
    ).execute()


def test_a_cluster_refuses_what_the_policy_of_binary_authorization_refuses(cluster: Gke, view: Near) -> None:
    api_servers.enable(cluster.server, "binaryauthorization")
    deny = {"evaluationMode": "ALWAYS_DENY", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}
    patterns = ["quay.io/acme/app:1.0", "us-docker.pkg.dev/acme/*", "ghcr.io/acme/**"]
    _policy(
        cluster,
        deny,
        admissionWhitelistPatterns=[{"namePattern": name_pattern} for name_pattern in patterns],
        globalPolicyEvaluationMode="ENABLE",
    )
    assert "binary-authorization" not in {addon.name for addon in view.addons()}, "the cluster enforces none"
    cluster.update(desiredBinaryAuthorization={"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"})
    (policy_addon,) = [addon for addon in view.addons() if addon.name == "binary-authorization"]
    pattern = re.compile(policy_addon.configuration["pattern"])
    assert policy_addon.configuration["place"] == f"{REGION}.demo"
    admitted = [
        "quay.io/acme/app:1.0",
        "us-docker.pkg.dev/acme/x:1",
        "ghcr.io/acme/a/b:1",
        "gke.gcr.io/a/b:1",
    ]
    refused = [
        "quay.io/acme/app:1.01",
        "quay.io/acme/app",
        "us-docker.pkg.dev/acme/a/b:1",
        "ghcrxio/acme/a:1",
    ]
    assert [image for image in admitted if not pattern.match(image)] == []
    assert [image for image in refused if pattern.match(image)] == []

    _policy(cluster, {**deny, "enforcementMode": "DRYRUN_AUDIT_LOG_ONLY"})
    (policy_addon,) = [addon for addon in view.addons() if addon.name == "binary-authorization"]
    assert policy_addon.status == "DELETING", "what is only logged is not refused"


def test_refusals_come_as_the_views_exceptions(cluster: Gke, view: Near) -> None:
    group = view.groups()[0].name
    cluster.server.faults.add({"kind": "capacity"})
    with pytest.raises(InsufficientCapacity, match="GCE_STOCKOUT"):
        view.set_desired(group, 2, role="")
    with pytest.raises(InsufficientCapacity):
        view.grow_for("train", {group: 2})
    assert view.groups()[0].desired == 1


def test_machines_beyond_a_quota_are_refused_as_a_shortage(cluster: Gke, view: Near) -> None:
    group = view.groups()[0].name
    region = (
        api_servers.client(cluster.server, "compute").regions().get(project=PROJECT, region=REGION).execute()
    )
    (cpus,) = [quota for quota in region["quotas"] if quota["metric"] == "CPUS"]
    assert cpus["usage"] > 0, "the cluster's first machine counts"
    cluster.server.faults.add({"kind": "quota", "metric": "CPUS", "limit": cpus["usage"]})
    with pytest.raises(InsufficientCapacity, match=r"Quota 'CPUS' exceeded\.  Limit: 4\.0 in region"):
        view.set_desired(group, 2, role="")
    assert view.groups()[0].desired == 1
    with pytest.raises(ValueError, match="one of NETWORKS"):
        cluster.server.faults.add({"kind": "quota", "metric": "GPUS", "limit": 1})
