"""From where the cluster's API is reached inside the network."""

from typing import Any

from aiplatform.cluster import Cluster
from tests.components.aiplatform.cluster.test_cluster import ARGS
from tests.components.recording import record


def test_a_runners_group_is_allowed_instead_of_the_whole_network():
    args: Any = {**ARGS, "api_access": {"mode": "in_vpc", "security_group_id": "sg-4u22e4"}}
    recorded = record(lambda: Cluster("cluster", args))
    rule = recorded.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert rule.inputs["referencedSecurityGroupId"] == "sg-4u22e4"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)
    assert "cidrIpv4" not in rule.inputs


def test_objects_are_created_and_deleted_while_the_api_is_reachable():
    recorded = record(lambda: Cluster("cluster", ARGS))  # pyright: ignore[reportArgumentType]
    provider = recorded.one("pulumi:providers:kubernetes")
    rule = recorded.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert recorded.depends(provider, on=rule)
