"""A cluster of a service project in the network of a host project (Shared VPC)."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from aiplatform._shared.args import ArgumentError, read
from aiplatform.cluster import Cluster
from aiplatform.network.args import NetworkReference
from tests.components.aiplatform.cluster import gke
from tests.components.aiplatform.cluster.gke import GKE, HOST, POOL, ROLE, SHARED, SUBNETS
from tests.components.cloud_answers import PROJECT, PROJECT_NUMBER
from tests.components.recording import Recording, record

SUBNET_GRANT = "gcp:compute/subnetworkIAMMember:SubnetworkIAMMember"
FIREWALL = "gcp:compute/firewall:Firewall"
GKE_AGENT = f"serviceAccount:service-{PROJECT_NUMBER}@container-engine-robot.iam.gserviceaccount.com"
GOOGLE_APIS = f"serviceAccount:{PROJECT_NUMBER}@cloudservices.gserviceaccount.com"


def shared(network: dict[str, Any] | None = None, **arguments: Any) -> Recording:
    return gke.cluster(network={**SHARED, **(network or {})}, **arguments)


def host_roles(recording: Recording) -> list[tuple[str, str]]:
    granted = [role.inputs for role in recording.all(ROLE) if role.inputs["project"] == HOST]
    return [(role["role"], role["member"]) for role in granted]


def subnet_grants(recording: Recording) -> set[tuple[str, str]]:
    grants = recording.all(SUBNET_GRANT)
    assert {grant.inputs["role"] for grant in grants} <= {"roles/compute.networkUser"}
    assert {(grant.inputs["project"], grant.inputs["region"]) for grant in grants} <= {(HOST, "europe-west4")}
    return {(grant.inputs["subnetwork"], grant.inputs["member"]) for grant in grants}


def test_the_cluster_is_in_its_project_and_its_network_in_the_host_project():
    recording = shared()
    cluster = recording.one(GKE).inputs
    assert cluster["project"] == PROJECT
    assert cluster["network"] == SHARED["vpc_id"], "a name alone would be a network of the service project"
    assert cluster["subnetwork"] == SHARED["private_subnet_ids"][0]
    assert cluster["ipAllocationPolicy"]["clusterSecondaryRangeName"] == "ml-pods"
    assert cluster["ipAllocationPolicy"]["servicesSecondaryRangeName"] == "ml-services"
    assert cluster["privateClusterConfig"]["privateEndpointSubnetwork"] == SHARED["private_subnet_ids"][0]
    assert {pool.inputs["project"] for pool in recording.all(POOL)} == {PROJECT}


def test_both_agents_of_the_service_project_may_use_the_subnet():
    recording = shared()
    assert host_roles(recording) == [("roles/container.hostServiceAgentUser", GKE_AGENT)]
    assert subnet_grants(recording) == {("ml-nodes", GKE_AGENT), ("ml-nodes", GOOGLE_APIS)}


def test_the_subnet_of_the_control_plane_is_granted_too():
    recording = shared({"intra_subnet_ids": [f"{SUBNETS}/ml-control-plane"]})
    assert {subnet for subnet, _ in subnet_grants(recording)} == {"ml-nodes", "ml-control-plane"}


def test_the_cluster_waits_for_grants_which_stay_for_others():
    recording = shared()
    cluster = recording.one(GKE)
    grants = [*recording.all(SUBNET_GRANT), recording.named("cluster-host-agent-user")]
    for grant in grants:
        assert recording.depends(cluster, grant), "GKE refuses a cluster whose agent lacks them"
        assert grant.retain_on_delete, "other clusters of the project have the same grants"


def test_firewall_rules_are_created_in_the_host_project():
    recording = shared(session_manager=True)
    rules = recording.all(FIREWALL)
    assert [rule.name for rule in rules] == ["cluster-ssh-by-iap", "cluster-webhooks"]
    assert {rule.inputs["project"] for rule in rules} == {HOST}, "where the network is"
    (call,) = [c for c in recording.calls if c.token == "gcp:compute/getSubnetwork:getSubnetwork"]
    assert call.arguments["project"] == HOST


def test_administrators_of_the_host_project_can_grant_and_open_instead():
    gates = {"shared_vpc_grants": False, "shared_vpc_firewall": False}
    recording = shared(session_manager=True, gke=gates)
    assert host_roles(recording) == []
    assert recording.all(SUBNET_GRANT) == []
    assert recording.all(FIREWALL) == []
    assert HOST not in {r.inputs.get("project") for r in recording.resources}, (
        "nothing of the host is changed"
    )


def test_a_host_project_is_stated_where_the_network_is_an_output():
    def program() -> Cluster:
        ids = {key: pulumi.Output.from_input(SHARED[key]) for key in ("vpc_id", "private_subnet_ids")}
        args: Any = {**gke.ARGS, "network": {**SHARED, **ids, "host_project": HOST}}
        return Cluster("cluster", args)

    recording = record(program)
    assert host_roles(recording) == [("roles/container.hostServiceAgentUser", GKE_AGENT)]
    assert {rule.inputs["project"] for rule in recording.all(FIREWALL)} == {HOST}


def test_a_network_of_the_clusters_project_needs_no_grant():
    recording = gke.default()
    assert recording.all(SUBNET_GRANT) == []
    assert {rule.inputs["project"] for rule in recording.all(FIREWALL)} == {PROJECT}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "subnet of the service project": (
        {"private_subnet_ids": [f"projects/{PROJECT}/regions/europe-west4/subnetworks/nodes"]},
        rf"private_subnet_ids\[0\]: got .*; expected a subnet of the network's project, "
        rf"projects/{HOST}/regions/europe-west4/subnetworks/NAME",
    ),
    "subnet without a project": (
        {"private_subnet_ids": ["ml-nodes"]},
        r"private_subnet_ids\[0\]: got 'ml-nodes'; expected a subnet of the network's project",
    ),
    "subnet of another region": (
        {"private_subnet_ids": [f"projects/{HOST}/regions/europe-west1/subnetworks/ml-nodes"]},
        r"private_subnet_ids\[0\]: got .*europe-west1.*; expected .*regions/europe-west4",
    ),
    "subnet of the control plane elsewhere": (
        {"intra_subnet_ids": ["control-plane"]},
        r"intra_subnet_ids\[0\]: got 'control-plane'; expected a subnet",
    ),
    "network of a third project": (
        {"host_project": "acme-other-host"},
        r"vpc_id: got .*; expected a network of the host project, projects/acme-other-host/global/networks",
    ),
    "network without a project": (
        {"vpc_id": "shared", "host_project": HOST},
        rf"vpc_id: got 'shared'; expected a network of the host project, projects/{HOST}/global/networks",
    ),
    "no range of pods": ({"pods_range": None}, r"pods_range: missing; expected the name of the subnet's"),
    "no range of services": ({"services_range": None}, r"services_range: missing; expected the name of"),
    "no id of a project": ({"host_project": "Acme"}, r"host_project: got 'Acme'; expected a project's id"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_a_shared_network_is_refused(case: str):
    network, message = REFUSED[case]
    with pytest.raises(ArgumentError, match=message):
        shared(network)


def test_aws_has_no_host_project():
    network: Any = {"vpc_id": "vpc-1", "cidr": "10.0.0.0/16", "private_subnet_ids": [], "host_project": HOST}
    with pytest.raises(
        ArgumentError, match="host_project: got 'acme-network-host', which AWS does not support"
    ):
        read(NetworkReference, network, "network")


@pytest.mark.parametrize("argument", ["shared_vpc_grants", "shared_vpc_firewall"])
def test_options_of_shared_vpc_without_one_are_refused(argument: str):
    with pytest.raises(
        ArgumentError, match=rf"gke\.{argument}: got false, and the network is in the cluster's"
    ):
        gke.cluster(gke={argument: False})


def test_multi_networking_in_a_shared_network_is_refused():
    with pytest.raises(ArgumentError, match=r"gke\.multi_networking: got true with a network of Shared VPC"):
        shared(gke={"multi_networking": True})
