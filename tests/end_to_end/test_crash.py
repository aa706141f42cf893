"""kill -9 of each process that has a part in an `up`, in the middle of it; the next `up` converges.

The kills come one after another in one world, each at more progress than the one before: the engine, the
cloud, the program, the provider, and all of it at once. What came of it is compared once, at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import kubernetes
import psutil
import pytest

from tests.end_to_end.harness import Twin, eventually
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
"""Kinds of the inventory of which the stack owns each one."""


GPU: Final = "nvidia.com/gpu"


@pytest.fixture(autouse=True, scope="module")
def _quick(dev: Twin) -> None:
    """The minutes that an empty node is kept take seconds."""
    dev.env["AIPLATFORM_TWIN_CLOCK"] = "120"


def test_the_engine_is_killed_in_the_middle_of_the_network(dev: Twin) -> None:
    kill_midway(dev, more(dev, 12), is_engine)


def test_the_cloud_is_killed_in_the_middle_of_its_calls(dev: Twin) -> None:
    reached = more(dev, 10)
    running = dev.spawn("up", dev.environment)
    eventually("some more are there", lambda: running.poll() is not None or reached())
    kill_restarted(dev, ["cloud"])
    # Whether the provider's retries outlast the restart is a matter of luck: without it the `up` has failed.
    end(running, may_have_ended=True)


def test_the_program_is_killed_while_the_cluster_is_made(dev: Twin) -> None:
    kill_midway(dev, more(dev, 3), is_program)


def test_the_provider_is_killed_in_the_middle_of_the_node_groups(dev: Twin) -> None:
    kill_midway(dev, more(dev, 3), is_provider)


def test_all_of_it_is_killed_while_objects_are_made_in_the_cluster(dev: Twin) -> None:
    def reached() -> bool:
        client = kubernetes.config.new_client_from_config(str(dev.world.kubeconfig))
        core: Any = kubernetes.client.CoreV1Api(client)
        accounts = core.list_namespaced_service_account("kube-system").items
        return "cluster-autoscaler" in {account.metadata.name for account in accounts}

    def quietly() -> bool:
        try:
            return reached()
        except Exception:  # noqa: BLE001 - the API server is about to be made anew
            return False

    kill_midway(dev, quietly, lambda _: True)


def test_the_next_up_converges_without_a_duplicate(dev: Twin) -> None:
    running = dev.spawn("up", dev.environment)
    engine = lambda: any(map(is_engine, psutil.Process(running.pid).children(recursive=True)))  # noqa: E731
    eventually("the engine runs", engine)
    # Without a watch each of these would leave the engine waiting for minutes.
    kill_restarted(dev, ["controller", "etcd", "kube-apiserver"])
    assert running.wait(600) == 0, dev.spawned()
    owned, held = ids_of_stack(dev), dev.inventory()
    for kind, token in KINDS.items():
        wanted = {id.replace(":", "/") if kind.startswith("eks/") else id for id in owned[token]}
        assert sorted(held[kind]) == sorted(wanted), f"{kind}: the stack owns each, and there is no other"
    groups = len(owned["aws:eks/nodeGroup:NodeGroup"])
    assert len(held["autoscaling/autoscaling_groups"]) == groups, "one a node group"
    assert len(held["ec2/launch_templates"]) == 2 * groups, "EKS makes one from each of the stack's"
    assert len(held["iam/roles"]) == len(owned["aws:iam/role:Role"])
    groups = len(owned["aws:ec2/securityGroup:SecurityGroup"])
    assert len(held["ec2/groups"]) == 2 + groups, "the VPC's default one, the cluster's, and the stack's"
    nodes = dev.core().list_node().items
    filters = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    reservations = dev.aws("ec2").describe_instances(Filters=filters)["Reservations"]
    machines = [machine for reservation in reservations for machine in reservation["Instances"]]
    assert len(machines) == len(nodes), "one machine a node"
    system = [node for node in nodes if node.metadata.labels.get("ai-platform/pool") == "system"]
    assert len(system) == 2, "the system group's two"
    dev.cli("preview", dev.environment, "--refresh", "--expect-no-changes")


def test_the_autoscaler_of_the_program_brings_a_node_and_takes_it_away(dev: Twin) -> None:
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
    eventually("the empty node goes", lambda: not nodes())
    machine = node.spec.provider_id.rpartition("/")[2]
    [found] = dev.aws("ec2").describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"]
    assert found["State"]["Name"] in ("shutting-down", "terminated"), "nobody pays for it any more"
    sizes = {
        group["AutoScalingGroupName"]: group["DesiredCapacity"]
        for group in dev.aws("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        if "t4" in group["AutoScalingGroupName"]
    }
    assert set(sizes.values()) == {0}, sizes


def test_a_destroy_leaves_nothing_of_all_that(dev: Twin) -> None:
    dev.cli("destroy", dev.environment)
    assert dev.inventory() == {}


def test_a_destroy_after_a_killed_up_leaves_nothing(dev: Twin) -> None:
    kill_midway(dev, more(dev, 14), lambda _: True)
    dev.cli("destroy", dev.environment)
    assert dev.inventory() == {}, "what was under way when it was killed is deleted too"
