"""kill -9 of each process of an `up` while it runs; the next `up` converges.

The kills follow one another on one twin, each at more progress than the one before: the engine, the cloud,
the program, the provider, and all processes at once. The result is compared once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import kubernetes
import psutil
import pytest

from tests.end_to_end.harness import Twin
from tests.end_to_end.killing import (
    end,
    ids_of_stack,
    is_engine,
    is_program,
    is_provider,
    kill_midway,
    kill_restarted,
    more,
)
from tests.end_to_end.reduced import DATA_LAYER, KUBERNETES_LAYER
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

KINDS: Final[Mapping[str, str]] = {
    "ec2/vpcs": "aws:ec2/vpc:Vpc",
    "ec2/subnets": "aws:ec2/subnet:Subnet",
    "ec2/internet_gateways": "aws:ec2/internetGateway:InternetGateway",
    "ec2/addresses": "aws:ec2/eip:Eip",
    "ec2/nat_gateways": "aws:ec2/natGateway:NatGateway",
    "ec2/vpc_end_points": "aws:ec2/vpcEndpoint:VpcEndpoint",
    "ec2/flow_logs": "aws:ec2/flowLog:FlowLog",
    "iam/open_id_providers": "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "kms/keys": "aws:kms/key:Key",
    "logs/groups": "aws:cloudwatch/logGroup:LogGroup",
    "eks/cluster": "aws:eks/cluster:Cluster",
    "eks/nodegroup": "aws:eks/nodeGroup:NodeGroup",
    "eks/addon": "aws:eks/addon:Addon",
}
"""Kinds of the inventory of which the stack owns every resource, and their types."""


GPU: Final = "nvidia.com/gpu"


@pytest.fixture(scope="module")
def dev(home: Path) -> Iterator[Twin]:
    """The twin of aws-dev, before its first `up`. The minutes before an empty node is deleted are seconds."""
    less = (*KUBERNETES_LAYER, *DATA_LAYER)
    twin = Twin("aws-dev", home, {"AIPLATFORM_TWIN_CLOCK": "120"}, without=less)
    yield twin
    twin.remove()


def test_the_engine_is_killed_in_the_middle_of_the_network(dev: Twin) -> None:
    kill_midway(dev, more(dev, 12), is_engine)


def test_the_cloud_is_killed_in_the_middle_of_its_calls(dev: Twin) -> None:
    reached = more(dev, 10)
    running = dev.spawn("up", dev.environment)
    eventually("further resources exist", lambda: running.poll() is not None or reached())
    kill_restarted(dev, ["cloud"])
    # The `up` may have failed: the provider's retries may end before the restart.
    end(running, may_have_ended=True)


def test_the_program_is_killed_while_the_cluster_is_created(dev: Twin) -> None:
    kill_midway(dev, more(dev, 3), is_program)


def test_the_provider_is_killed_in_the_middle_of_the_node_groups(dev: Twin) -> None:
    kill_midway(dev, more(dev, 3), is_provider)


def test_all_processes_are_killed_while_objects_are_created_in_the_cluster(dev: Twin) -> None:
    def reached() -> bool:
        client = kubernetes.config.new_client_from_config(str(dev.instance.kubeconfig))
        core: Any = kubernetes.client.CoreV1Api(client)
        accounts = core.list_namespaced_service_account("kube-system").items
        return "cluster-autoscaler" in {account.metadata.name for account in accounts}

    def quietly() -> bool:
        try:
            return reached()
        except Exception:  # noqa: BLE001 - the API server may be restarting
            return False

    kill_midway(dev, quietly, lambda _: True)


def test_the_next_up_converges_without_a_duplicate(dev: Twin) -> None:
    running = dev.spawn("up", dev.environment)
    engine = lambda: any(map(is_engine, psutil.Process(running.pid).children(recursive=True)))  # noqa: E731
    eventually("the engine runs", engine, 180)
    # Without supervision of these processes the engine would wait for minutes.
    kill_restarted(dev, ["controller", "etcd", "kube-apiserver"])
    assert running.wait(600) == 0, dev.spawned()
    owned, inventory = ids_of_stack(dev), dev.inventory()
    for kind, token in KINDS.items():
        wanted = {id.replace(":", "/") if kind.startswith("eks/") else id for id in owned[token]}
        assert sorted(inventory[kind]) == sorted(wanted), (
            f"{kind}: the stack owns each, and there is no other"
        )
    groups = len(owned["aws:eks/nodeGroup:NodeGroup"])
    assert len(inventory["autoscaling/autoscaling_groups"]) == groups, "one a node group"
    assert len(inventory["ec2/launch_templates"]) == 2 * groups, "EKS creates a copy of each of the stack's"
    assert len(inventory["iam/roles"]) == len(owned["aws:iam/role:Role"])
    assert len(inventory["ec2/groups"]) == 2, "the VPC's default one, and the cluster's"
    nodes = dev.core().list_node().items
    filters = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    reservations = dev.aws("ec2").describe_instances(Filters=filters)["Reservations"]
    machines = [machine for reservation in reservations for machine in reservation["Instances"]]
    assert len(machines) == len(nodes), "one machine a node"
    system = [node for node in nodes if node.metadata.labels.get("ai-platform/pool") == "system"]
    assert len(system) == 2, "the system group's two"
    dev.cli("preview", dev.environment, "--refresh", "--expect-no-changes")


def test_the_autoscaler_adds_a_node_and_deletes_it_when_empty(dev: Twin) -> None:
    core = dev.core()
    container = {"name": "main", "image": "registry.example/training:1", "resources": {"limits": {GPU: "1"}}}
    pod = {"metadata": {"name": "training"}, "spec": {"restartPolicy": "Never", "containers": [container]}}

    def nodes() -> list[Any]:
        return core.list_node(label_selector="ai-platform/pool=t4").items

    core.create_namespaced_pod("default", pod)
    eventually(
        "the Pod runs", lambda: core.read_namespaced_pod("training", "default").status.phase == "Running"
    )
    [node] = nodes()
    core.delete_namespaced_pod("training", "default")
    eventually("the empty node is deleted", lambda: not nodes())
    machine = node.spec.provider_id.rpartition("/")[2]
    [instance] = dev.aws("ec2").describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"]
    assert instance["State"]["Name"] in ("shutting-down", "terminated"), "the instance costs nothing any more"
    sizes = {
        group["AutoScalingGroupName"]: group["DesiredCapacity"]
        for group in dev.aws("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        if "t4" in group["AutoScalingGroupName"]
    }
    assert set(sizes.values()) == {0}, sizes


def test_a_destroy_after_all_kills_leaves_nothing(dev: Twin) -> None:
    dev.cli("destroy", dev.environment)
    assert dev.inventory() == {}


# test_interrupted_commands.py destroys what a killed command created in every run.
@pytest.mark.nightly
def test_a_destroy_after_a_killed_up_leaves_nothing(dev: Twin) -> None:
    kill_midway(dev, more(dev, 14), lambda _: True)
    dev.cli("destroy", dev.environment)
    assert dev.inventory() == {}, "resources whose creation was interrupted are deleted, too"
