"""What all node groups of EKS have in common."""

from typing import Any

import pulumi
import pytest

from aiplatform._shared.aws.node_groups import NODE_POLICIES, refuse_failed
from aiplatform.node_pool import NodePool
from tests.components.aiplatform.pools import CLUSTER, NETWORK
from tests.components.recording import record

GROUP = "aws:eks/nodeGroup:NodeGroup"
ARGS: Any = {
    "prefix": "acme-dev",
    "name": "general",
    "cluster": CLUSTER,
    "network": NETWORK,
    "instance_types": ["m7i.2xlarge"],
}


def _pool_of_status(status: str | None) -> None:
    record(
        lambda: NodePool("cpu", ARGS),
        computed={
            GROUP: lambda name, inputs: {
                "resources": [{"autoscalingGroups": [{"name": f"eks-{name}"}]}],
                "nodeGroupName": "general-on-demand-2026",
                "status": status,
            }
        },
    )


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DELETING", "DELETE_FAILED", "CREATING"])
def test_a_node_group_that_eks_never_finished_fails_the_program(status: str) -> None:
    with pytest.raises(pulumi.RunError, match=f"EKS reports {status}; expected ACTIVE"):
        _pool_of_status(status)


@pytest.mark.parametrize("status", ["ACTIVE", "UPDATING", "DEGRADED"])
def test_a_node_group_that_eks_can_change_passes(status: str) -> None:
    _pool_of_status(status)


def test_a_node_group_whose_state_has_no_answer_of_eks_fails_the_program() -> None:
    with pytest.raises(pulumi.RunError, match="run `up --refresh`"):
        _pool_of_status(None)
    with pytest.raises(pulumi.RunError, match="run `up --refresh`"):
        record(lambda: NodePool("cpu", ARGS), computed={GROUP: lambda name, inputs: {"resources": []}})


def test_the_error_of_a_failed_node_group_has_the_command_that_deletes_it() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        refuse_failed("acme-dev-cluster", "general-on-demand-2026", "CREATE_FAILED")
    place = "--cluster-name acme-dev-cluster --nodegroup-name general-on-demand-2026"
    assert f"aws eks delete-nodegroup {place}" in str(caught.value)
    assert "--refresh" in str(caught.value), "else the state still has the group that was deleted"
    with pytest.raises(pulumi.RunError) as caught:
        refuse_failed("acme-dev-cluster", "general-on-demand-2026", "CREATING")
    assert "delete-nodegroup" not in str(caught.value), "it may yet become ACTIVE"


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (CLUSTER, True),
        ({**CLUSTER, "cni_role": False}, True),
        ({**CLUSTER, "cni_role": True}, False),
        ({**CLUSTER, "node_role_arn": "arn:aws:iam::111122223333:role/nodes"}, False),
    ],
)
def test_a_pools_own_role_serves_the_vpc_cni_unless_that_has_one(cluster: Any, expected: bool) -> None:
    args: Any = {**ARGS, "cluster": cluster}
    recorded = record(lambda: NodePool("cpu", args))
    attached = [
        resource.inputs["policyArn"].rpartition("/")[2]
        for resource in recorded.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    ]
    assert ("AmazonEKS_CNI_Policy" in attached) == expected, "without it aws-node attaches no interface"
    if expected:
        group = recorded.one(GROUP)
        assert recorded.depends(group, recorded.named("cpu-node-AmazonEKS_CNI_Policy"))


def test_the_clusters_own_nodes_have_no_rights_of_the_vpc_cni() -> None:
    assert not [policy for policy in NODE_POLICIES if "CNI" in policy], "it has a role by Pod Identity there"


def test_a_taint_without_value_is_a_tag_of_the_auto_scaling_group() -> None:
    taints = [
        {"key": "example.com/batch", "effect": "NoSchedule"},
        {"key": "example.com/batch", "effect": "NoExecute"},
        {"key": "team", "value": "web", "effect": "NoSchedule"},
    ]
    args: Any = {**ARGS, "taints": taints, "capacity": ["spot", "on_demand"]}
    recorded = record(lambda: NodePool("cpu", args))
    for group in ("cpu-spot", "cpu-on-demand"):
        tag = recorded.one("aws:autoscaling/tag:Tag", f"{group}-taint-example.com-batch").inputs["tag"]
        assert tag == {
            "key": "k8s.io/cluster-autoscaler/node-template/taint/example.com/batch",
            "value": ":NoExecute",
            "propagateAtLaunch": False,
        }, "the autoscaler learns only taints with a value from EKS"
    assert not [resource for resource in recorded.all("aws:autoscaling/tag:Tag") if "team" in resource.name]
