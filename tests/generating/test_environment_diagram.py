"""The diagram of an environment shows its components and their direct uses."""

from __future__ import annotations

from tests.generating.environment_diagram import diagram

VPC = "aws:ec2/vpc:Vpc network-vpc"
CLUSTER = "aws:eks/cluster:Cluster cluster.one"
NETWORK_COMPONENT = "aiplatform:index:Network network"
CLUSTER_COMPONENT = "aiplatform:index:Cluster cluster"
POOL_COMPONENT = "aiplatform:index:NodePool general"
RESOURCES = {
    NETWORK_COMPONENT: {},
    VPC: {"parent": NETWORK_COMPONENT},
    CLUSTER_COMPONENT: {},
    CLUSTER: {"parent": CLUSTER_COMPONENT, "inputs": {"vpc": {"ids": [f"${{{VPC}.id}}"]}}},
    POOL_COMPONENT: {},
    "aws:eks/nodeGroup:NodeGroup general": {
        "parent": POOL_COMPONENT,
        "inputs": {"cluster": f"${{{CLUSTER}.name}}", "subnet": f"${{{VPC}.subnets[0].id}}"},
    },
    "pulumi:providers:aws aws": {},
}


def test_node_shows_the_number_of_resources_and_their_services() -> None:
    assert '  Network["Network<br/>1 resource: ec2"]\n' in diagram(RESOURCES)


def test_arrow_is_drawn_for_a_reference_to_a_property_of_a_name_with_dots() -> None:
    assert "  NodePool --> Cluster\n" in diagram(RESOURCES)


def test_arrow_that_follows_from_others_is_left_out() -> None:
    assert "NodePool --> Network" not in diagram(RESOURCES), "the pool uses the network through its cluster"
    assert "  Cluster --> Network\n" in diagram(RESOURCES)


def test_arrow_is_drawn_for_a_dependency_without_a_reference() -> None:
    plugin = {"aiplatform:index:DevicePlugins plugins": {"depends_on": [CLUSTER]}}
    assert "  DevicePlugins --> Cluster\n" in diagram({**RESOURCES, **plugin})


def test_component_within_a_component_is_part_of_the_outer_one() -> None:
    identity = "aiplatform:index:WorkloadIdentity identity"
    role = "aws:iam/role:Role identity-role"
    drawn = diagram(
        {**RESOURCES, identity: {"parent": POOL_COMPONENT}, role: {"parent": identity, "inputs": {}}}
    )
    assert "WorkloadIdentity" not in drawn
    assert 'NodePool["NodePool<br/>2 resources: eks, iam"]' in drawn


def test_components_of_a_kind_are_one_node_with_their_number() -> None:
    assert 'NodePool["NodePool x 2<br/>' in diagram({**RESOURCES, "aiplatform:index:NodePool other": {}})
