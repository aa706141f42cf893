"""What all node groups of EKS have in common."""

from typing import Any

import pulumi
import pytest

from aiplatform._node_groups import refuse_failed
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
