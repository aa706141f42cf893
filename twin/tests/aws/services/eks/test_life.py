"""What a cluster goes through to its end, each test with a separate account."""

from __future__ import annotations

import json
import time

import pytest
import time_machine
from botocore.exceptions import ClientError

from twin.aws.api_server import inventory
from twin.tests.aws.fronts import Clients
from twin.tests.aws.services.eks.conftest import active, refusal
from twin.tests.aws.services.eks.scene import group_params, make_cluster_of, network_and_roles, token, view


def test_versions_go_up_one_at_a_time(own: Clients) -> None:
    active(own)
    _, message = refusal(own, "update_cluster_version", name="demo", version="1.36")
    assert message == "Unsupported Kubernetes minor version update from 1.34 to 1.36"
    update = own("eks").update_cluster_version(name="demo", version="1.35")["update"]
    done = own("eks").describe_update(name="demo", updateId=update["id"])["update"]
    assert done["status"] == "Successful"
    assert own("eks").describe_cluster(name="demo")["cluster"]["version"] == "1.35"


def test_a_control_plane_stays_in_the_zones_that_it_began_in(own: Clients) -> None:
    names = active(own)
    fewer = {"subnetIds": names["subnets"][:2]}
    code, message = refusal(own, "update_cluster_config", name="demo", resourcesVpcConfig=fewer)
    assert code == "InvalidParameterException"
    assert "exact set of AZs 'us-west-2a,us-west-2b,us-west-2d'" in message
    same = {"subnetIds": names["subnets"][::-1]}
    own("eks").update_cluster_config(name="demo", resourcesVpcConfig=same)


def test_a_cluster_goes_last_and_leaves_nothing(own: Clients) -> None:
    eks, ec2, names = own("eks"), own("ec2"), active(own)
    sizes = {"minSize": 1, "maxSize": 2, "desiredSize": 1}
    eks.create_nodegroup(**group_params(names, scalingConfig=sizes))
    assert len(view(own, "machines")["machines"]) == 1
    assert refusal(own, "delete_cluster", name="demo") == (
        "ResourceInUseException",
        "Cluster has nodegroups attached",
    )
    eks.delete_nodegroup(clusterName="demo", nodegroupName="gpu")
    assert view(own, "machines")["machines"] == []
    view(own, "machines")
    assert eks.list_nodegroups(clusterName="demo")["nodegroups"] == []
    eks.update_cluster_config(name="demo", deletionProtection=True)
    assert "deletion protection" in refusal(own, "delete_cluster", name="demo")[1]
    eks.update_cluster_config(name="demo", deletionProtection=False)
    eks.delete_cluster(name="demo")
    view(own, "cluster_gone")
    for subnet in names["subnets"]:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=names["vpc"])
    for name in ("cluster", "node", "pod"):
        own("iam").delete_role(RoleName=name)
    assert inventory.of(own.front) == {}


def test_a_new_access_entry_is_known_to_the_cluster_some_seconds_later(own: Clients) -> None:
    active(own)
    eks, arn = own("eks"), "arn:aws:iam::123456789012:role/platform-deployer"
    place = {"clusterName": "demo", "principalArn": arn}
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    eks.delete_access_entry(**place)
    eks.create_access_entry(**place)
    assert view(own, "authenticate", token=token(own, "demo"))["principal"] is None, (
        "an answer of CreateAccessEntry is no promise of the API server"
    )
    with time_machine.travel(time.time() + 4, tick=False):
        found = view(own, "authenticate", token=token(own, "demo"))["principal"]
        assert found["policies"] == []
        eks.associate_access_policy(**place, policyArn=policy, accessScope={"type": "cluster"})
        found = view(own, "authenticate", token=token(own, "demo"))["principal"]
        assert found["policies"] == [], "nor is an association effective at once"
    with time_machine.travel(time.time() + 8, tick=False):
        found = view(own, "authenticate", token=token(own, "demo"))["principal"]
    assert found["policies"] == [["AmazonEKSClusterAdminPolicy", []]]


@pytest.mark.parametrize(
    ("late", "types", "left"), [(True, ["audit"], True), (True, [], False), (False, ["audit"], False)]
)
def test_late_events_of_a_deleted_cluster_create_its_log_group_again(
    own: Clients, late: bool, types: list[str], left: bool
) -> None:
    logs, group = own("logs"), "/aws/eks/demo/cluster"
    logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    active(own)
    if types:
        enabled = {"clusterLogging": [{"types": types, "enabled": True}]}
        own("eks").update_cluster_config(name="demo", logging=enabled)
    if late:
        own.front.faults.add({"kind": "late_logs"})
    own("eks").delete_cluster(name="demo")
    view(own, "cluster_gone")
    logs.delete_log_group(logGroupName=group)
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert bool(found) == left
    if left:
        assert "retentionInDays" not in found[0], "kept for ever, without a key"
        logs.delete_log_group(logGroupName=group)
        assert not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"], "once"


def test_a_cluster_needs_a_role_that_trusts_eks_for_this_cluster(own: Clients) -> None:
    names = network_and_roles(own)

    def trusting(cluster: str) -> str:
        arn = f"arn:aws:eks:us-west-2:123456789012:cluster/{cluster}"
        allow = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "eks.amazonaws.com"},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": arn},
            },
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        made = own("iam").create_role(RoleName=f"for-{cluster}", AssumeRolePolicyDocument=document)
        return made["Role"]["Arn"]

    with pytest.raises(ClientError, match="the trusted entity is not correct"):
        make_cluster_of(own, {**names, "cluster_role": trusting("other")})
    make_cluster_of(own, {**names, "cluster_role": trusting("demo")})
