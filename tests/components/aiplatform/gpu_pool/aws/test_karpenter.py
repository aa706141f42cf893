"""A GPU pool whose nodes Karpenter creates, and its way there from node groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from aiplatform.gpu_pool import GpuPool
from tests.components.aiplatform.pools import CLUSTER, NETWORK
from tests.components.recording import Recording, record

H100 = {
    "accelerator": "h100",
    "count": 8,
    "name": "train",
    "capacity": [{"type": "spot"}, {"type": "on_demand"}],
}
GROUP = "aws:eks/nodeGroup:NodeGroup"
SUFFIX = "20261128080000000000000001"


def pool(answers: Any = None, **more: Any) -> Recording:
    arguments: Any = {"prefix": "acme-dev", "cluster": CLUSTER, "network": NETWORK, **H100, **more}
    return record(lambda: GpuPool("gpu", arguments), answers=answers)


def outputs(recording: Recording) -> dict[str, Any]:
    result = recording.one("aiplatform:index:GpuPool").outputs
    assert result is not None
    return result


def existing(**sizes: int) -> Mapping[str, Any]:
    """EKS has these node groups with as many nodes."""
    groups = {f"{name.replace('_', '-')}-{SUFFIX}": size for name, size in sizes.items()}
    return {
        "aws:eks/getNodeGroups:getNodeGroups": lambda arguments: {
            **arguments,
            "id": "x",
            "names": list(groups),
        },
        "aws:eks/getNodeGroup:getNodeGroup": lambda arguments: {
            **arguments,
            "id": "x",
            "scalingConfigs": [
                {"desiredSize": groups[arguments["nodeGroupName"]], "minSize": 0, "maxSize": 4}
            ],
        },
    }


def test_a_pod_on_nodes_of_karpenter_requests_no_huge_pages() -> None:
    groups, nodes = (
        outputs(pool(**more))["pod_requirements"]["limits"]
        for more in ({}, {"node_provisioning": "karpenter"})
    )
    assert "hugepages-2Mi" in groups
    assert nodes == {name: count for name, count in groups.items() if name != "hugepages-2Mi"}, (
        "Karpenter knows no huge pages, and would create no node for such a Pod"
    )


def test_karpenter_replaces_node_groups_and_their_role() -> None:
    recording = pool(node_provisioning="karpenter")
    assert recording.names() == [
        "aiplatform:index:GpuPool gpu",
        "aws:ec2/placementGroup:PlacementGroup gpu-placement",
        "aws:ec2/securityGroup:SecurityGroup gpu-efa",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule gpu-efa-out",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule gpu-efa-in",
    ]
    assert outputs(recording)["node_groups"] == []
    assert outputs(recording).get("node_role_arn") is None
    assert [entry["name"] for entry in outputs(recording)["karpenter_pools"]] == [
        "train-spot",
        "train-on-demand",
    ]


@pytest.mark.parametrize("provisioning", [None, "cluster_autoscaler"])
def test_node_groups_are_the_default(provisioning: str | None) -> None:
    recording = pool(**({"node_provisioning": provisioning} if provisioning else {}))
    assert len(recording.all(GROUP)) == 2
    assert outputs(recording)["karpenter_pools"] == []
    for group in recording.all(GROUP):
        assert [taint["key"] for taint in group.inputs["taints"]] == ["nvidia.com/gpu"]


def test_a_moving_pool_keeps_its_node_groups_for_the_pods_that_run() -> None:
    before, moving = pool(), pool(node_provisioning="moving_to_karpenter")
    assert moving.names() == before.names(), "nothing is deleted or replaced"
    for old, new in zip(before.all(GROUP), moving.all(GROUP), strict=True):
        changed = {key for key in old.inputs if old.inputs[key] != new.inputs[key]}
        assert changed == {"taints"}, "EKS changes taints without replacing nodes"
        (added,) = [taint for taint in new.inputs["taints"] if taint not in old.inputs["taints"]]
        assert added == {"key": "ai-platform/moving", "value": "true", "effect": "NO_SCHEDULE"}, (
            "it evicts nothing; the autoscaler adds no node for Pods that do not tolerate it"
        )
    assert len(outputs(moving)["karpenter_pools"]) == 2
    assert outputs(moving)["taints"] == outputs(before)["taints"], "queues and Pods do not change"


def test_new_nodes_of_a_moving_pool_do_not_have_its_taint() -> None:
    for entry in outputs(pool(node_provisioning="moving_to_karpenter"))["karpenter_pools"]:
        assert [taint["key"] for taint in entry["taints"]] == ["nvidia.com/gpu"]


def test_the_end_of_node_groups_with_nodes_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=f"node group train-spot-{SUFFIX} has 2 nodes") as error:
        pool(existing(train_spot=2), node_provisioning="karpenter")
    assert "expected node_provisioning: moving_to_karpenter until" in str(error.value)


def test_node_groups_without_nodes_and_those_of_other_pools_may_end() -> None:
    answers = existing(train_spot=0, train_on_demand=0, train_big_spot=3, system=2)
    assert pool(answers, node_provisioning="karpenter").all(GROUP) == []


def test_queues_see_the_same_pool() -> None:
    keys = ("name", "resource", "resources_per_node", "taints", "node_selector", "min_nodes", "max_nodes")
    with_groups, with_karpenter = outputs(pool()), outputs(pool(node_provisioning="karpenter"))
    assert {key: with_groups[key] for key in keys} == {key: with_karpenter[key] for key in keys}
