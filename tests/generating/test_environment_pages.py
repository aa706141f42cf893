"""The page of an environment shows each component, what is within it, and what it uses."""

from __future__ import annotations

import pytest

from tests.generating.environment_diagram import registered
from tests.generating.environment_pages import diagram, instances, uses
from tests.stacks.environments import STACKS
from tools.site.flowcharts import parse

NETWORK = "aiplatform:index:Network network"
CLUSTER = "aiplatform:index:Cluster cluster"
REGISTRY = "aiplatform:index:ModelRegistry model-registry"
IDENTITY = "aiplatform:index:WorkloadIdentity mlflow"
VPC = "aws:ec2/vpc:Vpc network-vpc"
EKS = "aws:eks/cluster:Cluster cluster"
ROLE = "aws:iam/role:Role mlflow-role"
RESOURCES = {
    NETWORK: {},
    VPC: {"parent": NETWORK},
    CLUSTER: {},
    EKS: {"parent": CLUSTER, "inputs": {"vpc": f"${{{VPC}.id}}"}},
    REGISTRY: {},
    IDENTITY: {"parent": REGISTRY},
    ROLE: {"parent": IDENTITY, "inputs": {"cluster": f"${{{EKS}.arn}}"}, "depends_on": [VPC]},
}


def test_component_within_a_component_is_in_its_box() -> None:
    chart = parse(diagram(RESOURCES))
    assert list(chart.nodes) == ["Cluster_cluster", "ModelRegistry_model_registry", "Network_network"]
    (inner,) = chart.nodes["ModelRegistry_model_registry"].inner
    assert inner.lines == ["WorkloadIdentity mlflow", "1 resource: iam"]


def test_what_an_inner_component_uses_is_used_by_the_outer_one() -> None:
    assert uses(RESOURCES)[REGISTRY] == {CLUSTER, NETWORK}
    assert parse(diagram(RESOURCES)).edges == [
        ("Cluster_cluster", "Network_network"),
        ("ModelRegistry_model_registry", "Cluster_cluster"),
    ], "the network is used through the cluster"


def test_resource_counts_for_the_innermost_component() -> None:
    assert not instances(RESOURCES)[REGISTRY].services
    assert dict(instances(RESOURCES)[IDENTITY].services) == {"iam": 1}


@pytest.mark.parametrize("stack", STACKS)
def test_diagram_of_an_environment_has_all_its_components(stack: str) -> None:
    members = instances(registered(stack))
    chart = parse(diagram(registered(stack)))
    drawn = [node for outer in chart.nodes.values() for node in (outer, *outer.inner)]
    assert len(drawn) == len(members) > 20
    connected = {key for edge in chart.edges for key in edge}
    assert connected == set(chart.nodes), "each component uses another one or is used"
