"""Replacement of a node group and a security group: the new one is created first, under another name. A node
group whose creation fails. And a GPU pool that moves from node groups to Karpenter.

The program has a network and a cluster of plain resources, and the component of the pool in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import kubernetes
import pulumi
import pulumi_aws as aws
import pytest
from pulumi import automation

from aiplatform.gpu_pool import GpuPool
from aiplatform.node_pool import NodePool
from tests.end_to_end.harness import gpu_pod
from tests.end_to_end.plain import Base, Plain, location
from twin.aws.services.eks.operations.versions import release_version
from twin.tests.waiting import eventually

pytestmark = pytest.mark.end_to_end

STACK: Final = "replacement"


def node_pool(base: Base, prefix: str, types: list[str], disk: int, **more: Any) -> Callable[[], None]:
    """Return a program with a pool of one node."""

    def registered() -> None:
        arguments: Any = {
            "prefix": prefix,
            "name": "workers",
            **location(base),
            "instance_types": types,
            "disk_gib": disk,
            "min": 1,
            "max": 2,
            **more,
        }
        NodePool("workers", arguments)

    return registered


def gpu_pool(base: Base, provisioning: str, least: int = 0) -> Callable[[], None]:
    """Return a program with a pool of nodes with one T4 each."""

    def registered() -> None:
        arguments: Any = {
            "prefix": "acme-move",
            "name": "t4",
            **location(base),
            "accelerator": "t4",
            "count": 1,
            "min": least,
            "max": 2,
            "node_provisioning": provisioning,
            **({"image_version": "1.35.5-20260801"} if provisioning != "karpenter" else {}),
        }
        GpuPool("t4", arguments)

    return registered


def program(base: Base, *, types: list[str], disk: int, description: str) -> Callable[[], None]:
    """Return a program with a pool, and a security group that a network interface uses."""
    pool = node_pool(base, "acme-test", types, disk)

    def registered() -> None:
        pool()
        group = aws.ec2.SecurityGroup(
            "endpoints", name_prefix="acme-test-", description=description, vpc_id=base.vpc_id
        )
        endpoint = aws.ec2.VpcEndpoint(
            "sts",
            vpc_id=base.vpc_id,
            service_name="com.amazonaws.us-west-2.sts",
            vpc_endpoint_type="Interface",
            subnet_ids=base.subnet_ids,
            security_group_ids=[group.id],
        )
        pulumi.export("group", group.id)
        pulumi.export("endpoint", endpoint.id)

    return registered


class Deployed:
    """The deployed resources, as the cloud describes them."""

    def __init__(self, plain: Plain, base: Base, up: Any) -> None:
        eks, ec2 = plain.aws("eks"), plain.aws("ec2")
        [name] = eks.list_nodegroups(clusterName=base.cluster)["nodegroups"]
        self.node_group = eks.describe_nodegroup(clusterName=base.cluster, nodegroupName=name)["nodegroup"]
        self.group = up.outputs["group"].value
        [endpoint] = ec2.describe_vpc_endpoints(VpcEndpointIds=[up.outputs["endpoint"].value])["VpcEndpoints"]
        self.of_endpoint = [group["GroupId"] for group in endpoint["Groups"]]
        named = {"Filters": [{"Name": "group-name", "Values": ["acme-test-*"]}]}
        self.groups = [group["GroupId"] for group in ec2.describe_security_groups(**named)["SecurityGroups"]]

    @property
    def name(self) -> str:
        """The name of the node group."""
        return self.node_group["nodegroupName"]


FIRST: Final[dict[str, Any]] = {"types": ["m6i.large"], "disk": 30, "description": "endpoints"}


@pytest.fixture(scope="module")
def before(plain: Plain, base: Base) -> Iterator[Deployed]:
    """The first deployment; it is destroyed at the end."""
    yield Deployed(plain, base, plain.stack(STACK, program(base, **FIRST)).up())
    plain.stack(STACK, program(base, **FIRST)).destroy()


def order(up: automation.UpResult, name: str) -> list[str]:
    """Return the operations on a resource, in the order in which they ended."""
    lines = [line.split() for line in up.stdout.splitlines() if f" {name} " in line]
    return [
        word for words in lines for word in words if word in ("created", "updated", "replaced", "deleted")
    ]


def test_a_larger_disk_rolls_the_nodes_of_the_same_group(plain: Plain, base: Base, before: Deployed) -> None:
    up = plain.stack(STACK, program(base, **{**FIRST, "disk": 40})).up()
    after = Deployed(plain, base, up)
    assert after.name == before.name, "a new version of the launch template replaces no group"
    assert int(after.node_group["launchTemplate"]["version"]) > int(
        before.node_group["launchTemplate"]["version"]
    )
    nodes = plain.aws("ec2").describe_instances(
        Filters=[
            {"Name": "tag:eks:nodegroup-name", "Values": [after.name]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
    )
    assert len(nodes["Reservations"]) == 1, "the old node is deleted by the end of the update"


def test_an_immutable_change_replaces_the_groups_without_a_name_conflict(
    plain: Plain, base: Base, before: Deployed
) -> None:
    changed = {"types": ["m6i.xlarge", "m5.xlarge"], "disk": 40, "description": "interface endpoints"}
    up = plain.stack(STACK, program(base, **changed)).up()
    after = Deployed(plain, base, up)
    assert after.name != before.name, "both groups existed at the same time"
    assert after.node_group["instanceTypes"] == ["m6i.xlarge", "m5.xlarge"]
    assert after.node_group["status"] == "ACTIVE"
    assert order(up, "workers-on-demand")[-1] == "deleted", "the old one is deleted last"
    assert after.group != before.group
    assert after.groups == [after.group], "the old group is deleted"
    assert after.of_endpoint == [after.group], "the endpoint got the new group before the old one was deleted"
    assert not up.summary.resource_changes or "same" in up.summary.resource_changes
    assert not changes(plain.stack(STACK, program(base, **changed)).preview(refresh=True))


def changes(preview: automation.PreviewResult) -> dict[str, int]:
    """Return the changes of a preview, without `same`."""
    return {
        str(getattr(op, "value", op)): count
        for op, count in preview.change_summary.items()
        if str(getattr(op, "value", op)) != "same"
    }


def test_a_failed_node_group_is_reported_by_the_next_update(plain: Plain, base: Base) -> None:
    eks, twin = plain.aws("eks"), plain.environment
    before = set(eks.list_nodegroups(clusterName=base.cluster)["nodegroups"])
    stack = plain.stack("failing", node_pool(base, "acme-fail", ["r7i.large"], 30))
    plain.cli("twin", "fault", "capacity", "--name", twin, "--instance-type", "r7i.large")
    with pytest.raises(automation.CommandError):
        # EKS waits for a node until its timeout.
        stack.up()
    plain.cli("twin", "fault", "clear", "--name", twin)
    [group] = set(eks.list_nodegroups(clusterName=base.cluster)["nodegroups"]) - before
    with pytest.raises(automation.CommandError) as refused:
        # The state has the group, and no input of it changed.
        stack.up(refresh=True)
    report = str(refused.value)
    assert f"node group {group} of {base.cluster}: EKS reports CREATE_FAILED; expected ACTIVE" in report
    assert f"aws eks delete-nodegroup --cluster-name {base.cluster} --nodegroup-name {group}" in report
    eks.delete_nodegroup(clusterName=base.cluster, nodegroupName=group)

    def new_groups() -> set[str]:
        return set(eks.list_nodegroups(clusterName=base.cluster)["nodegroups"]) - before

    eventually("it is gone", lambda: not new_groups(), 60)
    stack.up(refresh=True)
    [again] = new_groups()
    status = eks.describe_nodegroup(clusterName=base.cluster, nodegroupName=again)["nodegroup"]["status"]
    assert status == "ACTIVE", "the deleted group is created again"
    stack.destroy()


def test_a_stated_release_of_the_image_is_never_lost(plain: Plain, base: Base) -> None:
    eks = plain.aws("eks")

    def stack(release: str, disk: int = 30) -> automation.Stack:
        pool = node_pool(base, "acme-pin", ["m6i.large"], disk, name="pinned", image_version=release)
        return plain.stack("pinned", pool)

    def group() -> dict[str, Any]:
        names = eks.list_nodegroups(clusterName=base.cluster)["nodegroups"]
        [name] = [name for name in names if name.startswith("pinned-")]
        return eks.describe_nodegroup(clusterName=base.cluster, nodegroupName=name)["nodegroup"]

    with pytest.raises(automation.CommandError) as refused:
        stack("1.34.8-20260801").preview()
    assert "EKS creates no node group of another minor version" in str(refused.value)
    pinned, newest = "1.35.5-20260801", release_version("1.35", "AL2023_x86_64_STANDARD")
    stack(pinned).up()
    before = group()
    assert before["releaseVersion"] == pinned
    for change in (stack(pinned, 40).preview, stack(pinned, 40).up):
        with pytest.raises(automation.CommandError) as refused:
            change()
        assert f"its launch template changes and its release, {pinned}, does not" in str(refused.value)
        assert f"by the release {newest}, the newest" in str(refused.value)
    unchanged = group()
    assert unchanged["releaseVersion"] == pinned, "EKS was not called"
    assert unchanged["launchTemplate"]["version"] == before["launchTemplate"]["version"]
    stack(newest, 50).up()
    raised = group()
    assert raised["releaseVersion"] == newest
    stack(newest, 60).up()
    last = group()
    assert last["releaseVersion"] == newest, "of the newest release nothing is lost"
    assert int(last["launchTemplate"]["version"]) > int(raised["launchTemplate"]["version"])
    stack(newest, 60).destroy()


def test_a_pool_moves_to_karpenter_without_the_end_of_what_runs(plain: Plain, base: Base) -> None:
    core: Any = kubernetes.client.CoreV1Api(plain.kubernetes())
    eks = plain.aws("eks")

    def up(provisioning: str, least: int = 0) -> automation.UpResult:
        return plain.stack("moving", gpu_pool(base, provisioning, least)).up()

    def node() -> Any:
        [item] = core.list_node(label_selector="ai-platform/pool=t4").items
        return item

    def group() -> str:
        names = eks.list_nodegroups(clusterName=base.cluster)["nodegroups"]
        [name] = [name for name in names if name.startswith("t4-")]
        return name

    up("cluster_autoscaler", 1)
    running = gpu_pod("trains")
    # No device plugin runs here: the Pod only has to be on the node.
    del running["spec"]["containers"][0]["resources"]
    running["spec"]["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    running["spec"]["nodeSelector"] = {"ai-platform/pool": "t4"}
    core.create_namespaced_pod("default", running)
    eventually("it runs", lambda: core.read_namespaced_pod("trains", "default").status.phase == "Running", 60)
    first, pod = node().metadata.uid, core.read_namespaced_pod("trains", "default").metadata.uid

    up("moving_to_karpenter")
    eventually("new Pods stay away", lambda: "ai-platform/moving" in {t.key for t in node().spec.taints})
    with pytest.raises(automation.CommandError) as refused:
        plain.stack("moving", gpu_pool(base, "karpenter")).preview()
    assert f"node group {group()} has 1 nodes" in str(refused.value)
    assert "expected node_provisioning: moving_to_karpenter" in str(refused.value)
    with pytest.raises(automation.CommandError):
        up("karpenter")
    after = core.read_namespaced_pod("trains", "default")
    assert (node().metadata.uid, after.metadata.uid) == (first, pod), "nothing is replaced or evicted"
    assert after.status.phase == "Running"
    described = eks.describe_nodegroup(clusterName=base.cluster, nodegroupName=group())["nodegroup"]
    assert described["releaseVersion"] == "1.35.5-20260801", "a taint is no reason for another image"

    core.delete_namespaced_pod("trains", "default", grace_period_seconds=0)
    name = group()
    # As the autoscaler does with an idle node.
    eks.update_nodegroup_config(
        clusterName=base.cluster, nodegroupName=name, scalingConfig={"desiredSize": 0, "minSize": 0}
    )
    eventually("it is empty", lambda: not core.list_node(label_selector="ai-platform/pool=t4").items, 60)
    up("karpenter")
    assert name not in eks.list_nodegroups(clusterName=base.cluster)["nodegroups"]
    plain.stack("moving", gpu_pool(base, "karpenter")).destroy()
