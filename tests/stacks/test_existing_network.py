"""An environment in a network that its program does not create."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stacks import network_arguments
from stacks.loading import load_file
from tests.components.recording import Recording
from tests.stacks.environments import build
from tests.stacks.test_google_files import Change, changed, problems

HOST = "acme-network-host"
REGION = "us-central1"
SUBNETS = f"projects/{HOST}/regions/{REGION}/subnetworks"
GOOGLE: dict[str, Any] = {
    "vpc_id": f"projects/{HOST}/global/networks/shared",
    "private_subnet_ids": [f"{SUBNETS}/ml-nodes"],
    "pods_range": "ml-pods",
    "services_range": "ml-services",
    "private_services": "google-services",
    "proxies_cidr": "10.90.0.0/23",
}
AWS: dict[str, Any] = {
    "vpc_id": "vpc-0123456789abcdef0",
    "private_subnet_ids": ["subnet-0000000a", "subnet-0000000b"],
    "intra_subnet_ids": ["subnet-0000000c", "subnet-0000000d"],
}
NETWORKS = ("aiplatform:index:Network", "aws:ec2/vpc:Vpc", "gcp:compute/network:Network")


def _zones(stack: str, folder: Path) -> list[dict[str, str]]:
    """The zones that the environment would have in a network of its program."""
    settings = load_file(changed(folder, {}, stack))
    if settings.environment.cloud == "gcp":
        region = settings.environment.region
        return [{"id": f"{region}-{letter}", "private_subnet_id": f"{SUBNETS}/ml-nodes"} for letter in "abc"]
    return [{"id": f"euc1-az{number}", "private_subnet_id": f"subnet-0000000{number}"} for number in (1, 2)]


def _existing(stack: str, folder: Path, **more: Any) -> Change:
    network = GOOGLE if stack.startswith("gcp") else AWS
    entries = {**network, "zones": _zones(stack, folder), **more}
    return {"network/existing": {key: value for key, value in entries.items() if value is not None}}


def _built(stack: str, folder: Path) -> Recording:
    return build(load_file(changed(folder, _existing(stack, folder), stack))).recording


def test_nothing_of_a_shared_network_is_created_on_google_cloud(tmp_path: Path) -> None:
    recording = _built("gcp-dev", tmp_path)
    # GPUDirect's networks have no project but the pool's.
    created = {name for kind in NETWORKS for name in recording.names() if name.startswith(kind)}
    assert {name for name in created if name.endswith(" network")} == set()
    cluster = recording.one("gcp:container/cluster:Cluster").inputs
    assert cluster["network"] == GOOGLE["vpc_id"]
    assert cluster["ipAllocationPolicy"]["clusterSecondaryRangeName"] == "ml-pods"
    grants = recording.all("gcp:compute/subnetworkIAMMember:SubnetworkIAMMember")
    assert {grant.inputs["project"] for grant in grants} == {HOST}
    database = recording.one("gcp:sql/databaseInstance:DatabaseInstance").inputs
    assert database["settings"]["ipConfiguration"]["privateNetwork"] == GOOGLE["vpc_id"]
    assert database["settings"]["ipConfiguration"]["allocatedIpRange"] == "google-services"


def test_nothing_of_the_network_is_created_on_aws(tmp_path: Path) -> None:
    recording = _built("aws-dev", tmp_path)
    for kind in (*NETWORKS, "aws:ec2/subnet:Subnet", "aws:ec2/natGateway:NatGateway"):
        assert recording.all(kind) == []
    cluster = recording.one("aws:eks/cluster:Cluster").inputs
    assert cluster["vpcConfig"]["subnetIds"] == AWS["intra_subnet_ids"]


def test_the_layers_above_read_the_existing_network(tmp_path: Path) -> None:
    settings = load_file(changed(tmp_path, _existing("gcp-dev", tmp_path), "gcp-dev"))
    network = network_arguments.existing_network(settings)
    assert network is not None
    assert network["cidr"] == settings.network.cidr
    assert network.get("project") == settings.environment.project_id, "the service project"
    assert "proxies_cidr" not in network, "no component reads it"


REFUSED: dict[str, tuple[str, Change, str, str]] = {
    "subnet of another project": (
        "gcp-dev",
        {"private_subnet_ids": ["projects/acme-other/regions/us-central1/subnetworks/nodes"]},
        "network.existing.private_subnet_ids[0]",
        f"expected a subnet of the network's project, projects/{HOST}/regions/",
    ),
    "no secondary range of pods": (
        "gcp-dev",
        {"pods_range": None},
        "network.existing.pods_range",
        "missing; expected the name of the subnet's secondary range for pods",
    ),
    "host project on AWS": (
        "aws-dev",
        {"host_project": HOST},
        "network.existing.host_project",
        "which AWS does not support",
    ),
    "an id that is cut": ("aws-dev", {"vpc_id": "vpc-123"}, "network.existing.vpc_id", "the id of a VPC"),
    "the id of another kind": (
        "aws-dev",
        {"private_subnet_ids": ["subnet-0000000a", "rtb-0000000b"]},
        "network.existing.private_subnet_ids[1]",
        "expected the id of a subnet",
    ),
    "a subnet twice": (
        "aws-dev",
        {"private_subnet_ids": ["subnet-0000000a", "subnet-0000000a"]},
        "network.existing.private_subnet_ids",
        "which repeats subnet-0000000a",
    ),
    "names of zones": (
        "aws-dev",
        {"zones": [{"id": "eu-central-1a", "private_subnet_id": "subnet-0000000a"}]},
        "network.existing.zones[0].id",
        "expected a zone's id such as usw2-az1",
    ),
    "a range of Google Cloud on AWS": (
        "aws-dev",
        {"pods_range": "ml-pods"},
        "network.existing.pods_range",
        "which only networks of Google Cloud have",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_contradicts_the_network_is_reported_with_its_key(tmp_path: Path, case: str) -> None:
    stack, more, key, reason = REFUSED[case]
    (problem,) = problems(tmp_path, _existing(stack, tmp_path, **more), stack)
    assert f": {key}: " in problem
    assert reason in problem


def test_keys_of_a_created_network_are_refused(tmp_path: Path) -> None:
    change = {**_existing("gcp-dev", tmp_path), "network/zone_count": 2}
    (problem,) = problems(tmp_path, change, "gcp-dev")
    assert ": network.zone_count: got one with `existing`, of which nothing is created" in problem
