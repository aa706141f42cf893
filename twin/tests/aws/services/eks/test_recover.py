"""EKS after a kill at any of its calls to other services, also while it makes up for an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twin import instances
from twin.aws.api_server import inventory
from twin.aws.api_server.deterministic_moto import forget
from twin.aws.api_server.internal_client import Inside
from twin.aws.api_server.server import ApiServer
from twin.tests.aws.api_servers import Clients
from twin.tests.aws.services.eks.scene import make_cluster_of, network_and_roles

pytestmark = pytest.mark.end_to_end  # a dozen starts of the API server


class Died(BaseException):
    """The process is killed."""


class Lives:
    """One instance's API servers, one after the other. `calls_left`: inner calls until the next death."""

    def __init__(self, instance: instances.Instance, patch: pytest.MonkeyPatch) -> None:
        self.instance = instance
        self.calls_left = 10**6
        self.deaths = 0
        self.server: ApiServer | None = None
        original: Any = Inside.call

        def call(inner: Inside, service: str, operation: str, intent: str = "", **params: Any) -> Any:
            if self.calls_left == 0:
                self.deaths += 1
                raise Died
            self.calls_left -= 1
            return original(inner, service, operation, intent, **params)

        patch.setattr(Inside, "call", call)

    def begin(self) -> Clients:
        """A fresh process: nothing in memory; it may die at its start."""
        self.end()
        self.server = ApiServer(self.instance)
        return Clients(self.server)

    def end(self) -> None:
        """What the death of a process takes along."""
        if self.server:
            self.server.close()
        self.server = None
        forget()

    def through_deaths(self) -> Clients:
        """Start again and again, each life lasting one inner call longer, until one lives on."""
        for calls in range(1, 20):
            self.calls_left = calls - 1
            try:
                clients = self.begin()
            except Died:
                continue
            self.calls_left = 10**6
            return clients
        raise AssertionError("it never recovers")


@pytest.fixture
def lives(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lives]:
    lives = Lives(instances.create("killed"), monkeypatch)
    lives.begin()
    yield lives
    lives.end()


def test_a_create_killed_at_any_of_its_calls_is_finished_and_answers_in_full(lives: Lives) -> None:
    assert lives.server is not None
    clients = Clients(lives.server)
    names = network_and_roles(clients)
    clients.intent, lives.calls_left = "urn:cluster-1", 0
    with pytest.raises(Died):
        make_cluster_of(clients, names, clientRequestToken="token-1")

    clients = lives.through_deaths()
    clients.intent = "urn:cluster-1"
    cluster = make_cluster_of(clients, names, clientRequestToken="token-1")
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    assert group.startswith("sg-"), "the repeated create returns what was made since"
    clients.intent = ""
    groups = clients("ec2").describe_security_groups()["SecurityGroups"]
    assert [
        security_group["GroupId"]
        for security_group in groups
        if security_group["GroupName"].startswith("eks-cluster")
    ] == [group]
    assert len(clients("ec2").describe_network_interfaces()["NetworkInterfaces"]) == 2, "none was made twice"
    assert lives.deaths >= 4, "it died before each of its calls"

    clients.server.eks.view("cluster_ready", {"endpoint": "https://x", "certificate_authority": "Q0E="})
    clients.intent, lives.calls_left = "urn:nodes-1", 1
    params = {
        "clusterName": "demo",
        "nodegroupName": "nodes",
        "subnets": names["subnets"],
        "nodeRole": names["node_role"],
        "scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 1},
        "clientRequestToken": "token-2",
    }
    with pytest.raises(Died):
        clients("eks").create_nodegroup(**params)
    clients = lives.through_deaths()
    clients.intent = "urn:nodes-1"
    nodes = clients("eks").create_nodegroup(**params)["nodegroup"]
    assert len(nodes["resources"]["autoScalingGroups"]) == 1
    clients.intent = ""
    ids = inventory.of(clients.server)
    assert len(ids["ec2/launch_templates"]) == len(ids["autoscaling/autoscaling_groups"]) == 1
    assert len(clients.server.eks.view("machines", {})["machines"]) == 1


def test_a_delete_killed_in_the_middle_is_finished(lives: Lives) -> None:
    assert lives.server is not None
    clients = Clients(lives.server)
    names = network_and_roles(clients)
    make_cluster_of(clients, names)
    clients.server.eks.view("cluster_ready", {"endpoint": "https://x", "certificate_authority": "Q0E="})
    lives.calls_left = 1
    with pytest.raises(Died):
        clients("eks").delete_cluster(name="demo")
    clients = lives.through_deaths()
    clients.server.eks.view("cluster_gone", {})
    assert clients("ec2").describe_network_interfaces()["NetworkInterfaces"] == []
    assert "eks/cluster" not in inventory.of(clients.server)
    for subnet in names["subnets"]:
        clients("ec2").delete_subnet(SubnetId=subnet)
    clients("ec2").delete_vpc(VpcId=names["vpc"])
