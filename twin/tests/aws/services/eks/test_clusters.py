"""Clusters as EKS's API takes and refuses them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from twin.aws.resources.table import table
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.conftest import refusal
from twin.tests.aws.services.eks.scene import Names, view


def test_a_cluster_has_what_eks_makes_for_it(clients: Clients, names: Names) -> None:
    cluster = clients("eks").describe_cluster(name="demo")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"] == "https://127.0.0.1:6443"
    assert cluster["identity"]["oidc"]["issuer"].startswith("https://oidc.eks.us-west-2.amazonaws.com/id/")
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    security_group = clients("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    assert security_group["GroupName"].startswith("eks-cluster-sg-demo-")
    assert security_group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group, (
        "its members reach each other"
    )
    entries = clients("eks").list_access_entries(clusterName="demo")["accessEntries"]
    assert entries == ["arn:aws:iam::123456789012:role/platform-deployer"], "who made it is its administrator"


CLUSTER = {"version": "1.34"}
BAD_CLUSTERS: list[tuple[Names, str]] = [
    ({"version": "1.19"}, "unsupported Kubernetes version"),
    ({"roleArn": "arn:aws:iam::123456789012:role/none"}, "could not be assumed because it does not exist"),
    ({"subnets": 1}, "at least two different AZs"),
    ({"subnets": ["subnet-0123456789abcdef0"]}, "does not exist"),
    ({"network": {"publicAccessCidrs": ["10.0.0.0/8"]}}, "not allowed in publicAccessCidrs"),
    ({"network": {"publicAccessCidrs": ["203.0.113.0/24"]}}, "not allowed in publicAccessCidrs"),
    ({"network": {"publicAccessCidrs": ["1.2.3.4/33"]}}, "invalid in publicAccessCidrs"),
    ({"network": {"endpointPublicAccess": False}}, "Private and public endpoint access cannot be false"),
    ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.0.0.0/20"}}, "overlaps"),
    ({"kubernetesNetworkConfig": {"serviceIpv4Cidr": "8.8.0.0/20"}}, "must be within"),
    ({"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": "no-key"}}]}, "KMS key"),
    ({"logging": {"clusterLogging": [{"types": ["everything"], "enabled": True}]}}, "enum value set"),
    ({"name": "-bad"}, "regular expression pattern"),
    ({"tags": {"aws:x": "1"}}, "aws:"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BAD_CLUSTERS)
def test_a_cluster_that_eks_would_refuse_is_refused(
    clients: Clients, names: Names, monkeypatch: pytest.MonkeyPatch, change: Names, words: str
) -> None:
    # As if there were none yet: the twin's own rule of one cluster must not answer first.
    every = clients.server.eks.store.every
    monkeypatch.setattr(
        clients.server.eks.store, "every", lambda kind, *a: [] if kind == "cluster" else every(kind, *a)
    )
    params: Names = {"name": "other", "version": "1.34", "roleArn": names["cluster_role"], **change}
    subnets = params.pop("subnets", names["subnets"])
    chosen = names["subnets"][:subnets] if isinstance(subnets, int) else subnets
    params["resourcesVpcConfig"] = {"subnetIds": chosen, **params.pop("network", {})}
    code, message = refusal(clients, "create_cluster", **params)
    assert (code, words in message) == ("InvalidParameterException", True), message


def test_another_key_of_secrets_is_ignored_as_by_the_real_provider() -> None:
    kind = table()["aws:eks/cluster:Cluster"]
    calls: list[str] = []

    def call(_service: str, operation: str, _params: dict[str, Any]) -> dict[str, Any]:
        calls.append(operation)
        return {}

    context: Any = SimpleNamespace(timeout=None, call=call)
    first, second = (
        {
            "encryptionConfig": {
                "provider": {"keyArn": f"arn:aws:kms:us-west-2:123456789012:key/{digit}"},
                "resources": ["secrets"],
            }
        }
        for digit in "12"
    )
    kind.change(context, "demo", first, second)
    assert calls == [], "EKS refuses it, and the provider does not ask"
    kind.change(context, "demo", {}, second)
    assert calls == ["AssociateEncryptionConfig"], "a cluster without a key gets one"
    assert kind.replaces("encryptionConfig", first, {}), "it is never taken away"


def test_a_second_cluster_is_refused_with_what_to_do(clients: Clients, names: Names) -> None:
    network = {"subnetIds": names["subnets"]}
    code, message = refusal(
        clients, "create_cluster", name="two", roleArn=names["cluster_role"], resourcesVpcConfig=network
    )
    assert code == "InvalidRequestException"
    assert "use another twin" in message
    code, message = refusal(
        clients, "create_cluster", name="demo", roleArn=names["cluster_role"], resourcesVpcConfig=network
    )
    assert (code, message) == ("ResourceInUseException", "Cluster already exists with name: demo")


def test_the_control_plane_learns_of_its_cluster(clients: Clients, names: Names) -> None:
    cluster = clients("eks").describe_cluster(name="demo")["cluster"]
    seen = view(clients, "cluster")["cluster"]
    assert seen["uid"].startswith(f"{cluster['arn']} "), "an earlier cluster of its name has another"
    assert seen["issuer"] == cluster["identity"]["oidc"]["issuer"]
    assert seen["service_cidr"] == cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"]
    assert seen["self_managed_addons"] is True, "EKS's default"


def test_a_zone_without_control_planes_is_refused(
    clients: Clients, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    # us-east-1e and its like: the twin's region has none.
    monkeypatch.setattr("twin.aws.services.eks.operations.references.zone_id", lambda *_: "use1-az3")
    monkeypatch.setattr(clients.server.eks.store, "every", lambda *_: [])
    code, message = refusal(
        clients,
        "create_cluster",
        name="east",
        roleArn=names["cluster_role"],
        resourcesVpcConfig={"subnetIds": names["subnets"]},
    )
    assert code == "UnsupportedAvailabilityZoneException"
    assert "targeted availability zone" in message
